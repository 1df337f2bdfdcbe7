//! Tables and functions: made, brought up to date, or looked for when a store is opened.

use std::borrow::Cow;

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Error, PgPool, Row as _, SqlStr};
use thiserror::Error;

use super::failure::{code, failed};
use crate::tables::{NEXT_MAJOR, Tables};

/// Ours alone, so that the host's own migrations in the same schema are not mixed with these.
const BOOKKEEPING: &str = "_otp_kit_migrations";

/// The oldest server whose times are exact: 14.
const OLDEST: i32 = 140_000;

macro_rules! migrations {
    ($($number:literal $name:literal $file:literal,)*) => {
        [$(($number, $name, include_str!(concat!("../../migrations/postgres/", $file)))),*]
    };
}

const ALL: [(i64, &str, &str); 19] = migrations![
    1 "otp store" "0001_otp_store.sql",
    2 "otp time" "0002_otp_time.sql",
    3 "otp audit" "0003_otp_audit.sql",
    4 "otp challenge" "0004_otp_challenge.sql",
    5 "otp budget" "0005_otp_budget.sql",
    6 "otp quota" "0006_otp_quota.sql",
    7 "otp admit" "0007_otp_admit.sql",
    8 "otp settle" "0008_otp_settle.sql",
    9 "otp query" "0009_otp_query.sql",
    10 "otp desk" "0010_otp_desk.sql",
    11 "otp purge" "0011_otp_purge.sql",
    12 "otp deliveries" "0012_otp_deliveries.sql",
    13 "otp shared" "0013_otp_shared.sql",
    14 "otp factors" "0014_otp_factors.sql",
    15 "otp sessions" "0015_otp_sessions.sql",
    16 "otp chain" "0016_otp_chain.sql",
    17 "otp devices" "0017_otp_devices.sql",
    18 "otp boards" "0018_otp_boards.sql",
    19 "otp seals" "0019_otp_seals.sql",
];

/// Why a database is not one to work with.
#[derive(Clone, Copy, Debug, Error)]
enum Refused {
    #[error("a replica takes no writes")]
    ReadOnly,
    #[error("postgres 14 is the oldest version that this library works with")]
    TooOld,
    #[error("the tables are missing or of an older version of this library: migrate first")]
    Missing,
    #[error("the tables are of a newer version of this library")]
    Newer,
    #[error("the tables were made by another migration of the same number")]
    Other,
}

fn refused(kind: StoreErrorKind, why: Refused) -> StoreError {
    StoreError::new(kind).with_source(why)
}

/// Looks whether a server can be worked with, and makes its tables ready.
pub(super) async fn open(pool: &PgPool, tables: Tables) -> Result<(), StoreError> {
    let mut conn = pool.acquire().await.map_err(|error| failed(&error))?;
    examine(&mut conn).await?;
    drop(conn);
    if tables == Tables::Migrate {
        migrate(pool).await?;
    }
    let mut conn = pool.acquire().await.map_err(|error| failed(&error))?;
    expect(&mut conn).await
}

const SERVER: &str = "SELECT current_setting('server_version_num')::integer AS version,
    pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS reads_only";

async fn examine(conn: &mut PgConnection) -> Result<(), StoreError> {
    let row = sqlx::query(SERVER).fetch_one(conn).await;
    let row = row.map_err(|error| failed(&error))?;
    let (version, reads_only): (i32, bool) = (
        row.try_get("version").map_err(|error| failed(&error))?,
        row.try_get("reads_only").map_err(|error| failed(&error))?,
    );
    if version < OLDEST {
        return Err(refused(StoreErrorKind::Invalid, Refused::TooOld));
    }
    if reads_only {
        return Err(refused(StoreErrorKind::Unavailable, Refused::ReadOnly));
    }
    Ok(())
}

const APPLIED: &str = "SELECT version FROM _otp_kit_migrations WHERE success";

/// Refuses tables that are not there, or are of a version that this one cannot work with.
async fn expect(conn: &mut PgConnection) -> Result<(), StoreError> {
    let applied: Result<Vec<i64>, Error> = sqlx::query_scalar(APPLIED).fetch_all(conn).await;
    let applied = match applied {
        Err(error) if matches!(code(&error).as_deref(), Some("42P01" | "3F000")) => {
            return Err(refused(StoreErrorKind::Corrupt, Refused::Missing));
        }
        applied => applied.map_err(|error| failed(&error))?,
    };
    if applied.iter().any(|version| *version >= NEXT_MAJOR) {
        return Err(refused(StoreErrorKind::Corrupt, Refused::Newer));
    }
    if ALL.iter().all(|(version, ..)| applied.contains(version)) {
        return Ok(());
    }
    Err(refused(StoreErrorKind::Corrupt, Refused::Missing))
}

/// Held until the migration is committed, so that of several at once one migrates.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('otp-kit migrations', 0))";

/// Goes where the tables are already: a search path may name several schemas, and a second set of
/// tables in another one would have forgotten every guess.
const GO_THERE: &str = "SELECT set_config('search_path',
        quote_ident(n.nspname) || ', ' || current_setting('search_path'), true)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass('_otp_kit_migrations')";

pub(super) async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    let migrations = ALL.map(|(number, name, sql)| {
        Migration::new(
            number,
            Cow::Borrowed(name),
            MigrationType::Simple,
            SqlStr::from_static(sql),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.into());
    migrator.dangerous_set_table_name(BOOKKEEPING);
    // The transaction's lock is taken instead: it cannot be left behind.
    migrator.set_locking(false).set_ignore_missing(true);
    let mut conn = pool.acquire().await.map_err(|error| failed(&error))?;
    let mut tx = conn
        .begin_with("BEGIN ISOLATION LEVEL READ COMMITTED")
        .await
        .map_err(|error| failed(&error))?;
    for sql in [LOCK, GO_THERE] {
        let done = sqlx::query(sql).execute(&mut *tx).await;
        done.map_err(|error| failed(&error))?;
    }
    let done = migrator.run_direct(None, &mut *tx, false).await;
    done.map_err(|error| misled(&error))?;
    tx.commit().await.map_err(|error| failed(&error))
}

fn misled(error: &MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        _ => refused(StoreErrorKind::Corrupt, Refused::Other),
    }
}
