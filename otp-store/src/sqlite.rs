//! Everything in one `SQLite` file: one machine, any number of processes.

mod dialect;
mod engine;
mod job;
mod link;
mod options;
mod schema;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use otp_core::event::Event;
use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use tokio::time::timeout;

pub use options::SqliteOptions;

use crate::sql::{
    Dialect, Engine, Forgive, Intent, keep_devices_in_rows, keep_in_rows, keep_sessions_in_rows,
};
use crate::tables::Tables;
use crate::terms::Retention;
use engine::failed;
use link::Watch;
use options::Place;
use writer::{Renewal, Waits, Writer};

/// How many readers look at a file at once.
const READERS: u32 = 4;

/// A store in one `SQLite` file.
///
/// - *Durable.* What was answered is on the disk (write-ahead log, `synchronous=FULL`): a process
///   that is killed, or a machine that loses power, revives no code and forgets no guess.
/// - *One writer.* All of a process's writes go through one task, which carries out what waits in
///   one transaction, each intent undone by itself where it fails, and commits once for all of
///   them. Several processes may share the file, and take turns at it.
/// - *Cancellable.* No future of a caller touches a connection: a dropped one leaves its intent
///   done or not done, and harms nobody.
/// - *Bounded.* Whoever is not answered within the deadline hears
///   [`Unavailable`](StoreErrorKind::Unavailable); whether the intent was carried out is then not
///   known.
/// - *Steady.* The highest time seen is kept in the file, so that a clock that is set back while
///   the process is down is noticed too. After a leap ahead was put right, see
///   [`forgive_clock`](Self::forgive_clock).
///
/// Guesses are forgotten when their subject's next one is reserved, not by
/// [`purge`](otp_core::store::ChallengeStore::purge): how long they count is the budget's rule.
///
/// A record of a kind that only a later version of this library knows is passed over by the outbox
/// and stays in the audit log.
///
/// The file is made with the rights that the process makes files with: put it where only the
/// service can read.
///
/// Cheap to clone; clones share everything. It lives on the `tokio` runtime that opened it, which
/// must have its timer enabled. When the last clone is dropped, what was handed over is still
/// written.
///
/// # Examples
/// ```
/// use otp_core::store::ChallengeStore as _;
/// use otp_store::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), otp_core::store::StoreError> {
/// let store = SqliteStore::in_memory().await?;
/// let now = store.ping().await?;
/// # let _ = now;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    /// `None` where the database is in the writer's connection.
    readers: Option<SqlitePool>,
    watch: Watch,
    deadline: Duration,
    retention: Retention,
}

impl SqliteStore {
    /// Opens a file, makes it and its tables where they are not there, and brings the tables up
    /// to date.
    ///
    /// # Errors
    /// [`StoreError`]: [`Unavailable`](StoreErrorKind::Unavailable) where the file cannot be
    /// opened, [`Corrupt`](StoreErrorKind::Corrupt) where it is no database, or one of a newer
    /// version of this library.
    pub async fn open(path: impl AsRef<Path> + Send) -> Result<Self, StoreError> {
        Self::with_options(SqliteOptions::file(path)).await
    }

    /// Opens a store in memory, which nobody else sees and which is gone with its last clone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn in_memory() -> Result<Self, StoreError> {
        Self::with_options(SqliteOptions::in_memory()).await
    }

    /// Opens a store as the options say.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`Corrupt`](StoreErrorKind::Corrupt) where tables that were
    /// [expected](Tables::Expect) are not there.
    pub async fn with_options(options: SqliteOptions) -> Result<Self, StoreError> {
        if options.tables == Tables::Expect {
            let reading = engine::reading(&options.place, options.busy_timeout);
            let mut conn = engine::connect(&reading).await?;
            let found = schema::expect(&mut conn).await;
            let _ = conn.close().await;
            found?;
        }
        let writing = engine::writing(&options.place, options.busy_timeout);
        let mut conn = engine::connect(&writing).await?;
        let watch = Watch::new(&options.clock);
        if let Err(error) = prepare(&mut conn, &watch, options.tables).await {
            let _ = conn.close().await;
            return Err(error);
        }
        let (readers, renewal) = match &options.place {
            Place::Memory => (None, Renewal::Keep),
            Place::File(_) => {
                let reading = engine::reading(&options.place, options.busy_timeout);
                let pool = SqlitePoolOptions::new()
                    .max_connections(READERS)
                    .acquire_timeout(options.deadline)
                    .connect_lazy_with(reading);
                (Some(pool), Renewal::Reopen)
            }
        };
        let waits = Waits {
            busy: options.busy_timeout,
            deadline: options.deadline,
        };
        let writer = Writer::start(conn, writing, renewal, watch.clone(), waits);
        Ok(Self {
            inner: Arc::new(Inner {
                writer,
                readers,
                watch,
                deadline: options.deadline,
                retention: options.retention,
            }),
        })
    }

    /// Makes the tables, or brings them up to date, through the host's own connections: beside the
    /// host's own migrations, and in a host's own order. The store is then opened on the same file,
    /// best with [`Tables::Expect`]; its connections are its own, because all that it writes goes
    /// through one of them.
    ///
    /// May be called again, and by several processes at once: one does it and the others wait, as
    /// long as the pool's `busy_timeout` allows. It goes on where its caller leaves; one that was
    /// interrupted has changed nothing.
    ///
    /// # Errors
    /// [`StoreError`]: [`Unavailable`](StoreErrorKind::Unavailable) where no connection was to be
    /// had or the file was not given up, [`Corrupt`](StoreErrorKind::Corrupt) where the tables are
    /// those of another version of this library.
    pub async fn migrate(pool: &SqlitePool) -> Result<(), StoreError> {
        let pool = pool.clone();
        let task = tokio::spawn(async move {
            let mut conn = pool.acquire().await.map_err(failed)?;
            schema::migrate(&mut conn).await
        });
        task.await.map_err(|_| StoreErrorKind::Unavailable)?
    }

    /// Accepts the clock as it stands, after an operator has put right one that had leapt ahead.
    ///
    /// Until then every answer is [`ClockAnomaly`](StoreErrorKind::ClockAnomaly). Every live
    /// challenge is revoked first, and every session ended, because nobody can say any more which of them had expired;
    /// answers how many, and adds to the event how many as the reason `revoked:N`. Locks and
    /// quotas stay as they are and may last longer by the leap. Other processes on the same file
    /// that have seen the leap must be restarted afterwards.
    ///
    /// # Errors
    /// [`StoreError`]; then the clock is not accepted.
    pub async fn forgive_clock(&self, event: Event) -> Result<u64, StoreError> {
        self.write(Forgive(event)).await
    }
}

impl Engine for SqliteStore {
    const DIALECT: &'static Dialect = &dialect::DIALECT;

    async fn write<I: Intent>(&self, intent: I) -> Result<I::Answer, StoreError> {
        self.inner.writer.submit(intent).await
    }

    /// Carries an intent out that changes nothing, beside the writer where that is possible.
    async fn read<I: Intent>(&self, intent: I) -> Result<I::Answer, StoreError> {
        let Some(pool) = &self.inner.readers else {
            return self.write(intent).await;
        };
        // A task of its own: a caller who leaves must not leave a connection in mid-transaction.
        let task = tokio::spawn(look(pool.clone(), self.inner.watch.clone(), intent));
        timeout(self.inner.deadline, task)
            .await
            .map_err(|_| StoreErrorKind::Unavailable)?
            .map_err(|_| StoreErrorKind::Unavailable)?
    }

    fn retention(&self) -> Retention {
        self.inner.retention
    }
}

keep_in_rows!(SqliteStore, "sqlite");
keep_devices_in_rows!(SqliteStore);
keep_sessions_in_rows!(SqliteStore);

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("deadline", &self.inner.deadline)
            .field("retention", &self.inner.retention)
            .finish_non_exhaustive()
    }
}

/// Makes the tables ready, and the clock remember what was seen before the process began.
async fn prepare(
    conn: &mut SqliteConnection,
    watch: &Watch,
    tables: Tables,
) -> Result<(), StoreError> {
    if tables == Tables::Migrate {
        schema::migrate(conn).await?;
    }
    engine::try_briefly(conn).await?;
    link::writing(conn, watch).await.map(drop)
}

async fn look<I: Intent>(
    pool: SqlitePool,
    watch: Watch,
    intent: I,
) -> Result<I::Answer, StoreError> {
    let mut snapshot = pool.begin().await.map_err(failed)?;
    let answer = intent
        .carry_out(&mut link::reading(&mut snapshot, &watch))
        .await;
    snapshot.rollback().await.map_err(failed)?;
    answer
}
