//! The host's own tables, beside the library's: in the same database, through a pool of its own.

use std::error::Error;
use std::time::Duration;

use otp_kit::metrics::Metrics;
use otp_kit::store::Connections;
use sqlx::any::{Any, AnyArguments, AnyRow, install_default_drivers};
use sqlx::pool::PoolOptions;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Pool, query};
use tokio::time::timeout;

use crate::config::{Place, Refused};
use crate::users;

/// A pool on the host's database. Statements are written once, as PostgreSQL and SQLite have them.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<Any>,
    dialect: Dialect,
    patience: Duration,
}

#[derive(Clone, Copy)]
enum Dialect {
    Numbered,
    Mysql,
}

const WAIT_FOR_WRITERS: &str = "PRAGMA busy_timeout = 30000";

type Statement<'q> = Query<'q, Any, AnyArguments>;

impl Database {
    /// Connects, and makes the host's tables where they are not there.
    pub(crate) async fn open(place: &Place) -> Result<Self, Refused> {
        Self::connect(place).await.map_err(|error| refused(&error))
    }

    async fn connect(place: &Place) -> Result<Self, sqlx::Error> {
        install_default_drivers();
        let (url, dialect) = match place {
            // A path is written out in a URL but for the sign that begins an escape.
            Place::Sqlite(path) => {
                let path = path.to_string_lossy().replace('%', "%25");
                (format!("sqlite:{path}?mode=rwc"), Dialect::Numbered)
            }
            Place::Postgres(url) => (url.clone(), Dialect::Numbered),
            Place::Mysql(url) => (url.clone(), Dialect::Mysql),
        };
        // A file has one writer at a time, and lets those who wait try in no order: beside the store's
        // own writers five seconds may pass for one of many, and its code is spent by then.
        let (patience, first) = match place {
            Place::Sqlite(_) => (Duration::from_secs(30), Some(WAIT_FOR_WRITERS)),
            _ => (Duration::from_secs(5), None),
        };
        let options = PoolOptions::<Any>::new()
            .max_connections(4)
            .acquire_timeout(patience)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if let Some(first) = first {
                        query(first).execute(connection).await?;
                    }
                    Ok(())
                })
            });
        let pool = options.connect(&url).await?;
        query(users::TABLE).execute(&pool).await?;
        Ok(Self {
            pool,
            dialect,
            patience,
        })
    }

    /// Shows the pool's connections to whoever reads the metrics.
    pub(crate) fn watched_by(&self, metrics: &Metrics) {
        let pool = self.pool.clone();
        metrics.watch_pool("users", move || {
            let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
            Connections::new(pool.size(), idle, pool.options().get_max_connections())
        });
    }

    /// Carries a statement out.
    pub(crate) async fn execute(&self, statement: Statement<'_>) -> Result<(), sqlx::Error> {
        self.in_time(statement.execute(&self.pool)).await.map(drop)
    }

    /// Finds the row that a statement asks for.
    pub(crate) async fn find(
        &self,
        statement: Statement<'_>,
    ) -> Result<Option<AnyRow>, sqlx::Error> {
        self.in_time(statement.fetch_optional(&self.pool)).await
    }

    /// A server that took the question and hangs is as gone as one that is not there.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let done = timeout(self.patience, work).await;
        done.map_err(|_| sqlx::Error::PoolTimedOut)?
    }

    /// Says a statement as the engine has it: numbered places and `ON CONFLICT DO NOTHING` are
    /// MySQL's `?` and `INSERT IGNORE`.
    pub(crate) fn say<'q>(&self, statement: &'static str) -> Statement<'q> {
        match self.dialect {
            Dialect::Numbered => query(statement),
            // The pieces are the program's own; values are bound.
            Dialect::Mysql => query(AssertSqlSafe(for_mysql(statement))),
        }
    }
}

fn for_mysql(statement: &str) -> String {
    let (first, statement) = match statement.strip_suffix(" ON CONFLICT DO NOTHING") {
        Some(rest) => ("INSERT IGNORE", rest.strip_prefix("INSERT").unwrap_or(rest)),
        None => ("", statement),
    };
    let mut said = first.to_owned();
    let mut rest = statement.chars().peekable();
    while let Some(sign) = rest.next() {
        if sign == '$' {
            while rest.next_if(char::is_ascii_digit).is_some() {}
            said.push('?');
        } else {
            said.push(sign);
        }
    }
    said
}

/// The line on standard error names the setting; the cause is in the log, for the operator.
fn refused(error: &(dyn Error + 'static)) -> Refused {
    tracing::error!(error, "the database cannot be opened");
    Refused::new("DATABASE_URL", "names a database that cannot be opened")
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::{Database, for_mysql};
    use crate::config::Place;

    #[tokio::test]
    async fn in_a_file_the_users_table_waits_for_the_stores_writers() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(folder.path().join("otp.db"));
        let database = Database::open(&place).await.unwrap();
        let waits = database.say("PRAGMA busy_timeout");
        let waits = database.find(waits).await.unwrap().unwrap();
        assert_eq!(waits.get::<i64, _>(0), 30_000);
    }

    #[test]
    fn a_statement_is_said_to_mysql_in_its_own_words() {
        let said =
            for_mysql("INSERT INTO users (sub, phone) VALUES ($1, $2) ON CONFLICT DO NOTHING");
        assert_eq!(said, "INSERT IGNORE INTO users (sub, phone) VALUES (?, ?)");
        assert_eq!(for_mysql("SELECT 1 WHERE a = $1"), "SELECT 1 WHERE a = ?");
    }
}
