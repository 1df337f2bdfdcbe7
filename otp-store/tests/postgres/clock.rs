use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome, Refusal};
use otp_core::clock::{Clock as _, ManualClock, Timestamp};
use otp_core::event::EventKind;
use otp_core::store::{
    AuditStore as _, Block, BlockKind, BlocklistStore as _, ChallengeStore as _, StoreErrorKind,
};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;

use crate::fixture::{Place, attempt, insert, issued, number, outcome, run};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_clock_set_back_while_the_process_is_down_revives_nothing() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    place.clock.advance(6 * MINUTE);
    let late = attempt(&store, challenge.id, None).await.unwrap();
    assert_eq!(
        outcome(&late),
        Some(AttemptOutcome::Refused(Refusal::Expired))
    );
    drop(store);

    place.clock.step_back(5 * MINUTE);
    let store = place.open().await;
    for refused in [
        attempt(&store, challenge.id, None).await.map(drop),
        store
            .consume(kit::consume(&challenge, None))
            .await
            .map(drop),
        store.find(&challenge.id).await.map(drop),
        store.ping().await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::ClockAnomaly);
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn every_process_takes_part_in_a_pardon_without_a_restart() {
    let place = Place::new().await;
    let (store, other) = (place.open().await, place.open().await);
    let challenge = issued(&store, "ann").await;
    place.clock.advance(60 * MINUTE);
    let future = issued(&store, "bob").await;
    assert!(
        other.ping().await.is_ok(),
        "the other has seen the leap too"
    );
    place.clock.step_back(58 * MINUTE);
    for process in [&store, &other] {
        let stopped = process.ping().await.unwrap_err();
        assert_eq!(stopped.kind(), StoreErrorKind::ClockAnomaly);
    }

    let action = kit::event(EventKind::OperatorAction);
    assert_eq!(store.forgive_clock(action).await.unwrap(), 2);
    for process in [&store, &other] {
        assert_eq!(process.ping().await.unwrap(), place.clock.now());
        for old in [&challenge, &future] {
            let lost = process.consume(kit::consume(old, None)).await.unwrap();
            assert_eq!(lost, ConsumeOutcome::Lost(Refusal::Revoked));
        }
        let fresh = issued(process, "ann").await;
        let won = process.consume(kit::consume(&fresh, None)).await.unwrap();
        assert_eq!(won, ConsumeOutcome::Won);
    }
    let records = store.outbox(None, 100).await.unwrap();
    let mut reasons = records
        .iter()
        .filter_map(|entry| entry.event.reason.as_deref());
    assert!(reasons.any(|reason| reason == "revoked:2"));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn time_is_noted_about_once_a_second_and_known_to_the_process_in_between() {
    let place = Place::new().await;
    let store = place.open().await;
    store.ping().await.unwrap();
    let mut raw = place.raw().await;
    let noted = "SELECT seen_ms FROM otp_clock";
    let start = number(&mut raw, noted).await;
    place.clock.advance(Duration::from_millis(999));
    issued_without_ping(&store, &place.clock).await;
    assert_eq!(number(&mut raw, noted).await, start);
    place.clock.step_back(Duration::from_millis(5_001));
    let before = store
        .find(&kit::challenge("ann", Timestamp::UNIX_EPOCH).id)
        .await;
    assert_eq!(before.unwrap_err().kind(), StoreErrorKind::ClockAnomaly);
    place.clock.advance(Duration::from_millis(5_002));
    issued_without_ping(&store, &place.clock).await;
    assert_eq!(number(&mut raw, noted).await, start + 1_000);
}

async fn issued_without_ping(store: &PostgresStore, clock: &ManualClock) {
    let challenge = kit::challenge("ann", clock.now());
    insert(store, &challenge).await.expect("room");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_writer_that_keeps_the_mark_does_not_stop_the_others() {
    let place = Place::new().await;
    let store = place.open().await;
    let mut raw = place.raw().await;
    run(&mut raw, "BEGIN; SELECT * FROM otp_clock FOR UPDATE").await;
    place.clock.advance(MINUTE);
    issued(&store, "ann").await;
    run(&mut raw, "COMMIT").await;
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn the_servers_clock_decides_where_no_other_is_given() {
    let place = Place::migrated().await;
    let store = place
        .open_with(1, &[("timezone", "America/New_York")])
        .await;
    let told = store.ping().await.unwrap().as_millis();
    let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let server = number(&mut place.raw().await, sql).await;
    assert!((0..5_000).contains(&(server - told)), "{told} and {server}");
    let challenge = issued(&store, "ann").await;
    let found = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!(found.expires_at, challenge.expires_at, "in any time zone");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn times_keep_every_millisecond_and_far_ones_stop_at_the_ends_of_the_calendar() {
    const EARLIEST: i64 = -62_135_596_800_000;
    const LATEST: i64 = 253_402_300_799_999;
    let place = Place::new().await;
    let store = place.open().await;
    let now = store.ping().await.unwrap().as_millis();
    for (put, kept) in [
        (now + 1, now + 1),
        (-1, -1),
        (9_007_199_254_741_001, LATEST),
        (LATEST, LATEST),
        (LATEST - 1, LATEST - 1),
        (EARLIEST + 1, EARLIEST + 1),
        (i64::MAX, LATEST),
        (i64::MIN, EARLIEST),
    ] {
        let mut challenge = kit::challenge("ann", Timestamp::from_millis(now));
        challenge.next_send_at = Timestamp::from_millis(put);
        challenge.expires_at = Timestamp::from_millis(put);
        insert(&store, &challenge).await.unwrap();
        let found = store.find(&challenge.id).await.unwrap().unwrap();
        assert_eq!(found.next_send_at.as_millis(), kept);
        assert_eq!(found.expires_at.as_millis(), kept);
    }
    let block = Block::new(BlockKind::Device, "device-1").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    let forever = Some(Duration::MAX);
    store
        .block(&block, "", "ops", forever, event)
        .await
        .unwrap();
    assert_eq!(
        store.blocks(1).await.unwrap()[0].expires_at,
        Some(Timestamp::from_millis(LATEST))
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_clock_at_the_end_of_time_is_no_panic() {
    let place = Place::migrated().await;
    for far in [Timestamp::MIN, Timestamp::MAX] {
        let clock = ManualClock::new(far);
        let options = place.options().clock(Arc::new(clock));
        let store = PostgresStore::with_options(options).await.unwrap();
        let challenge = kit::challenge("ann", far);
        let _ = insert(&store, &challenge).await;
        let plan = kit::issue_plan(&challenge);
        let answered = store.admit(&plan).await.map_err(|error| error.kind());
        assert!(
            answered.is_ok()
                || answered
                    .as_ref()
                    .is_err_and(|kind| *kind == StoreErrorKind::ClockAnomaly),
            "{answered:?}"
        );
    }
}
