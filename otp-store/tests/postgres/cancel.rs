use std::time::Duration;

use otp_core::store::{ChallengeStore as _, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use otp_store::postgres::PostgresOptions;
use sqlx::postgres::PgConnection;
use tokio::time::{Instant, timeout};

use crate::fixture::{Place, attempt, issued, number, rows, run};

/// Waits until no connection of the place is in the middle of a transaction.
async fn settled(raw: &mut PgConnection, place: &Place) {
    let open = format!(
        "SELECT COUNT(*) FROM pg_stat_activity
         WHERE application_name = '{}' AND (xact_start IS NOT NULL OR state LIKE 'idle in%')",
        place.schema
    );
    let until = Instant::now() + Duration::from_secs(20);
    while number(raw, &open).await > 0 {
        assert!(Instant::now() < until, "a transaction was left open");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn callers_who_leave_at_any_moment_leave_every_connection_usable() {
    for (connections, level) in [(1, "read committed"), (2, "serializable")] {
        let place = Place::migrated().await;
        let settings = [("default_transaction_isolation", level)];
        let store = place.open_with(connections, &settings).await;
        let mut raw = place.raw().await;
        for turn in 0..200_u64 {
            let challenge = issued(&store, &format!("subject-{turn}")).await;
            let waits = Duration::from_micros(turn * 37 % 2_500);
            let _ = timeout(waits, attempt(&store, challenge.id, Some("t1"))).await;
            let _ = timeout(waits, store.find(&challenge.id)).await;
            let _ = timeout(waits, store.consume(kit::consume(&challenge, None))).await;
            settled(&mut raw, &place).await;
            let found = store.find(&challenge.id).await.expect("the next one works");
            assert_eq!(found.expect("it is there").subject, challenge.subject);
        }
        let halves = "SELECT COUNT(*) FROM auth_challenges AS c WHERE attempts <>
                (SELECT COUNT(*) FROM challenge_attempt_log WHERE challenge_id = c.id)";
        assert_eq!(number(&mut raw, halves).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_call_that_takes_too_long_is_an_outage_and_its_connection_is_not_used_again() {
    let place = Place::migrated().await;
    let options = PostgresOptions::pool(place.pool(1, &[])).deadline(Duration::from_millis(300));
    let store = PostgresStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    let mut raw = place.raw().await;
    let ours = format!(
        "SELECT pid FROM pg_stat_activity WHERE application_name = '{}'",
        place.schema
    );
    let pid = |row: &sqlx::postgres::PgRow| sqlx::Row::get::<i32, _>(row, 0);
    let before: Vec<i32> = rows(&mut raw, &ours).await.iter().map(pid).collect();

    run(
        &mut raw,
        "BEGIN; LOCK TABLE auth_challenges IN ACCESS EXCLUSIVE MODE",
    )
    .await;
    let late = store.find(&challenge.id).await.unwrap_err();
    assert_eq!(late.kind(), StoreErrorKind::Unavailable);
    run(&mut raw, "COMMIT").await;

    assert!(store.find(&challenge.id).await.unwrap().is_some());
    let after: Vec<i32> = rows(&mut raw, &ours).await.iter().map(pid).collect();
    assert_eq!(before.len(), 1);
    assert!(after.iter().any(|pid| !before.contains(pid)), "a fresh one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_call_that_its_caller_gave_up_does_not_wait_on_in_the_server_for_ever() {
    let place = Place::migrated().await;
    let options = PostgresOptions::pool(place.pool(1, &[])).deadline(Duration::from_millis(300));
    let store = PostgresStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    let mut raw = place.raw().await;
    run(&mut raw, "BEGIN; SELECT id FROM auth_challenges FOR UPDATE").await;
    let late = attempt(&store, challenge.id, None).await.unwrap_err();
    assert_eq!(late.kind(), StoreErrorKind::Unavailable);
    // The lock is still held: only the server's own limit can end the wait.
    settled(&mut place.raw().await, &place).await;
    run(&mut raw, "ROLLBACK").await;
    let attempts = "SELECT attempts FROM auth_challenges";
    assert_eq!(number(&mut raw, attempts).await, 0);
}
