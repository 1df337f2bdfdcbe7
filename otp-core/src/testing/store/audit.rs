use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, race};
use super::{StoreFixture, kit};
use crate::event::{Act, Event, EventKind, Outcome};
use crate::request::RequestId;
use crate::store::OutboxEntry;

/// A record that is added by itself gets the store's time and keeps everything else.
pub async fn an_appended_record_is_kept_as_it_was(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("'; --\"%{x}", bench.now().await);
    let act = Act::new("mike@desk", "incident #7: \"'; -- \u{e9}").expect("an act");
    let event = Event {
        address: Some("2001:db8::7".parse().expect("an address")),
        provider: Some("twilio".to_owned()),
        request_id: Some(RequestId::new("req-1")),
        act: Some(Arc::new(act)),
        tenant: kit::tenant("acme"),
        ..kit::event(EventKind::CodeNotSent)
            .of_challenge(&challenge)
            .with_outcome(Outcome::Failed, "unavailable: \u{202e}';--")
    };
    bench.store.append(event.clone()).await.expect("an answer");
    let bare = kit::event(EventKind::CodeSent);
    bench.store.append(bare.clone()).await.expect("an answer");
    let now = bench.now().await;
    assert_eq!(bench.events().await, [event.at(now), bare.at(now)]);
}

/// A record that was kept elsewhere before keeps its time.
pub async fn an_appended_record_that_bears_a_time_keeps_it(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let then = bench.now().await.saturating_sub(Duration::from_secs(3_600));
    let event = kit::event(EventKind::CodeSent).at(then);
    bench.store.append(event.clone()).await.expect("an answer");
    assert_eq!(bench.events().await, [event]);
}

/// A record whose id is there already is not added again, even by a thousand at once.
pub async fn a_record_is_added_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let event = kit::event(EventKind::CodeSent);
    race(RACERS, |_| {
        let event = event.clone();
        let store = Arc::clone(&bench.store);
        async move { store.append(event).await.expect("an answer") }
    })
    .await;
    assert_eq!(
        bench.events().await.len(),
        1,
        "a duplicate carries the same id"
    );
}

/// Records that are added together keep their order and what they are, and those that are there
/// already are not added again.
pub async fn records_that_are_added_together_keep_their_order_and_are_added_once(
    fixture: &dyn StoreFixture,
) {
    let bench = Bench::new(fixture);
    let then = bench.now().await.saturating_sub(Duration::from_secs(60));
    let challenge = kit::challenge("ann", bench.now().await);
    let mut events: Vec<_> = (0..300)
        .map(|_| {
            kit::event(EventKind::CodeSent)
                .of_challenge(&challenge)
                .at(then)
        })
        .collect();
    bench
        .store
        .append_all(events.iter().take(100).cloned().collect())
        .await
        .expect("an answer");
    events.swap(100, 200);
    bench
        .store
        .append_all(events.clone())
        .await
        .expect("an answer");
    bench.store.append_all(Vec::new()).await.expect("an answer");
    assert_eq!(bench.events().await, events);
}

/// The outbox is read oldest first, page after page, and no record is missed or seen twice.
pub async fn the_outbox_is_read_in_order_page_by_page(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let mut written = Vec::new();
    for _ in 0..10 {
        let event = kit::event(EventKind::CodeSent);
        written.push(event.id);
        bench.store.append(event).await.expect("an answer");
    }
    let (mut read, mut after) = (Vec::new(), None);
    for page in 0..4 {
        let entries = page_of(&bench, after, 3).await;
        let expected = if page == 3 { 1 } else { 3 };
        assert_eq!(
            entries.len(),
            expected,
            "a page is as long as its limit while there is more"
        );
        let higher = entries
            .iter()
            .all(|entry| after.is_none_or(|after| entry.sequence > after));
        assert!(higher, "a page begins after the one before it");
        assert!(entries.is_sorted_by(|one, two| one.sequence < two.sequence));
        after = entries.last().map(|entry| entry.sequence);
        read.extend(entries.into_iter().map(|entry| entry.event.id));
    }
    assert_eq!(read, written, "in the order in which they were written");
    assert!(
        page_of(&bench, after, 3).await.is_empty(),
        "and then there is nothing more"
    );
}

/// What was acknowledged may go; what was not stays, through any purge, with its place.
pub async fn what_is_not_acknowledged_stays(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for _ in 0..5 {
        let event = kit::event(EventKind::CodeSent);
        bench.store.append(event).await.expect("an answer");
    }
    let before = page_of(&bench, None, 10).await;
    let [_, second, kept @ ..] = &before[..] else {
        panic!("five records are in the outbox")
    };
    bench
        .store
        .acknowledge(second.sequence)
        .await
        .expect("an answer");
    bench.advance(Duration::from_secs(10 * 366 * 86_400));
    bench.store.purge(1_000).await.expect("an answer");
    let after = page_of(&bench, Some(second.sequence), 10).await;
    assert_eq!(after, kept, "no record goes before it is kept elsewhere");
    bench
        .store
        .acknowledge(second.sequence)
        .await
        .expect("acknowledging again is no error");
    let event = kit::event(EventKind::CodeSent);
    bench.store.append(event).await.expect("an answer");
    let newest = page_of(&bench, kept.last().map(|entry| entry.sequence), 10).await;
    assert_eq!(
        newest.len(),
        1,
        "later records have higher places, whatever was taken away"
    );
}

async fn page_of(bench: &Bench<'_>, after: Option<u64>, limit: usize) -> Vec<OutboxEntry> {
    bench.store.outbox(after, limit).await.expect("an answer")
}
