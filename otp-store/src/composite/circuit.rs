//! Whether an engine is asked at all: a breaker that opens where failures in a row and a missing sign
//! of life come together, and closes by itself when a probe finds the engine alive.

use std::error::Error;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otp_core::breaker::{BreakerRules, BreakerState, Pass, SharedBreaker};
use otp_core::clock::Clock;
use otp_core::store::{StoreError, StoreErrorKind};
use tokio::sync::Notify;

/// The failures in a row that raise a doubt, where nobody says otherwise. One lost answer does not
/// take everybody's live codes away for half a minute; three are worth a question.
pub(super) const FAILURES: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);
/// How long an engine is left alone before it is probed, where nobody says otherwise.
pub(super) const REST: Duration = BreakerRules::REST;

/// Counts the outages among an engine's answers. Other errors are answers: the engine is there.
pub(super) struct Circuit {
    clock: Arc<dyn Clock>,
    failures: NonZeroU32,
    /// What it hears of is settled already, so that one report opens it.
    breaker: SharedBreaker,
    rules: BreakerRules,
    run: Mutex<Run>,
    /// Told when a doubt is settled.
    settled: Notify,
}

/// The callers' answers while the engine is asked.
#[derive(Debug, Default)]
struct Run {
    /// Failures in a row.
    failures: u32,
    doubt: Doubted,
    /// What the engine said of the last of them.
    cause: Option<String>,
}

/// Whether somebody asks for a sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doubted {
    #[default]
    No,
    Yes,
}

impl Circuit {
    pub(super) fn new(clock: Arc<dyn Clock>, failures: NonZeroU32, rest: Duration) -> Self {
        Self {
            clock,
            failures,
            breaker: SharedBreaker::new(),
            rules: BreakerRules::new(NonZeroU32::MIN).with_rest(rest),
            run: Mutex::default(),
            settled: Notify::new(),
        }
    }

    /// Says whether the engine is away, and with which error.
    pub(super) fn away(&self) -> Option<StoreErrorKind> {
        match self.breaker.state() {
            BreakerState::Closed => None,
            _ => Some(StoreErrorKind::Unavailable),
        }
    }

    /// Takes notice of an answer to a caller. Late answers to questions from before the circuit
    /// opened change nothing any more.
    ///
    /// Enough failures in a row raise a doubt, one at a time: they may be those of one subject, or
    /// of one part of the engine, which must not take it away from everybody else.
    pub(super) fn notice<T>(self: &Arc<Self>, answer: &Result<T, StoreError>) -> Option<Doubt> {
        let failed = matches!(answer, Err(error) if error.kind() == StoreErrorKind::Unavailable);
        let mut run = self.lock();
        if self.away().is_some() {
            return None;
        }
        if let Err(error) = answer
            && failed
        {
            run.cause = Some(deepest(error).to_string());
        }
        run.failures = if failed {
            run.failures.saturating_add(1)
        } else {
            0
        };
        if run.doubt == Doubted::Yes || run.failures < self.failures.get() {
            return None;
        }
        let pass = self.breaker.ask(self.clock.now(), self.rules).ok()?;
        run.doubt = Doubted::Yes;
        Some(Doubt {
            circuit: Arc::clone(self),
            pass: Some(pass),
        })
    }

    /// Waits until the doubt that is under way is settled; one that is not, ends nothing.
    #[cfg(feature = "memory")]
    pub(super) async fn settled(&self) {
        let settled = self.settled.notified();
        let mut settled = std::pin::pin!(settled);
        settled.as_mut().enable();
        if self.lock().doubt == Doubted::Yes {
            settled.await;
        }
    }

    /// Raises a doubt by one failure, for a caller who can go on without the engine.
    #[cfg(feature = "memory")]
    pub(super) fn doubt(self: &Arc<Self>) -> Option<Doubt> {
        let mut run = self.lock();
        if self.away().is_some() || run.doubt == Doubted::Yes {
            return None;
        }
        let pass = self.breaker.ask(self.clock.now(), self.rules).ok()?;
        run.failures = run.failures.max(self.failures.get());
        run.doubt = Doubted::Yes;
        Some(Doubt {
            circuit: Arc::clone(self),
            pass: Some(pass),
        })
    }

    /// Makes one caller the one who probes, when the engine has rested long enough.
    pub(super) fn probe(self: &Arc<Self>) -> Option<Probe> {
        self.away()?;
        let pass = self.breaker.ask(self.clock.now(), self.rules).ok()?;
        Some(Probe {
            circuit: Arc::clone(self),
            pass: Some(pass),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives what an engine said itself, of an error that several layers have passed on.
fn deepest(error: &StoreError) -> &(dyn Error + 'static) {
    let mut deepest: &(dyn Error + 'static) = error;
    while let Some(deeper) = deepest.source() {
        deepest = deeper;
    }
    deepest
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circuit")
            .field("breaker", &self.breaker)
            .field("run", &*self.lock())
            .field("failures", &self.failures)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// A doubt whether a closed circuit should stay so. However it ends, a panic included, it is
/// settled.
#[derive(Debug)]
pub(super) struct Doubt {
    circuit: Arc<Circuit>,
    /// Taken where there was a sign of life.
    pass: Option<Pass>,
}

impl Doubt {
    /// Leaves the circuit closed.
    pub(super) fn dispelled(mut self) {
        drop(self.pass.take());
    }

    fn settle(&mut self) {
        let circuit = &self.circuit;
        let mut run = circuit.lock();
        run.doubt = Doubted::No;
        // An answer to anybody meanwhile is a sign of life as well.
        if run.failures < circuit.failures.get() {
            return;
        }
        run.failures = 0;
        if let Some(pass) = self.pass.take() {
            pass.failed(circuit.clock.now());
            tracing::warn!(
                target: "otp_kit",
                seconds = circuit.rules.rest().as_secs(),
                cause = run.cause.take().unwrap_or_default(),
                "Circuit breaker OPEN: an engine of the store is left alone"
            );
        }
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        self.settle();
        self.circuit.settled.notify_waiters();
    }
}

/// A probe under way. However it ends, a panic included, the circuit is left open or closed.
#[derive(Debug)]
pub(super) struct Probe {
    circuit: Arc<Circuit>,
    pass: Option<Pass>,
}

impl Probe {
    /// Closes the circuit.
    pub(super) fn succeeded(mut self) {
        if let Some(pass) = self.pass.take() {
            pass.succeeded();
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // The rest begins when the probe has failed, not when it began.
        if let Some(pass) = self.pass.take() {
            pass.failed(self.circuit.clock.now());
        }
    }
}

#[cfg(test)]
mod tests {
    use otp_core::clock::ManualClock;

    use super::*;

    fn circuit() -> (Arc<Circuit>, ManualClock) {
        let clock = ManualClock::default();
        let circuit = Circuit::new(Arc::new(clock.clone()), FAILURES, REST);
        (Arc::new(circuit), clock)
    }

    /// Fails so often; nobody gives a sign of life.
    fn fail(circuit: &Arc<Circuit>, kind: StoreErrorKind, times: usize) {
        for _ in 0..times {
            drop(circuit.notice::<()>(&Err(kind.into())));
        }
    }

    fn doubted(circuit: &Arc<Circuit>) -> Doubt {
        fail(circuit, StoreErrorKind::Unavailable, 2);
        let third = circuit.notice::<()>(&Err(StoreErrorKind::Unavailable.into()));
        third.expect("the third raises it")
    }

    #[test]
    fn three_outages_in_a_row_open_it_and_an_answer_between_them_begins_anew() {
        let (circuit, _) = circuit();
        fail(&circuit, StoreErrorKind::Unavailable, 2);
        assert!(circuit.notice(&Ok(())).is_none());
        fail(&circuit, StoreErrorKind::Unavailable, 2);
        fail(&circuit, StoreErrorKind::Invalid, 1);
        fail(&circuit, StoreErrorKind::Unavailable, 2);
        assert_eq!(circuit.away(), None);
        fail(&circuit, StoreErrorKind::Unavailable, 1);
        assert_eq!(circuit.away(), Some(StoreErrorKind::Unavailable));
    }

    #[test]
    fn a_sign_of_life_leaves_it_closed_and_its_absence_opens_it() {
        let (circuit, _) = circuit();
        for _ in 0..10 {
            let doubt = doubted(&circuit);
            assert_eq!(circuit.away(), None, "the engine is asked meanwhile");
            doubt.dispelled();
            assert_eq!(circuit.away(), None);
        }
        drop(doubted(&circuit));
        assert!(circuit.away().is_some());
    }

    #[test]
    fn one_doubt_is_raised_at_a_time_and_an_answer_meanwhile_settles_it() {
        let (circuit, _) = circuit();
        let doubt = doubted(&circuit);
        fail(&circuit, StoreErrorKind::Unavailable, 100);
        assert_eq!(circuit.away(), None, "none of the hundred raised another");
        assert!(circuit.notice(&Ok(())).is_none());
        fail(&circuit, StoreErrorKind::Unavailable, 2);
        drop(doubt);
        assert_eq!(circuit.away(), None);
        fail(&circuit, StoreErrorKind::Unavailable, 1);
        assert!(circuit.away().is_some(), "it counted on");
    }

    #[test]
    fn errors_that_are_answers_never_open_it() {
        let (circuit, _) = circuit();
        for kind in [
            StoreErrorKind::Invalid,
            StoreErrorKind::Full,
            StoreErrorKind::Corrupt,
            StoreErrorKind::ClockAnomaly,
        ] {
            fail(&circuit, kind, 100);
            assert_eq!(circuit.away(), None, "{kind:?}");
        }
    }

    #[test]
    fn one_caller_probes_after_the_rest_and_a_failed_or_dropped_probe_begins_another() {
        let (circuit, clock) = circuit();
        fail(&circuit, StoreErrorKind::Unavailable, 3);
        clock.advance(REST - Duration::from_millis(1));
        assert!(circuit.probe().is_none(), "too early");
        clock.advance(Duration::from_millis(1));
        let probe = circuit.probe().expect("one probes");
        assert!(circuit.probe().is_none(), "and nobody else");
        assert!(circuit.away().is_some(), "the others stay beneath");
        clock.advance(Duration::from_secs(5));
        drop(probe);
        assert!(circuit.away().is_some());
        clock.advance(REST - Duration::from_millis(1));
        assert!(circuit.probe().is_none(), "the rest begins at the failure");
        clock.advance(Duration::from_millis(1));
        circuit.probe().expect("another one").succeeded();
        assert_eq!(circuit.away(), None);
        fail(&circuit, StoreErrorKind::Unavailable, 2);
        assert_eq!(circuit.away(), None, "it counts from nothing again");
    }

    #[test]
    fn late_answers_neither_close_an_open_circuit_nor_lengthen_its_rest() {
        let (circuit, clock) = circuit();
        fail(&circuit, StoreErrorKind::Unavailable, 3);
        clock.advance(REST);
        assert!(circuit.notice(&Ok(())).is_none());
        assert!(circuit.away().is_some());
        fail(&circuit, StoreErrorKind::Unavailable, 100);
        assert!(circuit.probe().is_some());
    }

    #[test]
    fn a_clock_that_was_set_back_delays_a_probe_by_one_rest_at_the_most() {
        let (circuit, clock) = circuit();
        fail(&circuit, StoreErrorKind::Unavailable, 3);
        clock.step_back(Duration::from_secs(86_400));
        assert!(circuit.probe().is_none());
        clock.advance(REST);
        assert!(circuit.probe().is_some());
    }
}
