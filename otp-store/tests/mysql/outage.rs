use std::time::Duration;

use otp_core::challenge::ConsumeOutcome;
use otp_core::store::{ChallengeStore as _, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;
use otp_store::mysql::MysqlOptions;

use crate::fixture::{Place, issued, say};

#[tokio::test]
async fn a_server_that_is_not_there_is_an_outage_whose_error_names_no_address() {
    let options = MysqlOptions::new("mysql://otp:hunter2@127.0.0.1:1/codes")
        .deadline(Duration::from_millis(500));
    let refused = MysqlStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(
        cause,
        "no connection in time: the pool is used up, or the server takes none"
    );
    let told = format!("{refused} {refused:?}");
    assert!(
        !told.contains("127.0.0.1") && !told.contains("hunter2"),
        "{told}"
    );
}

#[tokio::test]
async fn a_url_that_is_none_is_refused_without_a_word_of_it() {
    for url in ["hunter2", "mysql://otp:hunter2@host:port/x"] {
        let refused = MysqlStore::connect(url).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid);
        let told = format!("{refused} {refused:?}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_foreign_lock_makes_an_outage_in_time_and_no_more_than_that() {
    let place = Place::new().await;
    let options = place.options().deadline(Duration::from_millis(600));
    let store = MysqlStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    let mut foreign = place.raw().await;
    say(
        &mut foreign,
        "BEGIN; SELECT id FROM otp_locks WHERE id < 1024 FOR UPDATE",
    )
    .await;

    let consume = store.consume(kit::consume(&challenge, Some("t1")));
    let refused = tokio::time::timeout(Duration::from_secs(5), consume)
        .await
        .expect("an answer in time");
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(std::error::Error::source(&refused).is_some(), "it says why");
    assert!(
        store.find(&challenge.id).await.unwrap().is_some(),
        "readers go on"
    );

    say(&mut foreign, "ROLLBACK").await;
    let again = store.consume(kit::consume(&challenge, Some("t1"))).await;
    let again = again.unwrap();
    assert!(
        matches!(again, ConsumeOutcome::Won | ConsumeOutcome::WonBefore),
        "whether it was carried out was not known, and the same try hears it: {again:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn connections_that_are_killed_are_an_outage_of_those_who_had_them() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let mut foreign = place.raw().await;
    let kill = format!(
        "BEGIN NOT ATOMIC
            FOR other IN (SELECT id FROM information_schema.processlist
                WHERE db = '{}' AND id <> CONNECTION_ID()) DO
                EXECUTE IMMEDIATE CONCAT('KILL ', other.id);
            END FOR;
        END",
        place.name
    );
    say(&mut foreign, &kill).await;
    let mut answer = store.find(&challenge.id).await;
    for _ in 0..4 {
        if answer.is_ok() {
            break;
        }
        answer = store.find(&challenge.id).await;
    }
    assert!(
        answer.unwrap().is_some(),
        "new connections take their place"
    );
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_table_that_was_dropped_is_corrupt_and_decides_nothing() {
    let place = Place::new().await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    say(&mut place.raw().await, "DROP TABLE guess_budgets").await;
    let refused = store.consume(kit::consume(&challenge, None)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "mysql answered with code 1146");
    let found = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!(found.state, challenge.state, "the success was undone");
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_wait_for_ever_is_a_long_wait_and_no_panic() {
    let place = Place::new().await;
    let options = place.options().deadline(Duration::MAX);
    let store = MysqlStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    assert!(store.find(&challenge.id).await.unwrap().is_some());
}
