//! The tables, brought up to date when a store is opened.

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnection;

use super::engine::{self, failed};
use crate::sql::{BOOKKEEPING, Step, WrongSchema, migration};
use crate::tables::NEXT_MAJOR;

const ALL: [Step; 9] = [
    (
        1,
        "otp store",
        include_str!("../../migrations/sqlite/0001_otp_store.sql"),
    ),
    (
        2,
        "otp deliveries",
        include_str!("../../migrations/sqlite/0002_otp_deliveries.sql"),
    ),
    (
        3,
        "otp shared",
        include_str!("../../migrations/sqlite/0003_otp_shared.sql"),
    ),
    (
        4,
        "otp factors",
        include_str!("../../migrations/sqlite/0004_otp_factors.sql"),
    ),
    (
        5,
        "otp sessions",
        include_str!("../../migrations/sqlite/0005_otp_sessions.sql"),
    ),
    (
        6,
        "otp chain",
        include_str!("../../migrations/sqlite/0006_otp_chain.sql"),
    ),
    (
        7,
        "otp devices",
        include_str!("../../migrations/sqlite/0007_otp_devices.sql"),
    ),
    (
        8,
        "otp boards",
        include_str!("../../migrations/sqlite/0008_otp_boards.sql"),
    ),
    (
        9,
        "otp seals",
        include_str!("../../migrations/sqlite/0009_otp_seals.sql"),
    ),
];

const BOOKS: &str =
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_otp_kit_migrations'";
const APPLIED: &str = "SELECT version, checksum FROM _otp_kit_migrations WHERE success";
const NEWER: &str = "SELECT 1 FROM _otp_kit_migrations WHERE version >= ?1";

/// Creates or updates the tables; of processes that do so at once, one does and the others wait.
pub(super) async fn migrate(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut migrator = Migrator::with_migrations(ALL.map(migration).into());
    migrator.dangerous_set_table_name(BOOKKEEPING);
    // What a newer version has added is none of this one's business.
    migrator.set_ignore_missing(true);
    let mut lock = conn.begin_with(engine::BEGIN).await.map_err(failed)?;
    migrator
        .run_direct(None, &mut *lock, false)
        .await
        .map_err(refused)?;
    let newer = sqlx::query(NEWER)
        .bind(NEXT_MAJOR)
        .fetch_optional(&mut *lock);
    if newer.await.map_err(failed)?.is_some() {
        return Err(wrong(WrongSchema::Newer));
    }
    lock.commit().await.map_err(failed)
}

/// Looks whether the tables are those that this version works with.
pub(super) async fn expect(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let books = sqlx::query(BOOKS).fetch_optional(&mut *conn);
    if books.await.map_err(failed)?.is_none() {
        return Err(wrong(WrongSchema::Missing));
    }
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as(APPLIED)
        .fetch_all(conn)
        .await
        .map_err(failed)?;
    if applied.iter().any(|(version, _)| *version >= NEXT_MAJOR) {
        return Err(wrong(WrongSchema::Newer));
    }
    for known in ALL.map(migration) {
        let found = applied
            .iter()
            .find(|(version, _)| *version == known.version);
        match found {
            None => return Err(wrong(WrongSchema::Missing)),
            Some((_, checksum)) if *checksum != known.checksum.as_ref() => {
                return Err(wrong(WrongSchema::Other));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn wrong(how: WrongSchema) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt).with_source(how)
}

fn refused(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        _ => wrong(WrongSchema::Other),
    }
}
