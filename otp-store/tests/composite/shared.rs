//! Counts and the policy, while a part of a composite is away.

use std::sync::Arc;

use otp_core::clock::ManualClock;
use otp_core::event::{Event, EventKind};
use otp_core::policy::OutagePolicy;
use otp_core::request::Tenant;
use otp_core::store::{
    AuditStore as _, ChallengeStore as _, PolicyDocument, PolicyStore, Published, StatKey,
    StatName, StatWindow, StatsStore as _,
};
use otp_core::testing::store::kit;
use otp_store::composite::read_only::ReadOnlyOptions;
use otp_store::{MemoryStore, ReadOnlyFallback, Split};

use crate::fixture::{HOUR, House, settled, unavailable};
use crate::switch::{DOWN, Mode, Switched};

type Part = Switched<MemoryStore>;

fn operator() -> Event {
    kit::event(EventKind::OperatorAction)
}

fn key(value: &str) -> StatKey {
    StatKey::new(StatName::SENT, &Tenant::default(), value).unwrap()
}

async fn publish(store: &dyn PolicyStore, expected: u64, text: &str) -> Published {
    let document = PolicyDocument::new(text, "ann", "because").unwrap();
    let published = store.publish(Some(expected), document, operator()).await;
    published.unwrap()
}

async fn in_force(store: &dyn PolicyStore) -> (u64, String) {
    let record = store.current().await.unwrap().unwrap();
    assert_eq!(store.version().await.unwrap(), record.version);
    (record.version, record.document.text().to_owned())
}

#[tokio::test]
async fn an_outage_does_not_begin_blind_and_counts_on() {
    let house = House::new(OutagePolicy::memory());
    let (store, window) = (&house.store, StatWindow::HOUR);
    let keys = [key("GB"), key("DE")];
    store.count(&[(key("GB"), 3)]).await.unwrap();
    let elsewhere = &house.primary.inner;
    elsewhere.count(&[(key("GB"), 100)]).await.unwrap();
    assert_eq!(store.sums(&keys, window).await.unwrap(), [103, 0]);
    house.cut().await;
    assert_eq!(
        store.sums(&keys, window).await.unwrap(),
        [3, 0],
        "what this instance has counted is known beneath"
    );
    store.count(&[(key("DE"), 5)]).await.unwrap();
    let tenant = Tenant::default();
    let listed = store.top(StatName::SENT, &tenant, window, 9).await;
    let expected = [("DE".to_owned(), 5), ("GB".to_owned(), 3)];
    assert_eq!(listed.unwrap(), expected);
    house.mend().await;
    let above = elsewhere.sums(&keys, window).await.unwrap();
    assert_eq!(above, [103, 0], "what was counted beneath is not told");
}

#[tokio::test]
async fn a_policy_is_not_published_beneath() {
    let house = House::new(OutagePolicy::memory());
    assert_eq!(publish(&house.store, 0, "one").await, Published::As(1));
    house.cut().await;
    let document = PolicyDocument::new("two", "ann", "because").unwrap();
    let published = house.store.publish(Some(1), document, operator());
    unavailable(published.await);
    unavailable(house.store.current().await);
    unavailable(house.store.version().await);
    house.mend().await;
    assert_eq!(in_force(&house.store).await, (1, "one".to_owned()));
}

struct Copied {
    store: ReadOnlyFallback<Part, Part>,
    primary: Part,
    copy: Part,
    clock: ManualClock,
}

impl Copied {
    fn new() -> Self {
        let clock = ManualClock::default();
        let part = || Switched::around(MemoryStore::with_clock(Arc::new(clock.clone())));
        let (primary, copy) = (part(), part());
        let options = ReadOnlyOptions::new().clock(Arc::new(clock.clone()));
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
    }
}

#[tokio::test]
async fn the_policy_in_force_is_read_from_the_copy_while_the_primary_is_away() {
    let house = Copied::new();
    assert_eq!(publish(&house.store, 0, "one").await, Published::As(1));
    let first = house.store.current().await.unwrap();
    house.cut().await;
    assert_eq!(
        house.store.current().await.unwrap(),
        first,
        "as it was, with its time"
    );
    assert_eq!(in_force(&house.store).await, (1, "one".to_owned()));
    let document = PolicyDocument::new("two", "ann", "because").unwrap();
    let published = house.store.publish(Some(1), document, operator());
    unavailable(published.await);
    unavailable(house.store.history(9).await);
    unavailable(house.store.count(&[(key("GB"), 1)]).await);
    unavailable(house.store.sums(&[key("GB")], StatWindow::DAY).await);
    assert_eq!(in_force(&house.copy.inner).await, (1, "one".to_owned()));
}

#[tokio::test]
async fn what_another_instance_has_published_is_copied_with_its_version() {
    let house = Copied::new();
    for version in 0..5 {
        let published = publish(&house.primary.inner, version, &version.to_string()).await;
        assert_eq!(published, Published::As(version + 1));
    }
    house.store.refresh().await.unwrap();
    house.clock.advance(HOUR);
    assert_eq!(
        publish(&house.primary.inner, 5, "5").await,
        Published::As(6)
    );
    house.cut().await;
    assert_eq!(in_force(&house.store).await, (5, "4".to_owned()));
    house.primary.turn(Mode::Up);
    house.store.refresh().await.unwrap();
    house.cut().await;
    assert_eq!(in_force(&house.store).await, (6, "5".to_owned()));
}

#[tokio::test]
async fn a_copy_that_fails_fails_no_publication() {
    let house = Copied::new();
    house.copy.turn(DOWN);
    assert_eq!(publish(&house.store, 0, "one").await, Published::As(1));
    house.copy.turn(Mode::Up);
    house.store.refresh().await.unwrap();
    house.cut().await;
    assert_eq!(in_force(&house.store).await, (1, "one".to_owned()));
}

#[tokio::test]
async fn counts_go_with_decisions_and_the_policy_with_what_lasts() {
    let part = || Switched::around(MemoryStore::new());
    let (decisions, audit): (Part, Part) = (part(), part());
    let store = Split::new(decisions.clone(), audit.clone(), "postgres");
    store.count(&[(key("GB"), 3)]).await.unwrap();
    assert_eq!(publish(&store, 0, "one").await, Published::As(1));
    let records = audit.inner.outbox(None, 9).await.unwrap();
    assert_eq!(records.len(), 1, "its record is there in the same step");
    decisions.turn(DOWN);
    assert_eq!(in_force(&store).await, (1, "one".to_owned()));
    unavailable(store.count(&[(key("GB"), 1)]).await);
    decisions.turn(Mode::Up);
    audit.turn(DOWN);
    let sums = store.sums(&[key("GB")], StatWindow::HOUR).await;
    assert_eq!(sums.unwrap(), [3]);
    unavailable(store.current().await);
}
