use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::store::{ChallengeStore as _, Granted};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use otp_store::postgres::{PostgresOptions, Tables};
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::fixture::{Place, attempt, insert, issued, number, outcome, run};

/// Counts what clients sent to a database since it was made; what functions do by themselves is
/// none of it, what begins and ends transactions is.
async fn sent(raw: &mut PgConnection) -> i64 {
    let sql = "SELECT COALESCE(SUM(calls), 0)::bigint FROM pg_stat_statements
        WHERE toplevel AND query NOT LIKE '%pg_stat_statements%'
            AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    number(raw, sql).await
}

#[tokio::test]
#[ignore = "needs a PostgreSQL that preloads pg_stat_statements: set TEST_POSTGRES_URL (./test.sh does)"]
async fn issuing_and_verifying_take_two_statements_each() {
    let place = Place::new().await;
    let database = place.schema.clone();
    let mut server = place.raw().await;
    run(&mut server, &format!("CREATE DATABASE {database}")).await;
    let options = place.connect_options(&[("search_path", "public")]);
    let options = options.database(&database);
    let mut raw = options.connect().await.expect("a connection");
    run(&mut raw, "CREATE EXTENSION pg_stat_statements").await;
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .connect_lazy_with(options);
    let opened = PostgresOptions::pool(pool.clone()).tables(Tables::Migrate);
    let store = PostgresStore::with_options(opened).await.unwrap();
    issued(&store, "warm").await;
    let now = store.ping().await.unwrap();

    let before = sent(&mut raw).await;
    let challenge = kit::challenge("ann", now);
    let mut plan = kit::keyed_issue_plan(&challenge, "request-1", 1);
    plan.quotas = vec![
        kit::window("ann", 5, kit::LIFE),
        kit::rate("ann", 5, kit::LIFE),
    ];
    let admission = store.admit(&plan).await.unwrap();
    assert!(matches!(admission.granted, Some(Granted::Issue)));
    insert(&store, &challenge).await.unwrap();
    let issuing = sent(&mut raw).await - before;
    assert_eq!(issuing, 2, "issuing");

    let admission = attempt(&store, challenge.id, Some("t1")).await.unwrap();
    assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
    let won = store
        .consume(kit::consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    assert_eq!(sent(&mut raw).await - before - issuing, 2, "verifying");

    pool.close().await;
    raw.close().await.expect("closed");
    run(&mut server, &format!("DROP DATABASE {database}")).await;
}
