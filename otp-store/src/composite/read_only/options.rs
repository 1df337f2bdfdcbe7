use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::{Clock, SystemClock};

use crate::composite::circuit::{FAILURES, REST};

/// Says when the primary of a [`ReadOnlyFallback`](super::ReadOnlyFallback) is left alone, and
/// how fresh its copy is.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_store::composite::read_only::ReadOnlyOptions;
///
/// let options = ReadOnlyOptions::new().copy_every(Duration::from_secs(10));
/// # let _ = options;
/// ```
#[derive(Clone, Debug)]
pub struct ReadOnlyOptions {
    pub(super) failures: NonZeroU32,
    pub(super) rest: Duration,
    pub(super) copy_every: Duration,
    pub(super) keep: NonZeroUsize,
    pub(super) clock: Arc<dyn Clock>,
}

impl ReadOnlyOptions {
    /// Starts from the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            failures: FAILURES,
            rest: REST,
            copy_every: Duration::from_secs(60),
            keep: NonZeroUsize::MIN.saturating_add(9_999),
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets how many calls in a row must find the primary unavailable before it is asked for a sign
    /// of life; without one it is left alone. Default: 3.
    #[must_use]
    pub fn open_after(mut self, failures: NonZeroU32) -> Self {
        self.failures = failures;
        self
    }

    /// Sets how long the primary is left alone before it is asked for a sign of life. Default:
    /// 30 s.
    #[must_use]
    pub fn probe_after(mut self, rest: Duration) -> Self {
        self.rest = rest;
        self
    }

    /// Sets how old the copy may become while calls come in. Default: 60 s.
    #[must_use]
    pub fn copy_every(mut self, age: Duration) -> Self {
        self.copy_every = age;
        self
    }

    /// Sets how many records the copy holds. Default: 10,000.
    #[must_use]
    pub fn keep_records(mut self, records: NonZeroUsize) -> Self {
        self.keep = records;
        self
    }

    /// Reads this clock, for pauses alone. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Default for ReadOnlyOptions {
    fn default() -> Self {
        Self::new()
    }
}
