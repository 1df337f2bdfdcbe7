use std::time::Duration;

use super::ChainFixture;
use super::bench::{ALL, ANSWERS, Bench, LIFE, names, sealer};
use crate::event::chain::{Head, LinkHash};
use crate::store::{SealBatch, Sealing};
use crate::testing::store::cancel::{POLLS, dropped_after};

/// Batch after batch each record is sealed once, and what is exported then is verified offline.
pub async fn records_are_sealed_once_and_the_export_is_verified(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let mut written = bench.write(7).await;
    bench.seal_all(3).await;
    assert!(bench.unsealed(ALL).await.is_empty(), "all is sealed");
    written.extend(bench.write(2).await);
    assert_eq!(bench.unsealed(ALL).await.len(), 2, "the new ones are not");
    bench.seal_all(3).await;
    let (verified, names) = bench.verified().await;
    assert_eq!((verified.records, verified.first), (9, 1));
    assert_eq!(names, written, "in the order in which they were written");
    let head = bench.head().await;
    assert_eq!(verified.last, (head.place, head.hash));
}

/// What was taken over elsewhere before it was sealed is sealed all the same, once sealing has begun.
pub async fn what_was_acknowledged_is_sealed_all_the_same(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    bench.write(1).await;
    bench.seal_all(ALL).await;
    bench.write(3).await;
    bench.store.acknowledge(u64::MAX).await.expect(ANSWERS);
    assert_eq!(bench.unsealed(ALL).await.len(), 3, "it waits for its seal");
    bench.seal_all(2).await;
    assert_eq!(bench.head().await.place, 4);
    let later = bench.write(1).await;
    bench.seal_all(2).await;
    let (verified, names) = bench.verified().await;
    assert_eq!(verified.last.0, 5);
    assert_eq!(names.last(), later.last());
}

/// A batch that does not begin where the chain ends is not stored, nor any part of it.
pub async fn a_batch_that_does_not_follow_changes_nothing(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let written = bench.write(4).await;
    bench.seal_all(2).await;
    let more = bench.write(2).await;
    let head = bench.head().await;
    let another_hash = Head {
        hash: LinkHash::from([7; 32]),
        ..head
    };
    let another_place = Head {
        place: head.place + 1,
        ..head
    };
    for from in [Head::START, another_hash, another_place] {
        let batch = bench.batch(&sealer(), from, ALL).await;
        assert_eq!(bench.seal(batch).await, Sealing::Overtaken, "{from:?}");
        assert_eq!(bench.head().await, head, "the end stays where it was");
    }
    assert_eq!(names(&bench.unsealed(ALL).await), more);
    assert_eq!(bench.verified().await.1, written);
}

/// A record that is written after a batch was read and before it is stored is in the next one.
pub async fn a_record_that_is_inserted_while_sealing_comes_after_it(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let holder = sealer();
    let mut written = bench.write(3).await;
    let from = bench.lease(&holder, LIFE).await.expect("it is free");
    let batch = bench.batch(&holder, from, ALL).await;
    let late = bench.write(2).await;
    assert_eq!(bench.seal(batch).await, Sealing::Done);
    assert_eq!(names(&bench.unsealed(ALL).await), late);
    bench.seal_all(ALL).await;
    written.extend(late);
    assert_eq!(bench.verified().await.1, written);
}

/// Whoever dies between reading and storing leaves everything to the next.
pub async fn what_was_read_and_not_sealed_is_sealed_by_the_next(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let (dies, next) = (sealer(), sealer());
    let written = bench.write(4).await;
    let from = bench.lease(&dies, LIFE).await.expect("it is free");
    drop(bench.batch(&dies, from, ALL).await);
    assert!(bench.lease(&next, LIFE).await.is_none(), "not yet");
    bench.advance(LIFE);
    let from = bench.lease(&next, LIFE).await.expect("it has lapsed");
    assert_eq!(from, Head::START, "nothing was stored");
    let batch = bench.batch(&next, from, ALL).await;
    assert_eq!(bench.seal(batch).await, Sealing::Done);
    assert_eq!(bench.verified().await.1, written);
}

/// Whoever heard no answer, and stores the same batch again, is told that the chain has gone on,
/// and finds its end where the batch ends.
pub async fn a_sealer_that_heard_no_answer_finds_its_batch_stored_once(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let written = bench.write(3).await;
    let batch = bench.batch(&sealer(), Head::START, ALL).await;
    assert_eq!(bench.seal(batch.clone()).await, Sealing::Done);
    assert_eq!(bench.seal(batch.clone()).await, Sealing::Overtaken);
    assert_eq!(bench.head().await, batch.to);
    assert_eq!(bench.verified().await.1, written);
}

/// A batch whose storing is dropped half-way is stored whole, or not at all.
pub async fn a_dropped_seal_is_whole_or_absent(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let mut written = Vec::new();
    for polls in 0..=POLLS {
        written.extend(bench.write(3).await);
        let from = bench.head().await;
        let batch = bench.batch(&sealer(), from, ALL).await;
        let (to, again) = (batch.to, batch.clone());
        dropped_after(polls, bench.store.seal(batch)).await;
        settle(&bench, from, to, again).await;
        assert_eq!(bench.verified().await.1, written, "whole, and once");
    }
}

/// Stores a batch that may be stored already, or be just about to be.
async fn settle(bench: &Bench<'_>, from: Head, to: Head, batch: SealBatch) {
    let head = bench.head().await;
    assert!(head == from || head == to, "never half of it: {head:?}");
    let again = bench.seal(batch).await;
    assert!(head == from || again == Sealing::Overtaken, "never twice");
    bench.advance(Duration::from_millis(1));
    assert_eq!(bench.head().await, to, "one of the two has stored it");
}
