//! The tables, brought up to date or looked at.

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::mysql::{MySqlConnection, MySqlPool};
use sqlx::{Error, Row as _};

use super::failure::failed;
use super::session::Session;
use crate::sql::{BOOKKEEPING, Step, WrongSchema, migration};
use crate::tables::NEXT_MAJOR;

const ALL: [Step; 9] = [
    (
        1,
        "otp store",
        include_str!("../../migrations/mysql/0001_otp_store.sql"),
    ),
    (
        2,
        "otp deliveries",
        include_str!("../../migrations/mysql/0002_otp_deliveries.sql"),
    ),
    (
        3,
        "otp shared",
        include_str!("../../migrations/mysql/0003_otp_shared.sql"),
    ),
    (
        4,
        "otp factors",
        include_str!("../../migrations/mysql/0004_otp_factors.sql"),
    ),
    (
        5,
        "otp sessions",
        include_str!("../../migrations/mysql/0005_otp_sessions.sql"),
    ),
    (
        6,
        "otp chain",
        include_str!("../../migrations/mysql/0006_otp_chain.sql"),
    ),
    (
        7,
        "otp devices",
        include_str!("../../migrations/mysql/0007_otp_devices.sql"),
    ),
    (
        8,
        "otp boards",
        include_str!("../../migrations/mysql/0008_otp_boards.sql"),
    ),
    (
        9,
        "otp seals",
        include_str!("../../migrations/mysql/0009_otp_seals.sql"),
    ),
];

/// One migration at a time in a database, whoever runs it. Names of locks are the server's.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('otp_kit.', SHA1(DATABASE())), 60) AS taken";
const UNLOCK: &str = "DO RELEASE_LOCK(CONCAT('otp_kit.', SHA1(DATABASE())))";

const BOOKS: &str = "CREATE TABLE IF NOT EXISTS _otp_kit_migrations (
    version        BIGINT NOT NULL PRIMARY KEY,
    description    TEXT NOT NULL,
    installed_on   TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success        BOOLEAN NOT NULL,
    checksum       BLOB NOT NULL,
    execution_time BIGINT NOT NULL
) ENGINE = InnoDB";

const APPLIED: &str = "SELECT version, checksum FROM _otp_kit_migrations WHERE success = 1";

const ENTER: &str = "INSERT IGNORE INTO _otp_kit_migrations
        (version, description, success, checksum, execution_time)
    VALUES (?, ?, 1, ?, 0)";

const STRIPES: &str = "SELECT COUNT(*) AS stripes FROM otp_locks WHERE id BETWEEN 0 AND 1024";

/// Puts back what is missing of the stripes; those that are there stay.
const REFILL: &str = "INSERT IGNORE INTO otp_locks (id)
    WITH RECURSIVE digit (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM digit WHERE n < 31)
    SELECT high.n * 32 + low.n FROM digit AS high CROSS JOIN digit AS low
    UNION ALL SELECT 1024";

/// What a database has of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Current,
    /// All but some of the stripes, without which nothing is decided.
    Torn,
    Missing,
}

/// Creates or updates the tables; of processes that do so at once, one does and the others wait.
///
/// The engine commits every such statement by itself, so each can be run again, and the migration
/// is entered in the books only after all of them.
pub(super) async fn migrate(pool: &MySqlPool) -> Result<(), StoreError> {
    debug_assert!(BOOKS.contains(BOOKKEEPING) && ENTER.contains(BOOKKEEPING));
    let mut session = Session::take(pool).await.map_err(|error| failed(&error))?;
    // Where it fails the session is closed, and its lock goes with it.
    let conn = session.conn().map_err(|error| failed(&error))?;
    if found(conn).await? != Found::Current {
        lock(conn).await?;
        match found(conn).await? {
            Found::Current => Ok(()),
            Found::Torn => run(conn, REFILL).await,
            Found::Missing => create(conn).await,
        }
        .map_err(|error| failed(&error))?;
        run(conn, UNLOCK).await.map_err(|error| failed(&error))?;
    }
    session.give_back();
    Ok(())
}

/// Looks whether the tables are those that this version works with.
pub(super) async fn expect(pool: &MySqlPool) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await.map_err(|error| failed(&error))?;
    match found(&mut conn).await? {
        Found::Current => Ok(()),
        Found::Torn | Found::Missing => Err(missing()),
    }
}

/// Says that the tables, or rows that they need, are not there.
pub(super) fn missing() -> StoreError {
    wrong(WrongSchema::Missing)
}

async fn found(conn: &mut MySqlConnection) -> Result<Found, StoreError> {
    if applied(conn).await? == Found::Missing {
        return Ok(Found::Missing);
    }
    let row = sqlx::query(STRIPES).fetch_one(conn).await;
    let stripes: i64 = row
        .and_then(|row| row.try_get("stripes"))
        .map_err(|error| failed(&error))?;
    Ok(if stripes == 1_025 {
        Found::Current
    } else {
        Found::Torn
    })
}

async fn lock(conn: &mut MySqlConnection) -> Result<(), StoreError> {
    let row = sqlx::query(LOCK).fetch_one(conn).await;
    let taken = row.and_then(|row| row.try_get("taken"));
    match taken.map_err(|error| failed(&error))? {
        Some(1_i64) => Ok(()),
        _ => Err(StoreErrorKind::Unavailable.into()),
    }
}

async fn create(conn: &mut MySqlConnection) -> Result<(), Error> {
    run(conn, BOOKS).await?;
    for step in ALL {
        let (number, name, sql) = step;
        run(conn, sql).await?;
        // One that an earlier version has made is entered already.
        let checksum = migration(step).checksum;
        let entered = sqlx::query(ENTER)
            .bind(number)
            .bind(name)
            .bind(checksum.as_ref());
        entered.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn run(conn: &mut MySqlConnection, sql: &'static str) -> Result<(), Error> {
    sqlx::raw_sql(sql).execute(conn).await.map(drop)
}

async fn applied(conn: &mut MySqlConnection) -> Result<Found, StoreError> {
    const NO_SUCH_TABLE: &str = "42S02";
    let rows = match sqlx::query(APPLIED).fetch_all(conn).await {
        Ok(rows) => rows,
        Err(Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_TABLE) => {
            return Ok(Found::Missing);
        }
        Err(error) => return Err(failed(&error)),
    };
    let mut known = ALL.map(migration).to_vec();
    for row in rows {
        let version: i64 = row.try_get("version").map_err(|error| failed(&error))?;
        let checksum: Vec<u8> = row.try_get("checksum").map_err(|error| failed(&error))?;
        if version >= NEXT_MAJOR {
            return Err(wrong(WrongSchema::Newer));
        }
        // What a newer version has added is none of this one's business.
        if let Some(place) = known.iter().position(|known| known.version == version) {
            let known = known.swap_remove(place);
            if checksum != known.checksum.as_ref() {
                return Err(wrong(WrongSchema::Other));
            }
        }
    }
    Ok(if known.is_empty() {
        Found::Current
    } else {
        Found::Missing
    })
}

fn wrong(how: WrongSchema) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt).with_source(how)
}
