use std::time::Duration;

use otp_core::challenge::ConsumeOutcome;
use otp_core::store::{ChallengeStore as _, StoreErrorKind};
use otp_store::SqliteStore;

use crate::fixture::{Place, consume, issued, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_writer_makes_an_outage_in_time_and_no_more_than_that() {
    let place = Place::new();
    let options = place
        .options()
        .busy_timeout(Duration::from_millis(300))
        .deadline(Duration::from_millis(600));
    let store = SqliteStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    let mut foreign = place.raw().await;
    run(&mut foreign, "BEGIN IMMEDIATE").await;

    let refused = tokio::time::timeout(
        Duration::from_secs(5),
        store.consume(consume(&challenge, Some("t1"))),
    )
    .await
    .expect("an answer in time");
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert!(
        store.find(&challenge.id).await.unwrap().is_some(),
        "readers go on"
    );
    let sign = store.ping().await.unwrap_err();
    assert_eq!(
        sign.kind(),
        StoreErrorKind::Unavailable,
        "the sign of life is of one that decides"
    );

    run(&mut foreign, "ROLLBACK").await;
    let again = store
        .consume(consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert!(
        matches!(again, ConsumeOutcome::Won | ConsumeOutcome::WonBefore),
        "whether it was carried out was not known, and the same try hears it: {again:?}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_an_outage_whose_error_names_no_path() {
    let place = Place::new();
    let missing = place.path().join("no").join("such-folder");
    let refused = SqliteStore::open(&missing).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let told = format!("{refused} {refused:?}");
    assert!(!told.contains("such-folder"), "{told}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt() {
    let place = Place::new();
    std::fs::write(
        place.path(),
        "not a database, by any means at all".repeat(100),
    )
    .unwrap();
    let refused = SqliteStore::open(place.path()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_challenge_that_is_put_twice_is_refused_and_the_first_one_stays() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let twice = otp_core::store::Insert {
        challenge: challenge.clone(),
        delivery: None,
        event: crate::fixture::event(otp_core::event::EventKind::ChallengeIssued, "ann"),
    };
    let refused = store.insert(twice).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let kept = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!(
        kept.state,
        otp_core::challenge::ChallengeState::Live,
        "the supersession was undone"
    );
}

#[tokio::test]
async fn a_wait_for_ever_is_a_long_wait_and_no_panic() {
    let place = Place::new();
    let options = place.options();
    let options = options.deadline(Duration::MAX).busy_timeout(Duration::MAX);
    let store = SqliteStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    assert!(store.find(&challenge.id).await.unwrap().is_some());
}
