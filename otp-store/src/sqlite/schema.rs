//! The tables, brought up to date when a store is opened.

use std::borrow::Cow;

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, SqlStr};
use thiserror::Error;

use super::engine::{self, failed};

/// Ours alone, so that the host's own migrations in the same file are not mixed with these.
const BOOKKEEPING: &str = "_otp_kit_migrations";

const FIRST: &str = include_str!("../../migrations/sqlite/0001_otp_store.sql");

/// Why a file's tables are not these.
#[derive(Clone, Copy, Debug, Error)]
enum WrongSchema {
    #[error("the tables are of a newer version of this library")]
    Newer,
    #[error("the tables were made by another migration of the same number")]
    Other,
}

/// Creates or updates the tables; of processes that do so at once, one does and the others wait.
pub(super) async fn migrate(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut migrator = Migrator::with_migrations(vec![Migration::new(
        1,
        Cow::Borrowed("otp store"),
        MigrationType::Simple,
        SqlStr::from_static(FIRST),
        false,
    )]);
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
