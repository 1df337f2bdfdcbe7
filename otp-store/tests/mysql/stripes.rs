//! The rows that are locked: nothing is decided where one is missing.

use std::error::Error as _;

use otp_core::challenge::ConsumeOutcome;
use otp_core::event::EventKind;
use otp_core::store::{AuditStore as _, ChallengeStore as _, StoreError, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;
use otp_store::mysql::{MysqlOptions, Tables};
use tokio::task::JoinSet;

use crate::fixture::{Place, issued, number, say};

fn cause(error: &StoreError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn where_lock_rows_are_missing_a_race_has_no_winner_at_all() {
    let place = Place::new().await;
    let instances = [place.patient().await, place.patient().await];
    let mut challenges = Vec::new();
    for round in 0..20 {
        challenges.push(issued(&instances[0], &format!("ann{round}")).await);
    }
    say(&mut place.raw().await, "DELETE FROM otp_locks").await;
    for challenge in &challenges {
        let mut race = JoinSet::new();
        for index in 0..8 {
            let store = instances[index % 2].clone();
            let consume = kit::consume(challenge, None);
            race.spawn(async move { store.consume(consume).await });
        }
        for outcome in race.join_all().await {
            let refused = outcome.expect_err("nobody may decide");
            assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
            assert!(cause(&refused).contains("migrations"), "{refused:?}");
        }
    }
    let kept = "SELECT COUNT(*) FROM auth_challenges WHERE state <> 'live'";
    assert_eq!(number(&mut place.raw().await, kept).await, 0);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_record_whose_lock_row_is_missing_is_not_lost_in_silence() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    say(
        &mut place.raw().await,
        "DELETE FROM otp_locks WHERE id = 1024",
    )
    .await;
    for refused in [
        store.append(kit::event(EventKind::CodeSent)).await,
        store
            .consume(kit::consume(&challenge, None))
            .await
            .map(drop),
        store.outbox(None, 10).await.map(drop),
        store.acknowledge(1).await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
    let won = "SELECT COUNT(*) FROM auth_challenges WHERE state = 'consumed'";
    assert_eq!(number(&mut place.raw().await, won).await, 0);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_migration_puts_lock_rows_back_that_somebody_has_deleted() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let mut raw = place.raw().await;
    say(&mut raw, "DELETE FROM otp_locks WHERE id % 3 = 1").await;
    let pool = place.pool("DO 0").await;
    let expecting = MysqlOptions::pool(pool.clone()).tables(Tables::Expect);
    let refused = MysqlStore::with_options(expecting).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    MysqlStore::migrate(&pool).await.unwrap();
    let rows = "SELECT COUNT(*) FROM otp_locks WHERE id BETWEEN 0 AND 1024";
    assert_eq!(number(&mut raw, rows).await, 1_025);
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
}
