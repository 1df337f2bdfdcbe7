use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::Lane;
use otp_core::clock::ManualClock;
use otp_core::event::{Event, EventKind};
use otp_core::store::{
    AuditStore as _, Block, BlockKind, BlocklistStore as _, BudgetStore as _, ChallengeQuery,
    ChallengeStore as _, Condition, QuotaStore as _, Revocation, SeenStore as _, StoreErrorKind,
};
use otp_core::testing::store::kit;
use otp_store::composite::read_only::ReadOnlyOptions;
use otp_store::{MemoryStore, ReadOnlyFallback};

use crate::fixture::{
    HOUR, REST, attempt, condition, insert, issue, kind, settled, unavailable, win,
};
use crate::switch::{DOWN, Mode, Switched};

type Part = Switched<MemoryStore>;

struct House {
    store: ReadOnlyFallback<Part, Part>,
    primary: Part,
    copy: Part,
    clock: ManualClock,
}

impl House {
    fn new() -> Self {
        Self::keeping(10_000)
    }

    fn keeping(records: usize) -> Self {
        let clock = ManualClock::default();
        let part = || Switched::around(MemoryStore::with_clock(Arc::new(clock.clone())));
        let (primary, copy) = (part(), part());
        let options = ReadOnlyOptions::new()
            .clock(Arc::new(clock.clone()))
            .keep_records(NonZeroUsize::new(records).unwrap());
        Self {
            store: ReadOnlyFallback::with_options(primary.clone(), copy.clone(), options),
            primary,
            copy,
            clock,
        }
    }

    async fn cut(&self) {
        self.primary.turn(DOWN);
        for _ in 0..3 {
            let _ = self.store.ping().await;
        }
        settled().await;
        self.primary.take_calls();
        unavailable(self.store.ping().await);
        assert!(self.primary.take_calls().is_empty(), "it is left alone");
    }

    /// Starts anew over the same two stores.
    fn restarted(&self, records: usize) -> ReadOnlyFallback<Part, Part> {
        let options = ReadOnlyOptions::new()
            .clock(Arc::new(self.clock.clone()))
            .keep_records(NonZeroUsize::new(records).unwrap());
        ReadOnlyFallback::with_options(self.primary.clone(), self.copy.clone(), options)
    }

    async fn block(&self, device: &str, life: Option<Duration>) -> Block {
        let block = Block::new(BlockKind::Device, device).unwrap();
        let event = kit::event(EventKind::OperatorAction);
        let placed = self.store.block(&block, device, "op", life, event).await;
        placed.unwrap();
        block
    }

    async fn blocks(&self) -> Vec<String> {
        let entries = self.store.blocks(10).await.unwrap();
        entries.into_iter().map(|entry| entry.note).collect()
    }
}

fn operator() -> Event {
    kit::event(EventKind::OperatorAction)
}

#[tokio::test]
async fn blocks_can_be_read_in_an_outage_as_they_were_last() {
    let house = House::new();
    house.block("for an hour", Some(HOUR)).await;
    house.clock.advance(Duration::from_secs(1));
    house.block("for good", None).await;
    let gone = house.block("gone", None).await;
    house.store.unblock(&gone, operator()).await.unwrap();
    house.primary.turn(DOWN);
    assert_eq!(
        house.blocks().await,
        ["for good", "for an hour"],
        "the first call already"
    );
    house.cut().await;
    assert_eq!(house.blocks().await, ["for good", "for an hour"]);
    assert!(
        house.primary.take_calls().is_empty(),
        "nobody waits for the primary"
    );
    house.clock.advance(HOUR);
    assert_eq!(house.blocks().await, ["for good"]);
    unavailable(house.store.unblock(&gone, operator()).await);
    unavailable(house.store.block(&gone, "", "op", None, operator()).await);
}

#[tokio::test]
async fn what_was_changed_elsewhere_is_copied_with_the_next_round() {
    let house = House::new();
    house.block("stale", None).await;
    settled().await;
    let elsewhere = &house.primary.inner;
    let fresh = Block::new(BlockKind::Device, "fresh").unwrap();
    elsewhere
        .block(&fresh, "fresh", "op", None, operator())
        .await
        .unwrap();
    let stale = Block::new(BlockKind::Device, "stale").unwrap();
    elsewhere.unblock(&stale, operator()).await.unwrap();
    house.clock.advance(Duration::from_secs(60));
    house.store.ping().await.unwrap();
    settled().await;
    house.cut().await;
    assert_eq!(house.blocks().await, ["fresh"]);
}

#[tokio::test]
async fn copying_again_changes_nothing_beneath() {
    let house = House::new();
    house.block("one", None).await;
    house.block("two", Some(HOUR)).await;
    house.store.refresh().await.unwrap();
    settled().await;
    house.copy.take_calls();
    for _ in 0..5 {
        house.store.refresh().await.unwrap();
    }
    let calls = house.copy.take_calls();
    assert!(
        calls
            .iter()
            .all(|call| ["blocks", "outbox", "ping", "version"].contains(call)),
        "{calls:?}"
    );
}

#[tokio::test]
async fn everything_that_decides_or_was_not_copied_is_unavailable() {
    let house = House::new();
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.store.refresh().await.unwrap();
    house.cut().await;
    let store = &house.store;
    let (key, rules) = (kit::budget_key(&challenge), kit::wide_rules());
    let claim = kit::window("a", 3, HOUR);
    unavailable(store.admit(&kit::issue_plan(&challenge)).await);
    unavailable(insert(store, &challenge).await);
    unavailable(attempt(store, &challenge).await);
    unavailable(store.consume(kit::consume(&challenge, None)).await);
    unavailable(store.reject(kit::reject(&challenge, None)).await);
    unavailable(store.reissue(kit::reissue(&challenge, "second")).await);
    unavailable(store.find(&challenge.id).await);
    unavailable(store.list(&ChallengeQuery::default(), 10).await);
    let revocation = Revocation {
        query: ChallengeQuery::default(),
        event: operator(),
    };
    unavailable(store.revoke(revocation).await);
    unavailable(
        store
            .release(&kit::idempotency_key(&challenge, "key"))
            .await,
    );
    unavailable(store.ping().await);
    unavailable(store.purge(10).await);
    unavailable(store.budget(&key, &rules).await);
    unavailable(store.unlock(&key, operator()).await);
    unavailable(store.disable(&key, operator()).await);
    unavailable(store.carry_over(&key, Lane::Public, 1, operator()).await);
    unavailable(store.check_all(std::slice::from_ref(&claim)).await);
    unavailable(store.peek(std::slice::from_ref(&claim)).await);
    unavailable(store.clear(&[claim.key]).await);
    unavailable(store.first_seen("nonce", HOUR).await);
    unavailable(store.append(operator()).await);
    unavailable(store.outbox(None, 10).await);
    unavailable(store.acknowledge(10).await);
    assert!(
        house.primary.take_calls().is_empty(),
        "nobody waits for the primary"
    );
    assert_eq!(condition(store).await, "read only");
    let decided = house.copy.inner.list(&ChallengeQuery::default(), 10).await;
    assert!(decided.unwrap().is_empty(), "nothing was decided beneath");
}

#[tokio::test]
async fn it_closes_by_itself_and_decides_again() {
    let house = House::new();
    house.cut().await;
    assert_eq!(condition(&house.store).await, "read only");
    house.primary.turn(Mode::Up);
    house.clock.advance(REST);
    unavailable(house.store.ping().await);
    settled().await;
    assert_eq!(condition(&house.store).await, "connected");
    let challenge = issue(&house.store, "ann").await.unwrap();
    win(&house.store, &challenge).await.unwrap();
}

#[tokio::test]
async fn recent_records_can_be_read_in_an_outage_also_those_that_were_acknowledged() {
    let house = House::new();
    let mut names = Vec::new();
    for _ in 0..3 {
        let event = kit::event(EventKind::CodeSent);
        names.push(event.id);
        house.store.append(event).await.unwrap();
    }
    house.block("stolen", None).await;
    let read = house.store.outbox(None, 10).await.unwrap();
    names.push(read.last().unwrap().event.id);
    house
        .store
        .acknowledge(read.last().unwrap().sequence)
        .await
        .unwrap();
    assert!(
        house
            .primary
            .inner
            .outbox(None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    house.cut().await;
    let recent = house.store.recent(10).await.unwrap();
    let recent: Vec<_> = recent.iter().map(|event| event.id).collect();
    assert_eq!(recent, names, "without what the copying itself has written");
    let newest = house.store.recent(1).await.unwrap();
    assert_eq!(newest[0].id, names[3]);
}

#[tokio::test]
async fn the_copy_never_grows_beyond_what_it_keeps() {
    let house = House::keeping(20);
    for round in 0..10 {
        for _ in 0..300 {
            house
                .store
                .append(kit::event(EventKind::CodeSent))
                .await
                .unwrap();
        }
        house.block(&format!("device-{round}"), None).await;
        house.store.refresh().await.unwrap();
        let held = house.copy.inner.outbox(None, 100_000).await.unwrap();
        assert!(held.len() <= 20, "{} after round {round}", held.len());
    }
    assert_eq!(house.store.recent(100).await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_restart_shows_the_same_records_and_goes_on_from_there() {
    let house = House::keeping(3);
    for number in 0..5 {
        house
            .block(&format!("device-{number}"), Some(HOUR * number))
            .await;
    }
    let append = async |store: &ReadOnlyFallback<Part, Part>| {
        let event = kit::event(EventKind::ChallengeIssued);
        let id = event.id;
        store.append(event).await.unwrap();
        id
    };
    let recent = async |store: &ReadOnlyFallback<Part, Part>| {
        store.refresh().await.unwrap();
        let recent = store.recent(10).await.unwrap();
        recent.iter().map(|event| event.id).collect::<Vec<_>>()
    };
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(append(&house.store).await);
    }
    assert_eq!(recent(&house.store).await, names);
    for _ in 0..3 {
        house.clock.advance(Duration::from_secs(60));
        house.copy.take_calls();
        let again = house.restarted(3);
        assert_eq!(recent(&again).await, names);
        let calls = house.copy.take_calls();
        assert!(!calls.contains(&"block"), "it is there: {calls:?}");
        names.remove(0);
        names.push(append(&again).await);
        assert_eq!(recent(&again).await, names);
        // What was read by whoever keeps it elsewhere is not missed.
        let last = again
            .outbox(None, 1_000)
            .await
            .unwrap()
            .last()
            .unwrap()
            .sequence;
        again.acknowledge(last).await.unwrap();
    }
}

#[tokio::test]
async fn blocks_that_are_copied_take_no_room_from_records() {
    let house = House::keeping(3);
    let event = kit::event(EventKind::ChallengeIssued);
    let id = event.id;
    house.store.append(event).await.unwrap();
    house.store.refresh().await.unwrap();
    // Entries that nobody blocked above: the copying takes each of them away, and writes it down.
    for number in 0..20 {
        let stale = Block::new(BlockKind::Device, &format!("device-{number}")).unwrap();
        let mut event = operator();
        event.reason = Some("copied_down".into());
        let placed = house.copy.inner.block(&stale, "", "op", None, event);
        placed.await.unwrap();
    }
    house.store.refresh().await.unwrap();
    let recent = house.store.recent(10).await.unwrap();
    assert_eq!(
        recent.iter().map(|event| event.id).collect::<Vec<_>>(),
        [id]
    );
}

#[tokio::test]
async fn a_copy_that_fails_hinders_nobody() {
    let house = House::new();
    house.copy.turn(DOWN);
    house.block("stolen", None).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    win(&house.store, &challenge).await.unwrap();
    house.store.acknowledge(1).await.unwrap();
    unavailable(house.store.refresh().await);
    assert_eq!(
        house.store.status().await[0].condition,
        Condition::Connected
    );
    house.copy.turn(Mode::Up);
    house.store.refresh().await.unwrap();
    house.cut().await;
    assert_eq!(house.blocks().await, ["stolen"]);
}

#[tokio::test]
async fn errors_that_are_answers_are_not_papered_over_by_the_copy() {
    let house = House::new();
    house.block("stolen", None).await;
    house.primary.turn(Mode::Says(StoreErrorKind::ClockAnomaly));
    let answer = house.store.blocks(10).await;
    assert_eq!(kind(answer), Some(StoreErrorKind::ClockAnomaly));
    assert_eq!(condition(&house.store).await, "unavailable");
}
