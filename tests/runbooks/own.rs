//! A real PostgreSQL, for what the runbooks say to `psql`.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, raw_sql};

/// A database of the test's own on a real PostgreSQL.
pub(crate) struct Own {
    admin: PgConnection,
    name: String,
    pub(crate) url: String,
}

impl Own {
    pub(crate) async fn new() -> Self {
        let url = std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL names a server");
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("otp_runbook_{}_{number}", std::process::id());
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let made = raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")));
        made.execute(&mut admin).await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        Self { admin, name, url }
    }

    pub(crate) async fn say(&mut self, statement: &str) {
        let statement = statement.replace("DB", &self.name);
        let said = raw_sql(AssertSqlSafe(statement));
        said.execute(&mut self.admin).await.unwrap();
    }

    /// Runs a statement as the runbook does, by `psql -c`.
    pub(crate) fn psql(&self, statement: &str) -> String {
        let statement = statement.replace("DB", &self.name);
        let ended = std::process::Command::new("psql")
            .args([&self.url, "-v", "ON_ERROR_STOP=1", "-At", "-c", &statement])
            .output()
            .unwrap();
        assert!(ended.status.success(), "{statement}: {ended:?}");
        String::from_utf8(ended.stdout).unwrap().trim().to_owned()
    }

    /// Takes it away again; a server that still uses it is cut off.
    pub(crate) async fn drop(mut self) {
        self.say("DROP DATABASE DB WITH (FORCE)").await;
    }
}
