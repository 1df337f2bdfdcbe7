//! The tables' versions.

use std::borrow::Cow;

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType};
use thiserror::Error;

/// Ours alone, so that the host's own migrations in the same database are not mixed with these.
pub(crate) const BOOKKEEPING: &str = "_otp_kit_migrations";

/// Why a database's tables are not these.
#[derive(Clone, Copy, Debug, Error)]
pub(crate) enum WrongSchema {
    #[error("the tables are of a newer version of this library")]
    Newer,
    #[error("the tables were made by another migration of the same number")]
    Other,
    #[error("the tables are not there or not up to date: the migrations must be run first")]
    Missing,
}

/// A step of the tables' growth, in an engine's words: its number, name and statements.
pub(crate) type Step = (i64, &'static str, &'static str);

/// Makes the migration of a step.
pub(crate) fn migration((number, name, sql): Step) -> Migration {
    Migration::new(
        number,
        Cow::Borrowed(name),
        MigrationType::Simple,
        SqlStr::from_static(sql),
        false,
    )
}
