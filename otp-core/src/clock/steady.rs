//! Guards every decision against a clock that is set back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use super::{Clock, Timestamp};

/// A clock set back by no more than this is an ordinary correction.
const TOLERANCE: Duration = Duration::from_secs(5);

/// Reads a clock so that time never runs backwards.
///
/// It keeps the highest time seen. A reading behind it by at most 5 seconds answers that highest time
/// again; a reading behind by more is a [`ClockAnomaly`], on which nothing may be decided: an expired code
/// must not come back to life because a host's clock was set back. Clones share what they have seen.
///
/// A clock that leapt far ahead and was then put right is such an anomaly too, and stays one until time
/// catches up or an operator calls [`forgive`](Self::forgive).
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::clock::{SteadyClock, SystemClock};
///
/// let clock = SteadyClock::new(Arc::new(SystemClock));
/// let first = clock.read()?;
/// assert!(clock.read()? >= first);
/// # Ok::<(), otp_core::clock::ClockAnomaly>(())
/// ```
#[derive(Clone, Debug)]
pub struct SteadyClock {
    clock: Arc<dyn Clock>,
    highest: Arc<AtomicI64>,
}

/// Says that the clock is behind a time already seen, by more than a correction explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock is {} ms behind a time already seen", behind.as_millis())]
pub struct ClockAnomaly {
    /// How far the clock is behind the highest time seen.
    pub behind: Duration,
}

impl SteadyClock {
    /// Starts from the clock's present reading.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let highest = Arc::new(AtomicI64::new(clock.now().as_millis()));
        Self { clock, highest }
    }

    /// Starts no earlier than `floor`, such as the highest time that a store has on record, so that a
    /// restart does not forget what was seen.
    ///
    /// It raises the mark of all clones and never lowers it.
    #[must_use]
    pub fn with_floor(self, floor: Timestamp) -> Self {
        self.highest.fetch_max(floor.as_millis(), Ordering::AcqRel);
        self
    }

    /// Reads the time, never earlier than any reading before it on any clone.
    ///
    /// # Errors
    /// [`ClockAnomaly`] when the clock is behind the highest time seen by more than 5 seconds.
    pub fn read(&self) -> Result<Timestamp, ClockAnomaly> {
        let now = self.clock.now();
        let mut highest = self.highest.load(Ordering::Acquire);
        // Most readings share their millisecond with one before, and write nothing.
        if highest < now.as_millis() {
            highest = self.highest.fetch_max(now.as_millis(), Ordering::AcqRel);
        }
        let highest = Timestamp::from_millis(highest);
        let behind = highest.since(now);
        if behind > TOLERANCE {
            Err(ClockAnomaly { behind })
        } else {
            Ok(now.max(highest))
        }
    }

    /// Tells the highest time seen, for a host that persists it as the next start's floor.
    #[must_use]
    pub fn highest(&self) -> Timestamp {
        Timestamp::from_millis(self.highest.load(Ordering::Acquire))
    }

    /// Accepts the clock's present reading as the truth and gives it back.
    ///
    /// For an operator who has put right a clock that had leapt ahead. Whatever expired between the two
    /// readings is judged by the accepted one from now on.
    #[expect(clippy::must_use_candidate, reason = "it is called for its effect")]
    pub fn forgive(&self) -> Timestamp {
        let now = self.clock.now();
        self.highest.store(now.as_millis(), Ordering::Release);
        now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::ManualClock;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn fixture() -> (ManualClock, SteadyClock) {
        let clock = ManualClock::new(START);
        (clock.clone(), SteadyClock::new(Arc::new(clock)))
    }

    #[test]
    fn a_small_step_back_answers_the_highest_time_seen() {
        let (clock, steady) = fixture();
        clock.step_back(TOLERANCE);
        assert_eq!(steady.read(), Ok(START));
    }

    #[test]
    fn a_step_back_beyond_the_tolerance_is_an_anomaly_that_says_how_far() {
        let (clock, steady) = fixture();
        let far = TOLERANCE + Duration::from_millis(1);
        clock.step_back(far);
        assert_eq!(steady.read(), Err(ClockAnomaly { behind: far }));
    }

    #[test]
    fn many_small_steps_back_do_not_add_up_unseen() {
        let (clock, steady) = fixture();
        clock.step_back(Duration::from_secs(3));
        assert_eq!(steady.read(), Ok(START));
        clock.step_back(Duration::from_secs(3));
        assert_eq!(
            steady.read(),
            Err(ClockAnomaly {
                behind: Duration::from_secs(6)
            })
        );
    }

    #[test]
    fn an_anomaly_ends_when_time_has_caught_up() {
        let (clock, steady) = fixture();
        clock.step_back(Duration::from_secs(60));
        assert!(steady.read().is_err());
        clock.advance(Duration::from_secs(61));
        assert_eq!(
            steady.read(),
            Ok(START.saturating_add(Duration::from_secs(1)))
        );
    }

    #[test]
    fn a_restart_with_a_floor_still_knows_that_the_clock_went_back() {
        let clock = ManualClock::new(START);
        let floor = START.saturating_add(Duration::from_secs(60));
        let steady = SteadyClock::new(Arc::new(clock)).with_floor(floor);
        assert_eq!(
            steady.read(),
            Err(ClockAnomaly {
                behind: Duration::from_secs(60)
            })
        );
        assert_eq!(steady.highest(), floor);
    }

    #[test]
    fn a_floor_in_the_past_changes_nothing() {
        let (_, steady) = fixture();
        assert_eq!(steady.with_floor(Timestamp::MIN).read(), Ok(START));
    }

    #[test]
    fn an_operator_can_accept_the_clock_after_a_leap_ahead() {
        let (clock, steady) = fixture();
        clock.advance(Duration::from_secs(3_600));
        assert!(steady.read().is_ok());
        clock.set(START);
        assert!(steady.read().is_err());
        assert_eq!(steady.forgive(), START);
        assert_eq!(steady.read(), Ok(START));
    }

    #[test]
    fn clones_share_what_they_have_seen() {
        let (clock, steady) = fixture();
        let other = steady.clone();
        clock.advance(Duration::from_secs(10));
        assert!(other.read().is_ok());
        clock.step_back(Duration::from_secs(10));
        assert!(steady.read().is_err());
    }

    proptest! {
        #[test]
        fn no_walk_of_the_clock_makes_an_accepted_reading_go_backwards(
            steps in proptest::collection::vec(-20_000_i64..20_000, 1..200)
        ) {
            let (clock, steady) = fixture();
            let mut last = START;
            for step in steps {
                clock.set(Timestamp::from_millis(clock.now().as_millis() + step));
                if let Ok(read) = steady.read() {
                    prop_assert!(read >= last);
                    prop_assert!(read.since(clock.now()) <= TOLERANCE);
                    last = read;
                }
            }
        }
    }
}
