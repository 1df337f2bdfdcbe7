use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge, ChallengeId};
use otp_core::clock::ManualClock;
use otp_core::event::EventKind;
use otp_core::random::{OsRandom, SecureRandom as _};
use otp_core::store::{
    Admission, BudgetStore as _, ChallengeStore as _, Granted, Insert, StoreError, Target,
};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use otp_store::postgres::{PostgresOptions, Tables};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgPool, Row as _};

/// A schema of a server for one test, and its clock. It is dropped with what is in it.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    pub(crate) schema: String,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let mut bytes = [0_u8; 8];
        OsRandom.fill(&mut bytes).expect("randomness");
        let schema = format!("otp_{:016x}", u64::from_be_bytes(bytes));
        run(&mut server().await, &format!("CREATE SCHEMA {schema}")).await;
        Self {
            clock: ManualClock::default(),
            schema,
        }
    }

    /// A fresh schema with the tables in it.
    pub(crate) async fn migrated() -> Self {
        let place = Self::new().await;
        let pool = place.pool(1, &[]);
        PostgresStore::migrate(&pool).await.expect("it migrates");
        pool.close().await;
        place
    }

    /// The URL of the server and the schema.
    pub(crate) fn url(&self) -> String {
        let server = std::env::var("TEST_POSTGRES_URL").expect("a server for tests");
        let mark = if server.contains('?') { '&' } else { '?' };
        format!("{server}{mark}options=-c%20search_path%3D{}", self.schema)
    }

    pub(crate) fn connect_options(&self, settings: &[(&str, &str)]) -> PgConnectOptions {
        let settings = settings.iter().copied();
        url()
            .options([("search_path", self.schema.as_str())])
            .options(settings)
            .application_name(&self.schema)
            .disable_statement_logging()
    }

    /// A host's pool whose connections have these settings.
    pub(crate) fn pool(&self, connections: u32, settings: &[(&str, &str)]) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(60))
            .connect_lazy_with(self.connect_options(settings))
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::pool(self.pool(4, &[]))
            .deadline(Duration::from_secs(60))
            .tables(Tables::Migrate)
    }

    /// A store that reads the place's clock.
    pub(crate) async fn open(&self) -> PostgresStore {
        let options = self.options().clock(Arc::new(self.clock.clone()));
        PostgresStore::with_options(options)
            .await
            .expect("it opens")
    }

    /// A store that reads the server's clock, over connections with these settings.
    pub(crate) async fn open_with(
        &self,
        connections: u32,
        settings: &[(&str, &str)],
    ) -> PostgresStore {
        let options = PostgresOptions::pool(self.pool(connections, settings))
            .deadline(Duration::from_secs(60));
        PostgresStore::with_options(options)
            .await
            .expect("it opens")
    }

    /// Somebody else's connection to the same schema.
    pub(crate) async fn raw(&self) -> PgConnection {
        let options = self.connect_options(&[]).application_name("somebody else");
        options.connect().await.expect("a connection")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let schema = self.schema.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                let mut server = server().await;
                // What a failed test has left in the middle of something would keep its tables.
                let kill = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name = '{schema}'"
                );
                run(&mut server, &kill).await;
                run(&mut server, &format!("DROP SCHEMA {schema} CASCADE")).await;
                let _ = server.close().await;
            });
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "it is dropped");
    }
}

fn url() -> PgConnectOptions {
    let url = std::env::var("TEST_POSTGRES_URL");
    let url = url.expect("TEST_POSTGRES_URL names a server for tests");
    url.parse().expect("a URL")
}

async fn server() -> PgConnection {
    let options = url().disable_statement_logging();
    options.connect().await.expect("a server")
}

pub(crate) async fn run(conn: &mut PgConnection, sql: &str) -> u64 {
    let done = conn.execute(AssertSqlSafe(sql.to_owned())).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"))
        .rows_affected()
}

pub(crate) async fn rows(conn: &mut PgConnection, sql: &str) -> Vec<PgRow> {
    let rows = conn.fetch_all(AssertSqlSafe(sql.to_owned())).await;
    rows.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(crate) async fn number(conn: &mut PgConnection, sql: &str) -> i64 {
    rows(conn, sql).await.first().expect("one row").get(0)
}

/// Puts the kit's challenge for a subject.
pub(crate) async fn issued(store: &PostgresStore, subject: &str) -> Challenge {
    let now = store.ping().await.expect("the time");
    let challenge = kit::challenge(subject, now);
    insert(store, &challenge).await.expect("room");
    challenge
}

pub(crate) async fn insert(store: &PostgresStore, challenge: &Challenge) -> Result<(), StoreError> {
    let event = kit::event(EventKind::ChallengeIssued).of_challenge(challenge);
    let challenge = challenge.clone();
    store
        .insert(Insert {
            challenge,
            delivery: None,
            event,
        })
        .await
}

pub(crate) async fn attempt(
    store: &PostgresStore,
    id: ChallengeId,
    by: Option<&str>,
) -> Result<Admission, StoreError> {
    let claim = match by {
        Some(by) => kit::named_claim(by, 1),
        None => kit::attempt_claim(),
    };
    store.admit(&kit::attempt_plan(Target::Id(id), claim)).await
}

pub(crate) fn outcome(admission: &Admission) -> Option<AttemptOutcome> {
    match &admission.granted {
        Some(Granted::Attempt(outcome, _)) => Some(*outcome),
        _ => None,
    }
}

pub(crate) async fn guesses(store: &PostgresStore, challenge: &Challenge) -> usize {
    let rules = otp_core::quota::BudgetRules::out_of_band();
    let reading = store.budget(&kit::budget_key(challenge), &rules).await;
    reading.expect("an answer").budget.guesses.len()
}

/// Plays what is drawn on one schema; every case has names of its own.
pub(crate) fn on_one_schema<T: std::fmt::Debug>(
    strategy: impl Strategy<Value = T>,
    case: impl AsyncFn(&Place, &PostgresStore, T),
) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let place = runtime.block_on(Place::new());
    let store = runtime.block_on(place.open());
    let config = Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let played = TestRunner::new(config).run(&strategy, |drawn| {
        runtime.block_on(case(&place, &store, drawn));
        Ok(())
    });
    if let Err(failed) = played {
        panic!("{failed}");
    }
}
