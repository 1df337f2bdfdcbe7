use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome, Refusal};
use otp_core::event::EventKind;
use otp_core::store::{AuditStore as _, ChallengeStore as _, StoreErrorKind};

use crate::fixture::{MINUTE, Place, attempt, consume, event, issued, outcome};

#[tokio::test]
async fn a_clock_set_back_while_the_process_is_down_revives_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    place.clock.advance(6 * MINUTE);
    let late = attempt(&store, &challenge, None).await.unwrap();
    assert_eq!(outcome(&late), AttemptOutcome::Refused(Refusal::Expired));
    drop(store);

    place.clock.step_back(5 * MINUTE);
    let store = place.open().await;
    for refused in [
        attempt(&store, &challenge, None).await.map(drop),
        store.consume(consume(&challenge, None)).await.map(drop),
        store.find(&challenge.id).await.map(drop),
        store.ping().await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::ClockAnomaly);
    }
}

#[tokio::test]
async fn a_clock_that_another_process_has_seen_ahead_is_noticed_here() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let other = Place::new();
    other
        .clock
        .set(otp_core::clock::Clock::now(&place.clock).saturating_add(60 * MINUTE));
    let options =
        otp_store::sqlite::SqliteOptions::file(place.path()).clock(Arc::new(other.clock.clone()));
    let ahead = otp_store::SqliteStore::with_options(options).await.unwrap();
    issued(&ahead, "bob").await;
    let refused = store.consume(consume(&challenge, None)).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ClockAnomaly);
}

#[tokio::test]
async fn a_small_correction_of_the_clock_is_no_outage() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    drop(store);
    place.clock.step_back(Duration::from_secs(4));
    let won = place.open().await.consume(consume(&challenge, None)).await;
    assert_eq!(won.unwrap(), ConsumeOutcome::Won);
}

#[tokio::test]
async fn forgiving_the_clock_revokes_every_live_challenge_first() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    place.clock.advance(60 * MINUTE);
    let future = issued(&store, "bob").await;
    place.clock.step_back(58 * MINUTE);
    assert!(store.ping().await.is_err());

    let action = event(EventKind::OperatorAction, "ann");
    assert_eq!(store.forgive_clock(action).await.unwrap(), 2);
    for old in [&challenge, &future] {
        let lost = store.consume(consume(old, None)).await.unwrap();
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
    assert_eq!(
        store.consume(consume(&fresh, None)).await.unwrap(),
        ConsumeOutcome::Won
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_that_looks_on_does_not_bring_a_forgiven_leap_back() {
    let place = Place::new();
    let store = place.open().await;
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let _ = store.ping().await;
                }
            })
        })
        .collect();
    for _ in 0..50 {
        place.clock.advance(60 * MINUTE);
        issued(&store, "ann").await;
        place.clock.step_back(60 * MINUTE);
        let action = event(EventKind::OperatorAction, "ann");
        store.forgive_clock(action).await.unwrap();
        assert!(store.ping().await.is_ok());
        issued(&store, "bob").await;
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}
