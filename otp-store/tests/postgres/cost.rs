use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::event::EventKind;
use otp_core::request::Tenant;
use otp_core::store::{
    ChallengeStore as _, Granted, PolicyDocument, PolicyStore as _, Published, StatKey, StatName,
    StatWindow, StatsStore as _,
};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use otp_store::postgres::{PostgresOptions, Tables};
use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

use crate::fixture::{Place, attempt, insert, issued, number, outcome, run};

/// Counts what clients sent to a database since it was made; what functions do by themselves is
/// none of it, what begins and ends transactions is.
async fn sent(raw: &mut PgConnection) -> i64 {
    let sql = "SELECT COALESCE(SUM(calls), 0)::bigint FROM pg_stat_statements
        WHERE toplevel AND query NOT LIKE '%pg_stat_statements%'
            AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    number(raw, sql).await
}

/// A database of its own, whose statements are counted.
struct Metered {
    store: PostgresStore,
    raw: PgConnection,
    pool: PgPool,
    server: PgConnection,
    database: String,
    _place: Place,
}

impl Metered {
    async fn new() -> Self {
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
        let store = PostgresStore::with_options(opened).await;
        Self {
            store: store.expect("a store"),
            raw,
            pool,
            server,
            database,
            _place: place,
        }
    }

    async fn over(mut self) {
        self.pool.close().await;
        self.raw.close().await.expect("closed");
        run(
            &mut self.server,
            &format!("DROP DATABASE {}", self.database),
        )
        .await;
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL that preloads pg_stat_statements: set TEST_POSTGRES_URL (./test.sh does)"]
async fn issuing_and_verifying_take_two_statements_each() {
    let mut metered = Metered::new().await;
    let (store, raw) = (&metered.store, &mut metered.raw);
    issued(store, "warm").await;
    let now = store.ping().await.unwrap();

    let before = sent(raw).await;
    let challenge = kit::challenge("ann", now);
    let mut plan = kit::keyed_issue_plan(&challenge, "request-1", 1);
    plan.quotas = vec![
        kit::window("ann", 5, kit::LIFE),
        kit::rate("ann", 5, kit::LIFE),
    ];
    let admission = store.admit(&plan).await.unwrap();
    assert!(matches!(admission.granted, Some(Granted::Issue)));
    insert(store, &challenge).await.unwrap();
    let issuing = sent(raw).await - before;
    assert_eq!(issuing, 2, "issuing");

    let admission = attempt(store, challenge.id, Some("t1")).await.unwrap();
    assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
    let won = store
        .consume(kit::consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    assert_eq!(sent(raw).await - before - issuing, 2, "verifying");

    metered.over().await;
}

#[tokio::test]
#[ignore = "needs a PostgreSQL that preloads pg_stat_statements: set TEST_POSTGRES_URL (./test.sh does)"]
async fn counts_and_the_policy_take_one_statement_each() {
    let mut metered = Metered::new().await;
    let (store, raw) = (&metered.store, &mut metered.raw);
    let tenant = Tenant::default();
    let keys = ["GB", "DE", "FR"].map(|value| {
        let key = StatKey::new(StatName::SENT, &tenant, value);
        key.expect("a key")
    });
    let document = PolicyDocument::new("limits", "ann", "because").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    let mut before = sent(raw).await;
    for call in ["count", "sums", "top", "publish", "current", "version"] {
        match call {
            "count" => {
                let counts: Vec<_> = keys.iter().cloned().zip(1..).collect();
                store.count(&counts).await.unwrap();
            }
            "sums" => {
                let sums = store.sums(&keys, StatWindow::WEEK).await.unwrap();
                assert_eq!(sums, [1, 2, 3]);
            }
            "top" => {
                let top = store.top(StatName::SENT, &tenant, StatWindow::HOUR, 1);
                assert_eq!(top.await.unwrap(), [("FR".to_owned(), 3)]);
            }
            "publish" => {
                let published = store.publish(None, document.clone(), event.clone());
                assert_eq!(published.await.unwrap(), Published::As(1));
            }
            "current" => assert!(store.current().await.unwrap().is_some()),
            _ => assert_eq!(store.version().await.unwrap(), 1),
        }
        let after = sent(raw).await;
        assert_eq!(after - before, 1, "{call}");
        before = after;
    }
    metered.over().await;
}
