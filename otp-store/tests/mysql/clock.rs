use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome, Refusal};
use otp_core::clock::{Clock as _, ManualClock, SystemClock};
use otp_core::event::EventKind;
use otp_core::store::{AuditStore as _, ChallengeStore as _, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;
use otp_store::mysql::{MysqlOptions, Tables};

use crate::fixture::{MINUTE, Place, attempt, issued, outcome};

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn the_time_is_the_servers_whatever_a_sessions_time_zone_says() {
    let place = Place::new().await;
    for zone in ["SET time_zone = '+09:00'", "SET time_zone = '-07:00'"] {
        let pool = place.pool(zone).await;
        let store =
            MysqlStore::with_options(MysqlOptions::pool(pool).tables(Tables::Migrate)).await;
        let store = store.unwrap();
        let told = store.ping().await.unwrap();
        let here = SystemClock.now();
        assert!(told.since(here).max(here.since(told)) < MINUTE, "{zone}");
        let challenge = issued(&store, "ann").await;
        let tried = attempt(&store, &challenge, None).await.unwrap();
        assert_eq!(outcome(&tried), Some(AttemptOutcome::Reserved), "{zone}");
        let found = store.find(&challenge.id).await.unwrap().unwrap();
        assert_eq!(found.expires_at, challenge.expires_at, "{zone}");
    }
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_clock_set_back_while_the_process_is_down_revives_nothing() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    place.clock.advance(6 * MINUTE);
    let late = attempt(&store, &challenge, None).await.unwrap();
    assert_eq!(
        outcome(&late),
        Some(AttemptOutcome::Refused(Refusal::Expired))
    );
    drop(store);

    place.clock.step_back(5 * MINUTE);
    let store = place.open().await;
    for refused in [
        attempt(&store, &challenge, None).await.map(drop),
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
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_clock_that_another_process_has_seen_ahead_is_noticed_here() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let ahead = ManualClock::new(place.clock.now().saturating_add(60 * MINUTE));
    let other = MysqlStore::with_options(place.options().clock(Arc::new(ahead)))
        .await
        .unwrap();
    issued(&other, "bob").await;
    let refused = store
        .consume(kit::consume(&challenge, None))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ClockAnomaly);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_small_correction_of_the_clock_is_no_outage() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    drop(store);
    place.clock.step_back(Duration::from_secs(4));
    let store = place.open().await;
    let won = store.consume(kit::consume(&challenge, None)).await;
    assert_eq!(won.unwrap(), ConsumeOutcome::Won);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn forgiving_the_clock_revokes_every_live_challenge_first() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    place.clock.advance(60 * MINUTE);
    let future = issued(&store, "bob").await;
    place.clock.step_back(58 * MINUTE);
    assert!(store.ping().await.is_err());

    let action = kit::event(EventKind::OperatorAction);
    assert_eq!(store.forgive_clock(action).await.unwrap(), 2);
    for old in [&challenge, &future] {
        let lost = store.consume(kit::consume(old, None)).await.unwrap();
        assert_eq!(lost, ConsumeOutcome::Lost(Refusal::Revoked));
    }
    let records = store.outbox(None, 100).await.unwrap();
    let reasons = records
        .iter()
        .filter_map(|entry| entry.event.reason.as_deref());
    assert!(reasons.into_iter().any(|reason| reason == "revoked:2"));

    drop(store);
    let store = place.open().await;
    let fresh = issued(&store, "ann").await;
    let won = store.consume(kit::consume(&fresh, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn whoever_is_busy_meanwhile_does_not_bring_a_forgiven_leap_back() {
    let place = Place::new().await;
    let store = place.open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..6)
        .map(|index| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let claims = [kit::rate(&format!("key-{index}"), 1_000, MINUTE)];
                while !stop.load(Ordering::Relaxed) {
                    let _ = store.ping().await;
                    let _ = otp_core::store::QuotaStore::check_all(&store, &claims).await;
                }
            })
        })
        .collect();
    for _ in 0..20 {
        place.clock.advance(60 * MINUTE);
        issued(&store, "ann").await;
        place.clock.step_back(60 * MINUTE);
        let action = kit::event(EventKind::OperatorAction);
        store.forgive_clock(action).await.unwrap();
        assert!(store.ping().await.is_ok());
        issued(&store, "bob").await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in busy {
        task.await.unwrap();
    }
}
