//! `database:`, which is the host's: how many connections, and what can be read in an outage.

use std::num::NonZeroU32;
use std::time::Duration;

use super::PolicyFile;
use super::error::PolicyFileError;
use super::read::Entry;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseKind {
    /// An embedded file.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL or MariaDB.
    Mysql,
}

impl DatabaseKind {
    /// Names the kind, as URLs do.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }
}

/// How a host holds its database; what is not said is the host's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabasePlan {
    /// The kind that is meant to serve.
    pub primary: Option<DatabaseKind>,
    /// The kind that is read from while the first is away; it never takes writes.
    pub fallback: Option<DatabaseKind>,
    /// The most connections.
    pub max_open_conns: Option<NonZeroU32>,
    /// The most connections that nobody uses.
    pub max_idle_conns: Option<u32>,
    /// How long a connection is used.
    pub conn_max_lifetime: Option<Duration>,
}

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let plan = &mut file.database;
    for field in entry.fields()? {
        match field.name() {
            "primary" => plan.primary = Some(kind(&field)?),
            "fallback" => plan.fallback = Some(kind(&field)?),
            "fallback_mode" => field.word("readonly", |mode| (mode == "readonly").then_some(()))?,
            "max_open_conns" => plan.max_open_conns = Some(field.number()?),
            "max_idle_conns" => plan.max_idle_conns = Some(field.number()?),
            "conn_max_lifetime" => plan.conn_max_lifetime = Some(field.duration()?),
            _ => return Err(field.unknown()),
        }
    }
    Ok(())
}

fn kind(entry: &Entry<'_>) -> Result<DatabaseKind, PolicyFileError> {
    entry.word("sqlite, postgres or mysql", |name| match name {
        "sqlite" => Some(DatabaseKind::Sqlite),
        "postgres" | "postgresql" => Some(DatabaseKind::Postgres),
        "mysql" | "mariadb" => Some(DatabaseKind::Mysql),
        _ => None,
    })
}
