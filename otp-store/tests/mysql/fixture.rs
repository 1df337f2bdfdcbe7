use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge};
use otp_core::clock::ManualClock;
use otp_core::event::EventKind;
use otp_core::random::{OsRandom, SecureRandom as _};
use otp_core::store::{Admission, ChallengeStore as _, Granted, Insert, Plan, StoreError, Target};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;
use otp_store::mysql::MysqlOptions;
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// How many deadlocks the server has ever resolved.
pub(crate) const DEADLOCKS: &str =
    "SELECT CAST(variable_value AS SIGNED) FROM information_schema.global_status
    WHERE variable_name = 'INNODB_DEADLOCKS'";

/// A database of a test's own, and the clock that its stores are opened with. It is dropped with
/// the place.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    pub(crate) name: String,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let mut bytes = [0_u8; 8];
        OsRandom.fill(&mut bytes).expect("randomness");
        let name = format!("otp_{:016x}", u64::from_be_bytes(bytes));
        let mut server = connect(&server_url()).await;
        // A default that nobody should rely on: the migration says what it needs.
        say(
            &mut server,
            &format!("CREATE DATABASE {name} CHARACTER SET latin1"),
        )
        .await;
        Self {
            clock: ManualClock::default(),
            name,
        }
    }

    pub(crate) fn url(&self) -> String {
        let url = server_url();
        let (server, _) = url.rsplit_once('/').expect("a database in the URL");
        format!("{server}/{}", self.name)
    }

    pub(crate) fn options(&self) -> MysqlOptions {
        MysqlOptions::new(&self.url())
            .connections(4)
            .deadline(MINUTE)
            .clock(Arc::new(self.clock.clone()))
    }

    pub(crate) async fn open(&self) -> MysqlStore {
        let store = MysqlStore::with_options(self.options()).await;
        store.expect("it connects")
    }

    /// Opens a store by the server's clock, as another instance does.
    pub(crate) async fn patient(&self) -> MysqlStore {
        let options = MysqlOptions::new(&self.url())
            .connections(4)
            .deadline(MINUTE);
        let store = MysqlStore::with_options(options).await;
        store.expect("it connects")
    }

    /// A host's pool with a habit of its own for every session.
    pub(crate) async fn pool(&self, habit: &'static str) -> MySqlPool {
        MySqlPoolOptions::new()
            .max_connections(2)
            .after_connect(move |conn, _| {
                Box::pin(async move { sqlx::raw_sql(habit).execute(conn).await.map(drop) })
            })
            .connect(&self.url())
            .await
            .expect("a pool")
    }

    pub(crate) async fn raw(&self) -> MySqlConnection {
        connect(&self.url()).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let name = self.name.clone();
        // A runtime of its own: the test's may be on its way out.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let mut server = connect(&server_url()).await;
                say(&mut server, "SET SESSION lock_wait_timeout = 10").await;
                say(&mut server, &format!("DROP DATABASE {name}")).await;
            });
        });
        dropping.join().expect("the database is dropped");
    }
}

fn server_url() -> String {
    std::env::var("TEST_MYSQL_URL").expect("TEST_MYSQL_URL names a server for tests")
}

async fn connect(url: &str) -> MySqlConnection {
    MySqlConnection::connect(url).await.expect("a server")
}

/// Runs what a test made up itself.
pub(crate) async fn say(conn: &mut MySqlConnection, sql: &str) -> u64 {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned())))
        .await
        .expect("the statement runs")
        .rows_affected()
}

pub(crate) async fn number(conn: &mut MySqlConnection, sql: &'static str) -> i64 {
    let row = sqlx::query(sql).fetch_one(conn).await.expect("one row");
    row.get(0)
}

/// Puts the kit's challenge for a subject.
pub(crate) async fn issued(store: &MysqlStore, who: &str) -> Challenge {
    let now = store.ping().await.expect("the time");
    let challenge = kit::challenge(who, now);
    let event = kit::event(EventKind::ChallengeIssued).of_challenge(&challenge);
    let insert = Insert {
        challenge: challenge.clone(),
        delivery: None,
        event,
    };
    store.insert(insert).await.expect("room for one");
    challenge
}

pub(crate) fn attempt_plan(challenge: &Challenge, by: Option<&str>) -> Plan {
    let claim = match by {
        Some(by) => kit::named_claim(by, 1),
        None => kit::attempt_claim(),
    };
    kit::attempt_plan(Target::Id(challenge.id), claim)
}

pub(crate) async fn attempt(
    store: &MysqlStore,
    challenge: &Challenge,
    by: Option<&str>,
) -> Result<Admission, StoreError> {
    store.admit(&attempt_plan(challenge, by)).await
}

/// The outcome of a try, where it was admitted.
pub(crate) fn outcome(admission: &Admission) -> Option<AttemptOutcome> {
    match &admission.granted {
        Some(Granted::Attempt(outcome, _)) => Some(*outcome),
        _ => None,
    }
}
