//! How a store is opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::{Clock, SystemClock};

use crate::tables::Tables;
use crate::terms::{LONGEST_WAIT, Retention};

/// Says where a [`SqliteStore`](super::SqliteStore) keeps things and how long it waits.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_store::sqlite::SqliteOptions;
///
/// let options = SqliteOptions::file("codes.db").deadline(Duration::from_secs(2));
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct SqliteOptions {
    pub(super) place: Place,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) busy_timeout: Duration,
    pub(super) deadline: Duration,
    pub(super) tables: Tables,
    pub(super) retention: Retention,
}

/// Where the database is.
#[derive(Clone)]
pub(super) enum Place {
    File(PathBuf),
    Memory,
}

const FIVE_SECONDS: Duration = Duration::from_secs(5);

impl SqliteOptions {
    /// Keeps everything in a file, which is made where it is not there. Its folder must be.
    #[must_use]
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self::at(Place::File(path.as_ref().to_owned()))
    }

    /// Keeps everything in memory, as long as the store or a clone of it lives.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::at(Place::Memory)
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            clock: Arc::new(SystemClock),
            busy_timeout: FIVE_SECONDS,
            deadline: FIVE_SECONDS,
            tables: Tables::Migrate,
            retention: Retention::USUAL,
        }
    }

    /// Sets the clock that every decision is made by. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how long a transaction waits for another process to give the file up. Default: 5 s;
    /// a day at the most.
    #[must_use]
    pub fn busy_timeout(mut self, wait: Duration) -> Self {
        self.busy_timeout = wait.min(LONGEST_WAIT);
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

    /// Sets what opening does about the file and its tables. Default: [`Tables::Migrate`], which
    /// makes both. [`Tables::Expect`] changes nothing before it has found them.
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

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("busy_timeout", &self.busy_timeout)
            .field("deadline", &self.deadline)
            .field("tables", &self.tables)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
