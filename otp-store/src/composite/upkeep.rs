use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otp_core::clock::{Clock, Timestamp};

/// When the next round of upkeep is due: one at a time, now and then, and at once where something
/// is owed, unless the round before failed.
pub(super) struct Upkeep {
    clock: Arc<dyn Clock>,
    every: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    due: Timestamp,
    round: Round,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    UnderWay,
    Done,
    Failed,
}

/// Whether something waits to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    Nothing,
    Something,
}

impl Upkeep {
    pub(super) fn new(clock: Arc<dyn Clock>, every: Duration) -> Self {
        let state = Mutex::new(State {
            due: Timestamp::MIN,
            round: Round::Done,
        });
        Self {
            clock,
            every,
            state,
        }
    }

    /// Gives a round to one caller, where one is due.
    pub(super) fn turn(self: &Arc<Self>, owed: impl FnOnce() -> Owed) -> Option<Turn> {
        let now = self.clock.now();
        let next = now.saturating_add(self.every);
        let mut state = self.lock();
        // A clock that was set back must not put it off for ever.
        state.due = state.due.min(next);
        let due = match state.round {
            Round::UnderWay => false,
            Round::Done => now >= state.due || owed() == Owed::Something,
            Round::Failed => now >= state.due,
        };
        due.then(|| self.begin(&mut state, next))
    }

    /// Gives a round that is due for a reason of its own, unless one is under way.
    pub(super) fn turn_now(self: &Arc<Self>) -> Option<Turn> {
        let next = self.clock.now().saturating_add(self.every);
        let mut state = self.lock();
        (state.round != Round::UnderWay).then(|| self.begin(&mut state, next))
    }

    fn begin(self: &Arc<Self>, state: &mut State, next: Timestamp) -> Turn {
        *state = State {
            due: next,
            round: Round::UnderWay,
        };
        Turn {
            upkeep: Arc::clone(self),
            came_to: Round::Failed,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep")
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// A round under way; one that is dropped, by a panic as well, has failed.
#[derive(Debug)]
pub(super) struct Turn {
    upkeep: Arc<Upkeep>,
    came_to: Round,
}

impl Turn {
    pub(super) fn done(mut self) {
        self.came_to = Round::Done;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.upkeep.lock().round = self.came_to;
    }
}

#[cfg(test)]
mod tests {
    use otp_core::clock::ManualClock;

    use super::*;

    const EVERY: Duration = Duration::from_secs(60);

    #[test]
    fn a_round_is_due_at_first_then_now_and_then_and_one_at_a_time() {
        let clock = ManualClock::default();
        let upkeep = Arc::new(Upkeep::new(Arc::new(clock.clone()), EVERY));
        let nothing = || Owed::Nothing;
        let turn = upkeep.turn(nothing).expect("the first");
        clock.advance(EVERY);
        assert!(upkeep.turn(nothing).is_none(), "one at a time");
        turn.done();
        upkeep.turn(nothing).expect("it is late").done();
        clock.advance(EVERY / 2);
        assert!(upkeep.turn(nothing).is_none());
        upkeep.turn(|| Owed::Something).expect("a debt").done();
    }

    #[test]
    fn a_failed_round_is_not_repeated_before_its_time_whatever_is_owed() {
        let clock = ManualClock::default();
        let upkeep = Arc::new(Upkeep::new(Arc::new(clock.clone()), EVERY));
        drop(upkeep.turn(|| Owed::Something));
        assert!(upkeep.turn(|| Owed::Something).is_none());
        clock.step_back(EVERY * 1_000);
        assert!(upkeep.turn(|| Owed::Something).is_none());
        clock.advance(EVERY);
        drop(upkeep.turn(|| Owed::Something).expect("its time has come"));
        upkeep.turn_now().expect("a reason of its own").done();
        assert!(upkeep.turn(|| Owed::Something).is_some(), "it works again");
    }
}
