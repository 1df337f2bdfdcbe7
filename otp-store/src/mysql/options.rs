//! How a store is reached.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock;
use sqlx::MySqlPool;

use crate::Tables;
use crate::tables::CONNECTION_LIFE;
use crate::terms::{LONGEST_WAIT, Retention};

/// Says which database a [`MysqlStore`](super::MysqlStore) keeps things in and how long it waits.
///
/// A URL is `mysql://user:password@host:port/database`; with `?ssl-mode=VERIFY_IDENTITY` the
/// connection is encrypted and the server's certificate checked.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_store::mysql::{MysqlOptions, Tables};
///
/// let options = MysqlOptions::new("mysql://otp@127.0.0.1/otp")
///     .deadline(Duration::from_secs(2))
///     .tables(Tables::Expect);
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct MysqlOptions {
    pub(super) place: Place,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) deadline: Duration,
    pub(super) connections: u32,
    pub(super) connection_life: Duration,
    pub(super) tables: Tables,
    pub(super) retention: Retention,
}

/// Where the database is.
#[derive(Clone)]
pub(super) enum Place {
    Url(String),
    Pool(MySqlPool),
}

const FIVE_SECONDS: Duration = Duration::from_secs(5);

impl MysqlOptions {
    /// Keeps everything in a database, over connections of the store's own. Opening migrates.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self::at(Place::Url(url.to_owned()), Tables::Migrate)
    }

    /// Keeps everything in a database that the host has a pool of connections to. Opening expects
    /// the tables; see [`tables`](Self::tables) and [`MysqlStore::migrate`](super::MysqlStore::migrate).
    ///
    /// The store needs nothing of how its sessions are set up, and leaves them as they were, but
    /// for two variables of its own, `@otp_kit_wait` and `@otp_kit_idle`. A connection whose
    /// transaction is in doubt is closed and not given back.
    #[must_use]
    pub fn pool(pool: MySqlPool) -> Self {
        Self::at(Place::Pool(pool), Tables::Expect)
    }

    fn at(place: Place, tables: Tables) -> Self {
        Self {
            place,
            clock: None,
            deadline: FIVE_SECONDS,
            connections: 10,
            connection_life: CONNECTION_LIFE,
            tables,
            retention: Retention::USUAL,
        }
    }

    /// Sets a clock that every decision is made by, for tests. Default: the engine's own, so that
    /// instances whose clocks differ agree.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets how long a caller waits for any one answer; then it is
    /// [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable). Default: 5 s;
    /// a day at the most.
    #[must_use]
    pub fn deadline(mut self, wait: Duration) -> Self {
        self.deadline = wait.min(LONGEST_WAIT);
        self
    }

    /// Sets how long a connection of the store's own pool is used before another one takes its place:
    /// where a proxy or a failover closes old ones, less than that. Default: 30 minutes. A host's pool
    /// keeps its own time.
    #[must_use]
    pub fn connection_life(mut self, life: Duration) -> Self {
        self.connection_life = life;
        self
    }

    /// Sets how many connections the store opens at the most. Default: 10. A host's pool has its
    /// own number.
    #[must_use]
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
        self
    }

    /// Sets what opening does about the tables. Default: [`Tables::Migrate`] for a URL,
    /// [`Tables::Expect`] for a host's pool.
    #[must_use]
    pub fn tables(mut self, tables: Tables) -> Self {
        self.tables = tables;
        self
    }

    /// Sets how long challenges that have ended are kept. Default: a day.
    ///
    /// A try that is repeated after a lost reply, and the operator's queries, need them for a while.
    #[must_use]
    pub fn keep_ended_challenges(mut self, time: Duration) -> Self {
        self.retention.challenges = time;
        self
    }

    /// Sets how long audit records are kept once they were acknowledged. Default: for ever.
    #[must_use]
    pub fn keep_audit(mut self, time: Duration) -> Self {
        self.retention.audit = Some(time);
        self
    }
}

impl fmt::Debug for MysqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlOptions")
            .field("deadline", &self.deadline)
            .field("connections", &self.connections)
            .field("tables", &self.tables)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::MysqlOptions;

    #[test]
    fn what_is_shown_of_options_holds_no_password_and_no_address() {
        let shown = format!(
            "{:?}",
            MysqlOptions::new("mysql://otp:hunter2@10.0.0.1/codes")
        );
        assert!(
            !shown.contains("hunter2") && !shown.contains("10.0.0.1"),
            "{shown}"
        );
    }
}
