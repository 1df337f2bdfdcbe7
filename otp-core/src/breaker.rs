//! Whether a part that may be down is asked at all: a breaker that opens after failures in a row,
//! and closes when one probe finds the part alive.

mod shared;

use std::num::NonZeroU32;
use std::time::Duration;

pub use shared::{Pass, SharedBreaker};

use crate::clock::Timestamp;

/// How long a probe may be under way before its place is given to another. It only matters where a
/// probe is lost without a word; a [`Pass`] that is dropped says so itself.
const PROBE_LEASE: Duration = Duration::from_secs(60);

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    threshold: NonZeroU32,
    rest: Duration,
}

impl BreakerRules {
    /// How long a part is left alone, unless it is said otherwise.
    pub const REST: Duration = Duration::from_secs(30);

    /// Opens after `threshold` failures in a row and rests for [`REST`](Self::REST), 30 seconds.
    #[must_use]
    pub const fn new(threshold: NonZeroU32) -> Self {
        Self {
            threshold,
            rest: Self::REST,
        }
    }

    /// Sets how long the part is left alone before one probe is let through.
    #[must_use]
    pub const fn with_rest(self, rest: Duration) -> Self {
        Self { rest, ..self }
    }

    /// Gives the failures in a row that open.
    #[must_use]
    pub const fn threshold(&self) -> NonZeroU32 {
        self.threshold
    }

    /// Gives the rest.
    #[must_use]
    pub const fn rest(&self) -> Duration {
        self.rest
    }
}

/// Where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerState {
    /// The part is asked.
    Closed,
    /// It is left alone.
    Open,
    /// It is left alone by all but one, who is finding out.
    HalfOpen,
}

impl BreakerState {
    /// Names the state for views and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The part is left alone for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("left alone after failures")]
pub struct Resting {
    /// When it is worth asking again; zero while somebody else's probe is under way.
    pub retry_after: Duration,
}

/// The right to ask once, to be handed back with what came of it.
///
/// It is good for the breaker's state at the time of asking: what is reported after the breaker
/// opened, closed or gave the probe to another changes nothing any more, but for one thing: an
/// answer that was [overdue](Breaker::overdue) when the breaker opened closes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a ticket is reported, or a probe's place is held until its lease is over"]
pub struct Ticket {
    era: u64,
    /// The run of failures that it counts in, where its answer is overdue.
    overdue: Option<u64>,
}

impl Ticket {
    const fn of(era: u64) -> Self {
        Self { era, overdue: None }
    }
}

/// The pure machine: every decision is made by the time that it is given.
///
/// A clock that is set back never keeps it open for longer than the rest from then on.
///
/// # Examples
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use otp_core::breaker::{Breaker, BreakerRules, BreakerState};
/// use otp_core::clock::Timestamp;
///
/// let rules = BreakerRules::new(NonZeroU32::MIN);
/// let mut breaker = Breaker::new();
/// let start = Timestamp::from_millis(0);
/// let ticket = breaker.ask(start, &rules)?;
/// breaker.failed(ticket, start, &rules);
/// assert!(breaker.ask(start, &rules).is_err());
///
/// let rested = start.saturating_add(Duration::from_secs(30));
/// let probe = breaker.ask(rested, &rules)?;
/// assert!(breaker.ask(rested, &rules).is_err(), "one probe at a time");
/// breaker.succeeded(probe);
/// assert_eq!(breaker.state(), BreakerState::Closed);
/// # Ok::<(), otp_core::breaker::Resting>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    /// Counts the changes of state, so that a late report is known as such.
    era: u64,
    /// Counts the runs of failures that a success ended.
    runs: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { since: Timestamp },
    Probed { since: Timestamp, at: Timestamp },
}

impl Breaker {
    /// Starts closed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::Closed { failures: 0 },
            era: 0,
            runs: 0,
        }
    }

    /// Says where it stands.
    #[must_use]
    pub const fn state(&self) -> BreakerState {
        match self.state {
            State::Closed { .. } => BreakerState::Closed,
            State::Open { .. } => BreakerState::Open,
            State::Probed { .. } => BreakerState::HalfOpen,
        }
    }

    /// Counts the failures in a row while it is closed.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        match self.state {
            State::Closed { failures } => failures,
            State::Open { .. } | State::Probed { .. } => 0,
        }
    }

    /// Says how long the part has been left alone; zero while it is not.
    #[must_use]
    pub fn rested(&self, now: Timestamp) -> Duration {
        match self.state {
            State::Open { since } => now.since(since),
            State::Closed { .. } | State::Probed { .. } => Duration::ZERO,
        }
    }

    /// Asks to ask. Once the rest is over, exactly one caller gets the probe.
    ///
    /// # Errors
    /// [`Resting`] while the part is left alone.
    pub fn ask(&mut self, now: Timestamp, rules: &BreakerRules) -> Result<Ticket, Resting> {
        self.rewind(now);
        match self.state {
            State::Closed { .. } => Ok(Ticket::of(self.era)),
            State::Open { since } => match rules.rest.checked_sub(now.since(since)) {
                None | Some(Duration::ZERO) => Ok(self.probe(since, now)),
                Some(retry_after) => Err(Resting { retry_after }),
            },
            State::Probed { since, at } if now.since(at) >= PROBE_LEASE => {
                Ok(self.probe(since, now))
            }
            State::Probed { .. } => Err(Resting {
                retry_after: Duration::ZERO,
            }),
        }
    }

    /// Asks to ask before the rest is over, for a caller with no other part to turn to. It is the
    /// probe then: one at a time, as ever.
    ///
    /// # Errors
    /// [`Resting`] while another probe is under way.
    pub fn ask_early(&mut self, now: Timestamp, rules: &BreakerRules) -> Result<Ticket, Resting> {
        match self.state {
            State::Open { since } => Ok(self.probe(since, now)),
            State::Closed { .. } | State::Probed { .. } => self.ask(now, rules),
        }
    }

    /// Reports that the part has said nothing in the time that it usually takes, and is waited for
    /// all the same: that counts as a failure, once, so that a part that hangs is known as such
    /// before the first of those who wait for it gives up. Hand the report that follows the ticket
    /// that this gives: it counts no second time, and what says that the part was not to blame takes
    /// the count back.
    pub fn overdue(&mut self, ticket: Ticket, now: Timestamp, rules: &BreakerRules) -> Ticket {
        if ticket.overdue.is_none() {
            self.failed(ticket, now, rules);
        }
        Ticket {
            overdue: ticket.overdue.or(Some(self.runs)),
            ..ticket
        }
    }

    /// Reports that the part works: a run of failures ends, and a probe closes the breaker. So does
    /// an answer that was overdue, where the breaker opened while it was waited for.
    pub fn succeeded(&mut self, ticket: Ticket) {
        if self.opened_over(ticket) {
            self.turn(State::Closed { failures: 0 });
        }
        if ticket.era != self.era {
            return;
        }
        match &mut self.state {
            State::Closed { failures: 0 } => {}
            State::Closed { failures } => {
                *failures = 0;
                self.runs = self.runs.wrapping_add(1);
            }
            State::Open { .. } | State::Probed { .. } => self.turn(State::Closed { failures: 0 }),
        }
    }

    /// Reports that the part failed: the last failure that is allowed in a row opens the breaker,
    /// and so does a failed probe, for a whole rest from now.
    pub fn failed(&mut self, ticket: Ticket, now: Timestamp, rules: &BreakerRules) {
        if ticket.era != self.era || ticket.overdue.is_some() {
            return;
        }
        match &mut self.state {
            State::Closed { failures } => {
                *failures = failures.saturating_add(1);
                if *failures >= rules.threshold.get() {
                    self.turn(State::Open { since: now });
                }
            }
            State::Open { .. } | State::Probed { .. } => self.turn(State::Open { since: now }),
        }
    }

    /// Reports an answer that says nothing of the part but that it answers: a refusal for which it
    /// is not to blame. A probe's place is free at once, and where the answer was overdue, what was
    /// counted for that is taken back.
    pub fn answered(&mut self, ticket: Ticket) {
        if self.opened_over(ticket) {
            self.turn(State::Closed { failures: 0 });
        }
        if let State::Closed { failures } = &mut self.state
            && ticket.era == self.era
            && ticket.overdue == Some(self.runs)
        {
            *failures = failures.saturating_sub(1);
        }
        self.abandoned(ticket);
    }

    /// Hands a ticket back that nothing is known of: the caller went away. A probe's place is free
    /// at once.
    pub fn abandoned(&mut self, ticket: Ticket) {
        if let (true, State::Probed { since, .. }) = (ticket.era == self.era, self.state) {
            self.turn(State::Open { since });
        }
    }

    /// Says whether it opened while it waited for an answer that was overdue by then.
    fn opened_over(&self, ticket: Ticket) -> bool {
        let since = ticket.overdue.is_some() && ticket.era.wrapping_add(1) == self.era;
        since && matches!(self.state, State::Open { .. })
    }

    fn probe(&mut self, since: Timestamp, now: Timestamp) -> Ticket {
        self.turn(State::Probed { since, at: now });
        Ticket::of(self.era)
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.era = self.era.wrapping_add(1);
    }

    /// Takes back what a clock that was set back makes a time to come.
    fn rewind(&mut self, now: Timestamp) {
        match &mut self.state {
            State::Closed { .. } => {}
            State::Open { since } => *since = now.min(*since),
            State::Probed { since, at } => {
                *since = now.min(*since);
                *at = now.min(*at);
            }
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
