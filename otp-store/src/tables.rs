//! The tables of an SQL engine: who makes them, and which versions go together.

#[cfg(any(feature = "mysql", feature = "postgres"))]
use {otp_core::store::Connections, std::time::Duration};

/// What opening a store does about its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Makes them, or brings them up to date; the connection's user must be allowed to.
    Migrate,
    /// Expects them to be there, and refuses where they are not.
    Expect,
}

/// How long a connection of a store's own pool is used, where nobody says otherwise: the driver's own
/// time.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) const CONNECTION_LIFE: Duration = Duration::from_secs(30 * 60);

/// Says how full a pool is.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn connections<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> Connections {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    Connections::new(pool.size(), idle, pool.options().get_max_connections())
}

/// Migrations below this number add and leave what there is, so that an older version of the library
/// works beside a newer one while a fleet is being replaced; from it on they change what this version
/// works with, and it refuses.
pub(crate) const NEXT_MAJOR: i64 = 1_000;
