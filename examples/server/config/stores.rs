use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use otp_kit::policy::OutagePolicy;

use super::{Environment, Refused};

/// Where things are kept, and what holds when an engine is away.
pub(crate) struct Stores {
    pub(crate) database: Place,
    /// What can be read while the database is away.
    pub(crate) fallback: Option<PathBuf>,
    pub(crate) redis: Option<Redis>,
    /// The most connections to a database server, where `OTP_CONFIG` says so.
    pub(crate) connections: Option<NonZeroU32>,
    /// How long one of them is used, likewise.
    pub(crate) connection_life: Option<Duration>,
}

/// A database. A URL may hold a password, so it has no `Debug`.
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(String),
    Mysql(String),
}

/// A Redis that instances share.
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) outage: OutagePolicy,
    pub(crate) instances: NonZeroU32,
}

impl Stores {
    pub(super) fn read(env: &Environment) -> Result<Self, Refused> {
        let database = place(
            "DATABASE_URL",
            env.get("DATABASE_URL").unwrap_or("sqlite:otp.db"),
        )?;
        let fallback = match env.get("DATABASE_FALLBACK_URL") {
            None => None,
            Some(_) if matches!(database, Place::Sqlite(_)) => {
                let problem = "is for a DATABASE_URL of postgres: or mysql:";
                return Err(Refused::new("DATABASE_FALLBACK_URL", problem));
            }
            Some(url) => match place("DATABASE_FALLBACK_URL", url)? {
                Place::Sqlite(path) => Some(path),
                _ => return Err(Refused::new("DATABASE_FALLBACK_URL", A_FILE)),
            },
        };
        Ok(Self {
            database,
            fallback,
            redis: redis(env)?,
            connections: None,
            connection_life: None,
        })
    }
}

const A_FILE: &str = "must be sqlite: and the path of a file";

pub(super) fn place(key: &str, url: &str) -> Result<Place, Refused> {
    if ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return Ok(Place::Postgres(url.to_owned()));
    }
    if url.starts_with("mysql://") {
        return Ok(Place::Mysql(url.to_owned()));
    }
    let refused = || {
        Refused::new(
            key,
            "must be sqlite: and the path of a file, or a postgres:// or mysql:// URL",
        )
    };
    let path = url.strip_prefix("sqlite:").ok_or_else(refused)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.starts_with(':') || path.contains(['?', '#']) {
        return Err(refused());
    }
    Ok(Place::Sqlite(PathBuf::from(path)))
}

pub(super) fn redis(env: &Environment) -> Result<Option<Redis>, Refused> {
    let default = if cfg!(debug_assertions) {
        "memory"
    } else {
        "closed"
    };
    let outage = match env.get("OTP_REDIS_OUTAGE").unwrap_or(default) {
        "closed" => OutagePolicy::closed(),
        "memory" => OutagePolicy::memory(),
        "open" => OutagePolicy::open_sends(),
        _ => {
            return Err(Refused::must_be(
                "OTP_REDIS_OUTAGE",
                "closed, memory or open",
            ));
        }
    };
    let instances = env.parsed("OTP_INSTANCES", "1", "a number from 1 upwards")?;
    let Some(url) = env.get("REDIS_URL") else {
        return Ok(None);
    };
    if !is_redis(url) {
        return Err(Refused::must_be("REDIS_URL", "a redis:// or rediss:// URL"));
    }
    Ok(Some(Redis {
        url: url.to_owned(),
        outage,
        instances,
    }))
}

pub(super) fn is_redis(url: &str) -> bool {
    ["redis://", "rediss://", "unix://", "redis+unix://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
}
