//! Tells the time through a trait, so that expiry is tested without waiting and never goes backwards.

use std::{fmt, time::SystemTime};

mod steady;
mod stopwatch;
mod timestamp;
mod utc;

#[cfg(any(test, feature = "testing"))]
mod manual;

#[cfg(any(test, feature = "testing"))]
pub use manual::ManualClock;
pub use steady::{ClockAnomaly, SteadyClock};
pub(crate) use stopwatch::Stopwatch;
pub use timestamp::Timestamp;
pub use utc::{Day, Utc};

/// Tells the present time.
///
/// # Contract
/// `now` is cheap, never blocks, and may jump in either direction: [`SteadyClock`] stands between it and
/// every decision.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Reads the clock.
    fn now(&self) -> Timestamp;
}

/// Reads the operating system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_reads_a_time_after_this_was_written() {
        assert!(SystemClock.now() > Timestamp::from_millis(1_750_000_000_000));
    }
}
