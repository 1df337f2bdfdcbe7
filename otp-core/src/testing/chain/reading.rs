use std::sync::Arc;

use super::ChainFixture;
use super::bench::{ALL, Bench, names};
use crate::event::chain::{Head, Record};
use crate::event::{Act, Event, EventKind, Outcome};
use crate::request::RequestId;
use crate::testing::store::kit;

/// A chain that has not begun ends at the start and has no record.
pub async fn a_chain_that_has_not_begun_is_empty(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    assert_eq!(bench.head().await, Head::START);
    assert!(bench.sealed(None, ALL).await.is_empty());
    assert!(bench.unsealed(ALL).await.is_empty());
    bench.write(3).await;
    assert_eq!(bench.head().await, Head::START, "writing seals nothing");
    assert!(bench.sealed(None, ALL).await.is_empty());
}

/// What is not sealed yet is read oldest first, so many at once, with its place in the log.
pub async fn unsealed_records_come_in_the_order_of_the_log(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let written = bench.write(5).await;
    let records = bench.unsealed(ALL).await;
    assert_eq!(names(&records), written);
    assert!(records.is_sorted_by(|one, two| one.sequence < two.sequence));
    let log = bench.store.outbox(None, ALL).await.expect("an answer");
    let places: Vec<_> = log.iter().map(|entry| entry.sequence).collect();
    let read: Vec<_> = records.iter().map(|record| record.sequence).collect();
    assert_eq!(read, places, "a record's place is that in the log");
    let some = bench.unsealed(2).await;
    assert_eq!(some.as_slice(), records.get(..2).unwrap_or_default());
    assert_eq!(
        bench.unsealed(ALL).await,
        records,
        "reading changes nothing"
    );
}

/// A record is exported as it was sealed, whatever is written in it.
pub async fn a_sealed_record_is_kept_as_it_was_written(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("'; --\"%{x}", crate::clock::Timestamp::from_millis(0));
    let act = Act::new("mike@desk", "incident #7: \"'; -- \u{e9}").expect("an act");
    let full = Event {
        address: Some("2001:db8::7".parse().expect("an address")),
        provider: Some("twilio".to_owned()),
        request_id: Some(RequestId::new("req-1")),
        act: Some(Arc::new(act)),
        tenant: kit::tenant("acme"),
        ..kit::event(EventKind::WebhookRefused)
            .of_challenge(&challenge)
            .with_outcome(Outcome::Refused, "\u{202e}';--\\\u{1f600}")
    };
    bench.append(full.clone()).await;
    for kind in EventKind::ALL {
        bench.append(kit::event(kind)).await;
    }
    let read = bench.unsealed(ALL).await;
    let first = read.first().map(|record: &Record| &record.event);
    assert_eq!(
        first.map(|event| (&event.reason, &event.act, &event.subject)),
        Some((&full.reason, &full.act, &full.subject))
    );
    assert!(read.iter().all(|record| {
        record.action == record.event.action() && record.event_type == record.event.event_type()
    }));
    bench.seal_all(ALL).await;
    let sealed = bench.sealed(None, ALL).await;
    let kept: Vec<_> = sealed.iter().map(|one| one.record.clone()).collect();
    assert_eq!(kept, read, "it is exported as it was sealed");
    bench.verified().await;
}

/// The chain is read oldest first, page after page, and no record is missed or seen twice.
pub async fn sealed_records_are_read_page_by_page(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let written = bench.write(7).await;
    bench.seal_all(3).await;
    bench.write(2).await;
    let (mut read, mut after) = (Vec::new(), None);
    for length in [3, 3, 1, 0] {
        let page = bench.sealed(after, 3).await;
        assert_eq!(page.len(), length, "only what is sealed is read");
        after = page.last().map(|one| one.record.sequence).or(after);
        read.extend(page.into_iter().map(|one| one.record.event.id));
    }
    assert_eq!(read, written);
}

/// Seals are counted by the keys that made them, whatever the size of a batch and however often keys
/// take turns.
pub async fn seals_are_counted_by_their_keys(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    assert_eq!(bench.seals().await, [], "nothing is sealed");
    bench.write(5).await;
    assert_eq!(bench.seals().await, [], "what is written is not");
    bench.seal_all(2).await;
    let old = bench.key();
    assert_eq!(bench.seals().await, [(old, 5)]);
    let new = bench.rotate();
    bench.write(7).await;
    bench.seal_all(3).await;
    assert_eq!(bench.seals().await, [(old, 5), (new, 7)]);
    bench.keys.promote(&old).expect("it is known");
    bench.write(4).await;
    bench.seal_all(ALL).await;
    assert_eq!(bench.seals().await, [(old, 9), (new, 7)]);
    assert_eq!(bench.seals().await, [(old, 9), (new, 7)], "as before");
}
