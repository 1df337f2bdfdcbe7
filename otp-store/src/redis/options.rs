//! How a store is reached.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock;

use super::policy::Eviction;

/// Says which server a [`RedisStore`](super::RedisStore) keeps things in and how long it waits.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_store::redis::RedisOptions;
///
/// let options = RedisOptions::new("redis://127.0.0.1:6379").deadline(Duration::from_secs(1));
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct RedisOptions {
    pub(super) url: String,
    pub(super) prefix: String,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) deadline: Duration,
    pub(super) keep: Duration,
    pub(super) eviction: Eviction,
}

impl RedisOptions {
    /// Keeps everything in the server of this URL.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: "otp".to_owned(),
            clock: None,
            deadline: Duration::from_secs(2),
            keep: Duration::from_secs(86_400),
            eviction: Eviction::Refused,
        }
    }

    /// Sets what keys begin with. Default: `otp`, for `otp:` and `otpguard:`.
    ///
    /// Two stores of one prefix on one server are one store.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Decides by this clock in place of the server's: for tests. Every instance must have the
    /// same one.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets how long a caller waits for any one answer; then it is
    /// [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable). Default: 2 s.
    #[must_use]
    pub fn deadline(mut self, wait: Duration) -> Self {
        self.deadline = wait;
        self
    }

    /// Sets how long challenges that have ended are kept. Default: a day.
    #[must_use]
    pub fn keep_ended_challenges(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// Takes a server that may evict keys, or that does not say whether it does (where both
    /// `CONFIG GET` and `INFO` are forbidden).
    ///
    /// A server that evicts a budget forgets its guesses. Default: such a server is refused.
    #[must_use]
    pub fn allow_eviction(mut self) -> Self {
        self.eviction = Eviction::Allowed;
        self
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("keep", &self.keep)
            .field("eviction", &self.eviction)
            .finish_non_exhaustive()
    }
}
