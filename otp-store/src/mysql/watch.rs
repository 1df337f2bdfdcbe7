//! The time of transactions: the engine's, never going back for this process.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use otp_core::clock::{Clock, ClockAnomaly, SteadyClock, Timestamp};

/// How far the mark in the database may be behind: what another process knows of the time.
///
/// The mark is one row, and would make every transaction wait for every other if each raised it.
const MARK_LAG_MS: i64 = 1_000;

/// What this process knows of the time.
#[derive(Debug)]
pub(super) struct Watch {
    clock: Arc<dyn Clock>,
    told: Option<Arc<Told>>,
    steady: SteadyClock,
    pardons: Mutex<Pardons>,
    raised_ms: AtomicI64,
}

/// The engine's own clock, as it was last heard.
#[derive(Debug, Default)]
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Acquire))
    }
}

/// How often an operator has accepted the clock. A mark that was asked for before a pardon may be
/// the one that was forgiven, and must not be believed after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pardons(u64);

impl Watch {
    /// Goes by the engine's clock, or by one that was given for tests.
    pub(super) fn new(given: Option<Arc<dyn Clock>>) -> Self {
        let told = Arc::new(Told::default());
        let (clock, told): (Arc<dyn Clock>, _) = match given {
            Some(clock) => (clock, None),
            None => {
                let engine: Arc<Told> = Arc::clone(&told);
                (engine, Some(told))
            }
        };
        Self {
            steady: SteadyClock::new(Arc::clone(&clock)),
            clock,
            told,
            pardons: Mutex::default(),
            raised_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// To be asked before a transaction begins.
    pub(super) fn pardons(&self) -> Pardons {
        *self.pardons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the time of a transaction that heard the engine's clock and the mark.
    pub(super) fn read(
        &self,
        engine: Timestamp,
        mark: Timestamp,
        before: Pardons,
    ) -> Result<Timestamp, ClockAnomaly> {
        if let Some(told) = &self.told {
            told.0.store(engine.as_millis(), Ordering::Release);
        }
        let pardons = self.pardons.lock().unwrap_or_else(PoisonError::into_inner);
        if *pardons == before {
            let _ = self.steady.clone().with_floor(mark);
        }
        self.steady.read()
    }

    /// Gives the clock itself, for a transaction that accepts its reading.
    pub(super) fn own(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Accepts the clock, now that its pardon is committed.
    pub(super) fn forgive(&self) {
        let mut pardons = self.pardons.lock().unwrap_or_else(PoisonError::into_inner);
        pardons.0 = pardons.0.wrapping_add(1);
        let now = self.steady.forgive();
        self.raised_ms.store(now.as_millis(), Ordering::Release);
    }

    /// Says what the mark should be raised to, to one caller a second.
    pub(super) fn overdue(&self, now: Timestamp, mark: Timestamp) -> Option<i64> {
        let (now, mark) = (now.as_millis(), mark.as_millis());
        if now.saturating_sub(mark) < MARK_LAG_MS {
            return None;
        }
        let raised = self.raised_ms.load(Ordering::Acquire);
        if now.saturating_sub(raised) < MARK_LAG_MS {
            return None;
        }
        let taken =
            self.raised_ms
                .compare_exchange(raised, now, Ordering::AcqRel, Ordering::Acquire);
        taken.ok().map(|_| now)
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use otp_core::clock::Timestamp;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn the_mark_is_raised_by_one_caller_a_second() {
        let watch = Watch::new(None);
        assert_eq!(watch.overdue(at(10_500), at(10_000)), None);
        assert_eq!(watch.overdue(at(11_000), at(10_000)), Some(11_000));
        assert_eq!(watch.overdue(at(11_500), at(10_000)), None);
        assert_eq!(watch.overdue(at(12_000), at(10_000)), Some(12_000));
    }

    #[test]
    fn a_mark_that_was_heard_before_a_pardon_is_not_believed_after_it() {
        let watch = Watch::new(None);
        let before = watch.pardons();
        assert_eq!(watch.read(at(90_000), at(0), before), Ok(at(90_000)));
        assert!(watch.read(at(10_000), at(90_000), before).is_err());
        watch.forgive();
        assert_eq!(watch.read(at(10_001), at(90_000), before), Ok(at(10_001)));
        assert!(watch.read(at(10_002), at(90_000), watch.pardons()).is_err());
    }

    #[test]
    fn time_stands_still_where_the_engines_clock_is_put_back_a_little() {
        let watch = Watch::new(None);
        let pardons = watch.pardons();
        assert_eq!(watch.read(at(9_000), at(0), pardons), Ok(at(9_000)));
        assert_eq!(watch.read(at(4_000), at(0), pardons), Ok(at(9_000)));
        assert!(watch.read(at(3_999), at(0), pardons).is_err());
    }
}
