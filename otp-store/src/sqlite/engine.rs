//! What is `SQLite`'s own: how it is opened, how its transactions begin, and what its codes mean.

use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Error};
use thiserror::Error;
use tokio::time::{Instant, sleep};

use super::options::Place;

/// Takes the write lock at once: a transaction that begins by reading could be refused it later.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
pub(super) const SAVE: &str = "SAVEPOINT intent";
pub(super) const KEEP: &str = "RELEASE intent";
pub(super) const UNDO: &str = "ROLLBACK TO intent";

/// A cause without values, statements or paths: of an answer `SQLite`'s extended result code alone
/// (<https://sqlite.org/rescode.html>).
#[derive(Clone, Copy, Debug, Error)]
enum Cause {
    #[error("sqlite answered with code {0}")]
    Answered(i32),
    #[error("sqlite did not answer in time")]
    Late,
}

/// Makes the options of a connection that writes.
pub(super) fn writing(place: &Place, busy_timeout: Duration) -> SqliteConnectOptions {
    let options = either(place, busy_timeout).synchronous(SqliteSynchronous::Full);
    match place {
        Place::File(_) => options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal),
        Place::Memory => options,
    }
}

/// Makes the options of a connection that only reads.
pub(super) fn reading(place: &Place, busy_timeout: Duration) -> SqliteConnectOptions {
    either(place, busy_timeout).pragma("query_only", "ON")
}

fn either(place: &Place, busy_timeout: Duration) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .busy_timeout(busy_timeout)
        .disable_statement_logging();
    match place {
        Place::File(path) => options.filename(path),
        Place::Memory => options.filename(":memory:"),
    }
}

/// Opens a connection. The first ones to a fresh file may meet while they turn its log on, and
/// `SQLite`'s own wait does not cover that: whoever comes second tries again for about a second.
pub(super) async fn connect(
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection, StoreError> {
    let mut pause = Duration::from_millis(5);
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && pause < Duration::from_secs(1) => {
                sleep(pause).await;
                pause = pause.saturating_mul(2);
            }
            opened => return opened.map_err(failed),
        }
    }
}

const TRY_BRIEFLY: &str = "PRAGMA busy_timeout = 5";

/// Makes a connection's tries for the write lock short, for [`begin`] to repeat.
pub(super) async fn try_briefly(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    run(conn, TRY_BRIEFLY).await
}

/// Begins a transaction that writes.
///
/// `SQLite`'s own wait looks ten times a second in the end, and a process that commits without a
/// pause would keep another one out for ever. Short tries find the moment between its commits.
pub(super) async fn begin(
    conn: &mut SqliteConnection,
    patience: Duration,
) -> Result<(), StoreError> {
    let given_up = Instant::now() + patience;
    loop {
        match sqlx::query(BEGIN).execute(&mut *conn).await {
            Err(error) if is_busy(&error) && Instant::now() < given_up => {}
            begun => return begun.map(drop).map_err(failed),
        }
    }
}

/// Runs a statement that has no values and no rows.
pub(super) async fn run(conn: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    sqlx::query(sql).execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Says what a driver's error means to the caller, and drops the rest of it.
pub(super) fn failed(error: Error) -> StoreError {
    match &error {
        Error::ColumnDecode { .. }
        | Error::Decode(_)
        | Error::ColumnNotFound(_)
        | Error::TypeNotFound { .. } => StoreErrorKind::Corrupt.into(),
        Error::Database(database) => {
            let code = code(&**database);
            StoreError::new(meaning(code)).with_source(Cause::Answered(code))
        }
        _ => StoreErrorKind::Unavailable.into(),
    }
}

/// Nothing was heard within the deadline.
pub(super) fn late() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable).with_source(Cause::Late)
}

/// Says whether somebody else has the file (`SQLITE_BUSY` in any of its forms).
fn is_busy(error: &Error) -> bool {
    matches!(error, Error::Database(database) if code(&**database) & 0xff == 5)
}

fn code(error: &dyn DatabaseError) -> i32 {
    let code = error.code().and_then(|code| code.parse().ok());
    code.unwrap_or_default()
}

/// Reads a result code; the low byte is the primary one.
const fn meaning(code: i32) -> StoreErrorKind {
    match code & 0xff {
        // SQLITE_CORRUPT, SQLITE_MISMATCH, SQLITE_NOTADB
        11 | 20 | 26 => StoreErrorKind::Corrupt,
        // SQLITE_FULL, SQLITE_TOOBIG
        13 | 18 => StoreErrorKind::Full,
        // SQLITE_CONSTRAINT
        19 => StoreErrorKind::Invalid,
        // SQLITE_BUSY, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, and whatever else
        _ => StoreErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::meaning;
    use otp_core::store::StoreErrorKind;

    #[test]
    fn a_code_that_is_not_known_is_an_outage_and_never_more() {
        assert_eq!(meaning(5), StoreErrorKind::Unavailable);
        assert_eq!(meaning(517), StoreErrorKind::Unavailable);
        assert_eq!(meaning(9_999), StoreErrorKind::Unavailable);
        assert_eq!(meaning(13), StoreErrorKind::Full);
        assert_eq!(meaning(1_555), StoreErrorKind::Invalid);
    }
}
