//! A clock that stands still until a test moves it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::{Clock, Timestamp};

/// Shows the time that a test has set. Clones share one hand.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::clock::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_millis(0));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now(), Timestamp::from_millis(2_000));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// Starts at the given time.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_millis())))
    }

    /// Shows this time from now on.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_millis(), Ordering::Release);
    }

    /// Moves forward.
    pub fn advance(&self, by: Duration) {
        self.turn(|time| time.saturating_add(by));
    }

    /// Moves backward, as a corrected or tampered clock does.
    pub fn step_back(&self, by: Duration) {
        self.turn(|time| time.saturating_sub(by));
    }

    fn turn(&self, to: impl Fn(Timestamp) -> Timestamp) {
        // The closure always answers `Some`, so the update cannot fail.
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |millis| {
                Some(to(Timestamp::from_millis(millis)).as_millis())
            });
    }
}

/// Starts at 2026-01-01T00:00:00Z.
impl Default for ManualClock {
    fn default() -> Self {
        Self::new(Timestamp::from_millis(1_767_225_600_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_moved_and_its_clones_move_with_it() {
        let clock = ManualClock::default();
        let other = clock.clone();
        let start = other.now();
        assert_eq!(other.now(), start);
        clock.advance(Duration::from_secs(3));
        clock.step_back(Duration::from_secs(1));
        assert_eq!(other.now().since(start), Duration::from_secs(2));
    }
}
