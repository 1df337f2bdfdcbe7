//! The tables, brought up to date when a store is opened.

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Connection as _;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::SqliteConnection;

use super::engine::{self, failed};
use crate::sql::{BOOKKEEPING, WrongSchema, first};

const FIRST: &str = include_str!("../../migrations/sqlite/0001_otp_store.sql");

/// Creates or updates the tables; of processes that do so at once, one does and the others wait.
pub(super) async fn migrate(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut migrator = Migrator::with_migrations(vec![first(FIRST)]);
    migrator.dangerous_set_table_name(BOOKKEEPING);
    let mut lock = conn.begin_with(engine::BEGIN).await.map_err(failed)?;
    migrator
        .run_direct(None, &mut *lock, false)
        .await
        .map_err(refused)?;
    lock.commit().await.map_err(failed)
}

fn refused(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
            StoreError::new(StoreErrorKind::Corrupt).with_source(WrongSchema::Newer)
        }
        _ => StoreError::new(StoreErrorKind::Corrupt).with_source(WrongSchema::Other),
    }
}
