use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Breaker, BreakerRules, BreakerState, Resting, Ticket};
use crate::clock::Timestamp;

/// A [`Breaker`] that any number of tasks ask at once. Clones are one breaker.
#[derive(Clone, Debug, Default)]
pub struct SharedBreaker(Arc<Mutex<Breaker>>);

impl SharedBreaker {
    /// Starts closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where it stands.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.lock().state()
    }

    /// Counts the failures in a row while it is closed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.lock().failures()
    }

    /// Says how long the part has been left alone; zero while it is not.
    #[must_use]
    pub fn rested(&self, now: Timestamp) -> Duration {
        self.lock().rested(now)
    }

    /// Asks to ask; see [`Breaker::ask`].
    ///
    /// # Errors
    /// [`Resting`] while the part is left alone.
    pub fn ask(&self, now: Timestamp, rules: BreakerRules) -> Result<Pass, Resting> {
        let ticket = self.lock().ask(now, &rules)?;
        Ok(self.pass(ticket, rules))
    }

    /// Asks to ask before the rest is over; see [`Breaker::ask_early`].
    ///
    /// # Errors
    /// [`Resting`] while another probe is under way.
    pub fn ask_early(&self, now: Timestamp, rules: BreakerRules) -> Result<Pass, Resting> {
        let ticket = self.lock().ask_early(now, &rules)?;
        Ok(self.pass(ticket, rules))
    }

    fn pass(&self, ticket: Ticket, rules: BreakerRules) -> Pass {
        Pass {
            breaker: self.clone(),
            rules,
            ticket: Some(ticket),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            self.breaker.lock().succeeded(ticket);
        }
    }

    /// Reports that the part failed.
    pub fn failed(mut self, now: Timestamp) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.lock().failed(ticket, now, &self.rules);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.lock().abandoned(ticket);
        }
    }
}
