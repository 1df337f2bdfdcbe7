//! How a store is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock;
use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

use crate::Tables;
use crate::tables::CONNECTION_LIFE;
use crate::terms::{LONGEST_WAIT, Retention};

/// Says which database a [`PostgresStore`](super::PostgresStore) keeps things in and how long it
/// waits.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_store::postgres::PostgresOptions;
///
/// let options = PostgresOptions::new("postgres://otp@localhost/otp")
///     .connections(20)
///     .deadline(Duration::from_secs(2));
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct PostgresOptions {
    place: Place,
    connections: u32,
    connection_life: Duration,
    pub(super) tables: Tables,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) deadline: Duration,
    pub(super) retention: Retention,
}

#[derive(Clone)]
enum Place {
    Url(String),
    Pool(PgPool),
}

/// A connection that has rested for longer is asked whether it lives before it is used.
const RESTED: Duration = Duration::from_secs(1);

impl PostgresOptions {
    /// Keeps everything in the database of this URL, over a pool of the store's own. Opening
    /// migrates.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self::at(Place::Url(url.to_owned()), Tables::Migrate)
    }

    /// Keeps everything in the database of the host's own pool, and leaves its settings alone.
    /// Opening expects the tables; see [`tables`](Self::tables) and
    /// [`PostgresStore::migrate`](super::PostgresStore::migrate).
    ///
    /// A pool that is made with `test_before_acquire(false)` saves a round trip a call.
    #[must_use]
    pub fn pool(pool: PgPool) -> Self {
        Self::at(Place::Pool(pool), Tables::Expect)
    }

    fn at(place: Place, tables: Tables) -> Self {
        Self {
            place,
            connections: 10,
            connection_life: CONNECTION_LIFE,
            tables,
            clock: None,
            deadline: Duration::from_secs(5),
            retention: Retention::USUAL,
        }
    }

    /// Sets how many connections the store's own pool opens at the most. Default: 10. A host's
    /// pool keeps its own number.
    #[must_use]
    pub fn connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
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

    /// Sets what opening does about the tables. Default: [`Tables::Migrate`] for a URL,
    /// [`Tables::Expect`] for a host's pool.
    #[must_use]
    pub fn tables(mut self, tables: Tables) -> Self {
        self.tables = tables;
        self
    }

    /// Decides by this clock in place of the server's: for tests. Every instance must have the
    /// same one.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets how long a caller waits for any one answer, a connection included; then it is
    /// [`Unavailable`](StoreErrorKind::Unavailable). Default: 5 s;
    /// a day at the most.
    #[must_use]
    pub fn deadline(mut self, wait: Duration) -> Self {
        self.deadline = wait.min(LONGEST_WAIT);
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

    /// Gives the host's pool, or makes one that connects when it is first used.
    pub(super) fn pool_of(&self) -> Result<PgPool, StoreError> {
        let url = match &self.place {
            Place::Pool(pool) => return Ok(pool.clone()),
            Place::Url(url) => url,
        };
        // The driver would take any scheme for its own.
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(StoreErrorKind::Invalid.into());
        }
        let options: PgConnectOptions = url.parse().map_err(|_| StoreErrorKind::Invalid)?;
        let pool = PgPoolOptions::new()
            .max_connections(self.connections)
            .max_lifetime(self.connection_life)
            .acquire_timeout(self.deadline)
            // Asking every time would be a round trip more a call.
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    if meta.idle_for > RESTED {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            });
        Ok(pool.connect_lazy_with(options.disable_statement_logging()))
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("connections", &self.connections)
            .field("tables", &self.tables)
            .field("deadline", &self.deadline)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
