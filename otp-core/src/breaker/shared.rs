use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Breaker, BreakerRules, BreakerState, Resting, Ticket};
use crate::clock::Timestamp;

/// A [`Breaker`] that any number of tasks ask at once. Clones are one breaker.
///
/// Racing calls come out as if they were made one after the other: neither a failure nor the threshold
/// is missed, and one probe is one. While it is closed and nothing has failed, asking and reporting
/// success take no lock.
#[derive(Clone, Debug, Default)]
pub struct SharedBreaker(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The era of a breaker that is closed without a failure, or [`STIRRED`]. Written under the lock,
    /// so that whoever reads an era here sees the breaker as it was at that moment.
    calm: AtomicU64,
    breaker: Mutex<Breaker>,
}

const STIRRED: u64 = u64::MAX;

impl SharedBreaker {
    /// Starts closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.calm() {
            Some(_) => BreakerState::Closed,
            None => self.locked(|breaker| breaker.state()),
        }
    }

    /// Counts the failures in a row while it is closed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.locked(|breaker| breaker.failures())
    }

    /// Says how long the part has been left alone; zero while it is not.
    #[must_use]
    pub fn rested(&self, now: Timestamp) -> Duration {
        self.locked(|breaker| breaker.rested(now))
    }

    /// Asks to ask; see [`Breaker::ask`].
    ///
    /// # Errors
    /// [`Resting`] while the part is left alone.
    pub fn ask(&self, now: Timestamp, rules: BreakerRules) -> Result<Pass, Resting> {
        let ticket = match self.calm() {
            Some(ticket) => ticket,
            None => self.locked(|breaker| breaker.ask(now, &rules))?,
        };
        Ok(self.pass(ticket, rules))
    }

    /// Asks to ask before the rest is over; see [`Breaker::ask_early`].
    ///
    /// # Errors
    /// [`Resting`] while another probe is under way.
    pub fn ask_early(&self, now: Timestamp, rules: BreakerRules) -> Result<Pass, Resting> {
        let ticket = self.locked(|breaker| breaker.ask_early(now, &rules))?;
        Ok(self.pass(ticket, rules))
    }

    fn pass(&self, ticket: Ticket, rules: BreakerRules) -> Pass {
        Pass {
            breaker: self.clone(),
            rules,
            ticket: Some(ticket),
        }
    }

    /// Gives what [`Breaker::ask`] would, where there is nothing to count and nothing to wait for.
    fn calm(&self) -> Option<Ticket> {
        let era = self.0.calm.load(Ordering::SeqCst);
        (era != STIRRED).then(|| Ticket::of(era))
    }

    fn locked<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let breaker = self.0.breaker.lock();
        let mut breaker = breaker.unwrap_or_else(PoisonError::into_inner);
        let answer = act(&mut breaker);
        let is_calm = breaker.state() == BreakerState::Closed && breaker.failures() == 0;
        let calm = if is_calm { breaker.era } else { STIRRED };
        self.0.calm.store(calm, Ordering::SeqCst);
        answer
    }
}

/// The right to ask once. Dropped without a word (a cancelled call, a panic) it frees the place of
/// a probe and counts as nothing.
#[derive(Debug)]
#[must_use = "a pass that is dropped counts as never used"]
pub struct Pass {
    breaker: SharedBreaker,
    rules: BreakerRules,
    ticket: Option<Ticket>,
}

impl Pass {
    /// Reports that the part works.
    pub fn succeeded(mut self) {
        if let Some(ticket) = self.ticket.take() {
            // A success where nothing has failed changes nothing.
            if self.breaker.calm() != Some(ticket) {
                self.breaker.locked(|breaker| breaker.succeeded(ticket));
            }
        }
    }

    /// Reports that the part has said nothing for longer than usual; see [`Breaker::overdue`].
    pub fn overdue(&mut self, now: Timestamp) {
        if let Some(ticket) = self.ticket {
            let overdue = |breaker: &mut Breaker| breaker.overdue(ticket, now, &self.rules);
            self.ticket = Some(self.breaker.locked(overdue));
        }
    }

    /// Reports an answer that blames the part for nothing; see [`Breaker::answered`].
    pub fn answered(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.locked(|breaker| breaker.answered(ticket));
        }
    }

    /// Reports that the part failed.
    pub fn failed(mut self, now: Timestamp) {
        if let Some(ticket) = self.ticket.take() {
            let failed = |breaker: &mut Breaker| breaker.failed(ticket, now, &self.rules);
            self.breaker.locked(failed);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.locked(|breaker| breaker.abandoned(ticket));
        }
    }
}
