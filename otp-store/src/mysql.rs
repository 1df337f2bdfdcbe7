//! Everything in a `MySQL` or `MariaDB` database: a fleet of instances, one set of rows that last.

mod desk;
mod dialect;
mod failure;
mod link;
mod options;
mod schema;
mod session;
mod watch;

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use otp_core::event::Event;
use otp_core::store::{Connections, StoreError, StoreErrorKind};
use sqlx::ConnectOptions as _;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use tokio::time::{Instant, timeout_at};

pub use options::MysqlOptions;

pub use crate::Tables;

use crate::presence::Presence;
use crate::sql::{
    Dialect, Engine, Forgive, Intent, Ping, keep_devices_in_rows, keep_in_rows,
    keep_sessions_in_rows,
};
use crate::tables;
use crate::terms::Retention;
use crate::unheard::Unheard;
use failure::failed;
use options::Place;
use session::Kind;
use watch::Watch;

/// A store in a `MySQL` (8.0.4 or later) or `MariaDB` (10.6 or later) database.
///
/// - *One decision at a time about one thing.* Each intent is a short transaction that first locks
///   numbered stripes of what it decides on, in one order, and waits for others only there.
/// - *One writing server.* The stripes are rows of one server. Of a Galera cluster or a group with
///   several primaries, all instances must be given the same server; a replica, or a server that
///   takes no writes, is refused.
/// - *The engine's clock.* Decisions go by the server's time, whatever an instance's clock or a
///   session's time zone says. The highest time seen is kept in the database, to the second, so
///   that a server's clock that is set back is noticed after a restart too. After a leap ahead was
///   put right, see [`forgive_clock`](Self::forgive_clock).
/// - *Cancellable.* No future of a caller touches a connection: a dropped one leaves its intent
///   done or not done, and harms nobody.
/// - *Bounded.* Whoever is not answered within the deadline hears
///   [`Unavailable`](StoreErrorKind::Unavailable); whether the intent was carried out is then not
///   known. A connection whose transaction is in doubt is closed.
/// - *As durable as the server.* What was answered survives the server's end where
///   `innodb_flush_log_at_trx_commit` is 1, which is the default.
///
/// Revocations that may mean anybody's challenge work in batches, each with a record of its own in
/// the audit log. Guesses are forgotten when their subject's next one is reserved, not by
/// [`purge`](otp_core::store::ChallengeStore::purge): how long they count is the budget's rule.
/// A record of a kind that only a later version of this library knows is passed over by the outbox
/// and stays in the audit log.
///
/// Cheap to clone; clones share everything. It lives on the `tokio` runtime that opened it, which
/// must have its timer enabled.
///
/// # Examples
/// ```no_run
/// use otp_core::store::ChallengeStore as _;
/// use otp_store::MysqlStore;
///
/// # async fn example() -> Result<(), otp_core::store::StoreError> {
/// let store = MysqlStore::connect("mysql://otp@127.0.0.1/otp").await?;
/// let now = store.ping().await?;
/// # let _ = now;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MysqlStore {
    inner: Arc<Inner>,
}

struct Inner {
    pool: MySqlPool,
    watch: Watch,
    presence: Presence,
    deadline: Duration,
    retention: Retention,
}

impl MysqlStore {
    /// Connects to a database, makes the tables where they are not there, and brings them up to
    /// date.
    ///
    /// # Errors
    /// [`StoreError`]: [`Unavailable`](StoreErrorKind::Unavailable) where the server is not reached
    /// or takes no writes, [`Invalid`](StoreErrorKind::Invalid) where the URL is none,
    /// [`Corrupt`](StoreErrorKind::Corrupt) where the tables are those of a newer version of this
    /// library.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::with_options(MysqlOptions::new(url)).await
    }

    /// Opens a store as the options say.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); [`Corrupt`](StoreErrorKind::Corrupt) too where the tables are
    /// not there and the options leave them to the host.
    pub async fn with_options(options: MysqlOptions) -> Result<Self, StoreError> {
        let pool = pool(&options)?;
        match options.tables {
            Tables::Migrate => schema::migrate(&pool).await?,
            Tables::Expect => schema::expect(&pool).await?,
        }
        let store = Self {
            inner: Arc::new(Inner {
                pool,
                watch: Watch::new(options.clock),
                presence: Presence::new(options.deadline),
                deadline: options.deadline,
                retention: options.retention,
            }),
        };
        match store.write(Ping).await {
            // A store whose clock stands wrong can be opened, to be forgiven.
            Err(error) if error.kind() != StoreErrorKind::ClockAnomaly => Err(error),
            _ => Ok(store),
        }
    }

    /// Says how full the pool is, at once and without asking the server.
    #[must_use]
    pub fn connections(&self) -> Connections {
        tables::connections(&self.inner.pool)
    }

    /// Makes the tables, or brings them up to date, through the host's own connections.
    ///
    /// May be called again, and by several processes at once: one does it and the others wait. One
    /// that was interrupted is finished by the next call.
    ///
    /// # Errors
    /// [`StoreError`]: [`Unavailable`](StoreErrorKind::Unavailable) where the server is not reached
    /// or does not allow it, [`Corrupt`](StoreErrorKind::Corrupt) where the tables are those of
    /// another version of this library.
    pub async fn migrate(pool: &MySqlPool) -> Result<(), StoreError> {
        schema::migrate(pool).await
    }

    /// Accepts the server's clock as it stands, after an operator has put right one that had leapt
    /// ahead.
    ///
    /// Until then every answer is [`ClockAnomaly`](StoreErrorKind::ClockAnomaly). Every live
    /// challenge is revoked first, and every session ended, because nobody can say any more which of them had expired;
    /// answers how many, and adds to the event how many as the reason `revoked:N`. Locks and
    /// quotas stay as they are and may last longer by the leap. Other instances that have seen the
    /// leap must be restarted afterwards.
    ///
    /// # Errors
    /// [`StoreError`]; then the clock is not accepted.
    pub async fn forgive_clock(&self, event: Event) -> Result<u64, StoreError> {
        let store = self.clone();
        // A task of its own: once the pardon is committed, this process must know of it.
        let task = tokio::spawn(async move {
            let revoked = store.write(Forgive(event)).await?;
            store.inner.watch.forgive();
            Ok(revoked)
        });
        task.await.map_err(|_| StoreErrorKind::Unavailable)?
    }

    async fn carry_out<I: Intent>(&self, kind: Kind, intent: I) -> Result<I::Answer, StoreError> {
        // A task of its own: a caller who leaves must not leave a connection in mid-transaction.
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let until = Instant::now() + inner.deadline;
            let work = async {
                let done = desk::carry_out(Arc::clone(&inner), kind, intent);
                let done = timeout_at(until, done).await;
                done.map_err(|_| Unheard::Late)?
            };
            inner.presence.call(work).await
        });
        task.await.map_err(|_| StoreErrorKind::Unavailable)?
    }
}

impl Engine for MysqlStore {
    const DIALECT: &'static Dialect = &dialect::DIALECT;

    async fn write<I: Intent>(&self, intent: I) -> Result<I::Answer, StoreError> {
        self.carry_out(Kind::Deciding, intent).await
    }

    async fn read<I: Intent>(&self, intent: I) -> Result<I::Answer, StoreError> {
        self.carry_out(Kind::Looking, intent).await
    }

    async fn locked<I: Intent>(&self, intent: I) -> Result<I::Answer, StoreError> {
        self.carry_out(Kind::Deciding, intent).await
    }

    fn retention(&self) -> Retention {
        self.inner.retention
    }
}

keep_in_rows!(MysqlStore, "mysql");
keep_devices_in_rows!(MysqlStore);
keep_sessions_in_rows!(MysqlStore);

impl fmt::Debug for MysqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlStore")
            .field("deadline", &self.inner.deadline)
            .field("retention", &self.inner.retention)
            .finish_non_exhaustive()
    }
}

fn pool(options: &MysqlOptions) -> Result<MySqlPool, StoreError> {
    let url = match &options.place {
        Place::Pool(pool) => return Ok(pool.clone()),
        Place::Url(url) => url,
    };
    let connecting = MySqlConnectOptions::from_str(url).map_err(|error| failed(&error))?;
    Ok(MySqlPoolOptions::new()
        .max_connections(options.connections)
        .max_lifetime(options.connection_life)
        .acquire_timeout(options.deadline)
        .connect_lazy_with(connecting.disable_statement_logging()))
}
