//! The highest time that this process was told.

use std::sync::{Mutex, PoisonError};

/// A time of the store, in milliseconds, and how often the clock had been forgiven by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) era: i64,
    pub(super) now: i64,
}

/// The highest time that was told, which the database notes about once a second only.
///
/// It goes back when the clock was forgiven: a late answer from before is void.
#[derive(Debug, Default)]
pub(super) struct Mark(Mutex<Option<Told>>);

impl Mark {
    pub(super) fn read(&self) -> Option<Told> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn raise(&self, told: Told) {
        let mut mark = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = |kept: &Told| (told.era, told.now) > (kept.era, kept.now);
        if told.era >= 0 && mark.as_ref().is_none_or(newer) {
            *mark = Some(told);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Told};

    #[test]
    fn an_answer_from_before_a_pardon_does_not_bring_the_leap_back() {
        let mark = Mark::default();
        let told = |era, now| Told { era, now };
        mark.raise(told(-1, 9));
        assert_eq!(mark.read(), None);
        mark.raise(told(0, 50));
        mark.raise(told(0, 40));
        assert_eq!(mark.read(), Some(told(0, 50)));
        mark.raise(told(1, 10));
        mark.raise(told(0, 60));
        assert_eq!(mark.read(), Some(told(1, 10)));
    }
}
