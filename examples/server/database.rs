//! The one file that everything is kept in: the library's tables, and the host's own beside them.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use otp_kit::store::SqliteStore;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::config::Refused;
use crate::tokens;
use crate::users::{self, Users};

/// The library's store, and a pool of the host's own on the same file.
pub(crate) struct Database {
    pub(crate) store: SqliteStore,
    pub(crate) users: Users,
    pub(crate) pool: SqlitePool,
}

impl Database {
    /// Opens the file, or makes it, and brings its tables up to date.
    pub(crate) async fn open(path: &Path) -> Result<Self, Refused> {
        let store = SqliteStore::open(path)
            .await
            .map_err(|error| refused(&error))?;
        let pool = own_pool(path).await.map_err(|error| refused(&error))?;
        Ok(Self {
            store,
            users: Users::new(pool.clone()),
            pool,
        })
    }
}

async fn own_pool(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(5))
        .connect_with(options)
        .await?;
    for table in [users::TABLE, tokens::TABLE] {
        sqlx::query(table).execute(&pool).await?;
    }
    Ok(pool)
}

/// The line on standard error names the setting; the cause is in the log, for the operator.
fn refused(error: &(dyn Error + 'static)) -> Refused {
    tracing::error!(error, "the database cannot be opened");
    Refused::new("DATABASE_URL", "names a database that cannot be opened")
}
