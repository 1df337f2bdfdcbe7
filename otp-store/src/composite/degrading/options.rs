use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::{Clock, SystemClock};
use otp_core::policy::OutagePolicy;

use crate::composite::circuit::{FAILURES, REST};
use crate::memory::Capacity;

/// Says what a [`Degrading`](super::Degrading) does in an outage, and when it is one.
///
/// # Examples
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use otp_core::policy::OutagePolicy;
/// use otp_store::composite::degrading::DegradingOptions;
///
/// let instances = NonZeroU32::new(4).ok_or("none")?;
/// let options = DegradingOptions::new(OutagePolicy::memory(), instances)
///     .probe_after(Duration::from_secs(10));
/// # let _ = options;
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
pub struct DegradingOptions {
    pub(super) policy: OutagePolicy,
    pub(super) instances: NonZeroU32,
    pub(super) failures: NonZeroU32,
    pub(super) rest: Duration,
    pub(super) mirror_every: Duration,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) capacity: Capacity,
}

impl DegradingOptions {
    /// Starts from a policy and the number of instances that share the primary.
    ///
    /// Declare the most that ever run at once: each takes that share of every limit while it is
    /// on its own, and more instances than declared take more than the whole together.
    #[must_use]
    pub fn new(policy: OutagePolicy, instances: NonZeroU32) -> Self {
        Self {
            policy,
            instances,
            failures: FAILURES,
            rest: REST,
            mirror_every: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
            capacity: Capacity::default(),
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

    /// Sets how old the copy of the blocklist may become while requests come in. Default: 60 s;
    /// a block that is placed through this instance is copied at once.
    #[must_use]
    pub fn mirror_every(mut self, age: Duration) -> Self {
        self.mirror_every = age;
        self
    }

    /// Reads this clock, for what is decided beneath and for the pauses of the circuit. Default:
    /// the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how much the memory beneath holds. Default: [`Capacity::default`].
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = capacity;
        self
    }
}
