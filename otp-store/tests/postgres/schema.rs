use std::error::Error as _;

use otp_core::store::{ChallengeStore as _, StoreError, StoreErrorKind};
use otp_store::PostgresStore;
use otp_store::postgres::{PostgresOptions, Tables};

use crate::fixture::{Place, issued, number, run};

fn migrations() -> i64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    let files = std::fs::read_dir(folder).expect("the migrations");
    i64::try_from(files.count()).expect("a few")
}

fn cause(error: &StoreError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn migrating_again_changes_nothing() {
    let place = Place::migrated().await;
    let store = place.open_with(1, &[]).await;
    let challenge = issued(&store, "ann").await;
    let pool = place.pool(1, &[]);
    PostgresStore::migrate(&pool).await.unwrap();
    assert!(store.find(&challenge.id).await.unwrap().is_some());
    let noted = "SELECT COUNT(*) FROM _otp_kit_migrations";
    assert_eq!(number(&mut place.raw().await, noted).await, migrations());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn of_many_who_open_a_fresh_schema_at_once_one_migrates_and_all_work() {
    let place = Place::new().await;
    let opened: Vec<_> = (0..8)
        .map(|_| tokio::spawn(PostgresStore::with_options(place.options())))
        .collect();
    for store in opened {
        let store = store.await.unwrap().expect("every one opens");
        assert!(store.ping().await.is_ok());
    }
    let noted = "SELECT COUNT(*) FROM _otp_kit_migrations";
    assert_eq!(number(&mut place.raw().await, noted).await, migrations());
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_hosts_pool_without_tables_is_refused_and_not_touched() {
    let place = Place::new().await;
    let options = PostgresOptions::pool(place.pool(1, &[]));
    let refused = PostgresStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        cause(&refused),
        "the tables are missing or of an older version of this library: migrate first"
    );
    let tables = format!(
        "SELECT COUNT(*) FROM pg_tables WHERE schemaname = '{}'",
        place.schema
    );
    assert_eq!(number(&mut place.raw().await, &tables).await, 0);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn what_a_later_library_adds_is_left_alone_and_its_next_major_is_refused() {
    let place = Place::migrated().await;
    let mut raw = place.raw().await;
    let noted = |version: i64| {
        format!(
            "INSERT INTO _otp_kit_migrations (version, description, success, checksum,
             execution_time) VALUES ({version}, 'from the future', true, '', 0)"
        )
    };
    run(&mut raw, &noted(999)).await;
    let store = PostgresStore::with_options(place.options()).await.unwrap();
    issued(&store, "ann").await;
    run(&mut raw, &noted(1_000)).await;
    for tables in [Tables::Migrate, Tables::Expect] {
        let options = place.options().tables(tables);
        let refused = PostgresStore::with_options(options).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
        let newer = "the tables are of a newer version of this library";
        assert_eq!(cause(&refused), newer);
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn tables_that_somebody_changed_under_the_same_number_are_refused() {
    let place = Place::migrated().await;
    let changed = "UPDATE _otp_kit_migrations SET checksum = '' WHERE version = 7";
    run(&mut place.raw().await, changed).await;
    let refused = PostgresStore::with_options(place.options())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn tables_are_found_where_they_are_and_not_made_twice() {
    let place = Place::migrated().await;
    let front = Place::new().await;
    let path = format!("{},{}", front.schema, place.schema);
    let store = place.open_with(1, &[]).await;
    let challenge = issued(&store, "ann").await;
    let options = PostgresOptions::pool(place.pool(1, &[("search_path", path.as_str())]));
    let beside = PostgresStore::with_options(options.tables(Tables::Migrate))
        .await
        .unwrap();
    assert!(beside.find(&challenge.id).await.unwrap().is_some());
    let tables = format!(
        "SELECT COUNT(*) FROM pg_tables WHERE schemaname = '{}'",
        front.schema
    );
    assert_eq!(number(&mut place.raw().await, &tables).await, 0);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn the_hosts_own_migrations_in_the_same_schema_do_not_collide() {
    let place = Place::new().await;
    let mut raw = place.raw().await;
    run(&mut raw, "CREATE TABLE _sqlx_migrations (version bigint)").await;
    run(&mut raw, "INSERT INTO _sqlx_migrations VALUES (20260101)").await;
    assert!(place.open().await.ping().await.is_ok());
    assert_eq!(
        number(&mut raw, "SELECT COUNT(*) FROM _sqlx_migrations").await,
        1
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn rows_that_say_what_cannot_be_are_refused_by_the_tables() {
    let place = Place::migrated().await;
    let store = place.open_with(1, &[]).await;
    issued(&store, "ann").await;
    let mut raw = place.raw().await;
    for change in [
        "state = 'open'",
        "attempts = -1",
        "state = 'consumed'",
        "attempt_limit = 4294967296",
    ] {
        let sql = format!("UPDATE auth_challenges SET {change}");
        let done = sqlx::Executor::execute(&mut raw, sqlx::AssertSqlSafe(sql)).await;
        assert!(done.is_err(), "{change}");
    }
}
