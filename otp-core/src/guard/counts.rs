//! Sent and verified over the last hour, by slots of two minutes.

use crate::clock::Timestamp;

/// The slots of an hour.
const SLOTS: usize = 30;
const SLOT_MS: i64 = 120_000;
/// The newest slots, in which people may still be typing: two to four minutes.
const FRESH: i64 = 2;

/// What was counted of one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages in the last hour.
    pub sent: u64,
    /// Codes that were right in the last hour.
    pub verified: u64,
    /// Messages of the last few minutes, whose people may still be typing.
    pub fresh: u64,
}

impl Figures {
    /// Counts the messages that nobody has verified.
    #[must_use]
    pub fn unverified(&self) -> u64 {
        self.sent.saturating_sub(self.verified)
    }

    /// Counts the messages whose people have had the time to type.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.sent.saturating_sub(self.fresh)
    }

    /// Takes what the fleet has counted where that is more than this instance knows of.
    #[must_use]
    pub(super) fn or_more(self, fleet: Self) -> Self {
        if fleet.sent > self.sent { fleet } else { self }
    }
}

/// The slots of one place. A clock that goes back counts in the newest slot.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    newest: i64,
    slots: [(u32, u32); SLOTS],
}

impl Counts {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            newest: slot(now),
            slots: [(0, 0); SLOTS],
        }
    }

    pub(super) fn sent(&mut self, now: Timestamp) {
        self.turn_to(now);
        if let Some((sent, _)) = self.slots.get_mut(place(self.newest)) {
            *sent = sent.saturating_add(1);
        }
    }

    pub(super) fn verified(&mut self, now: Timestamp) {
        self.turn_to(now);
        if let Some((_, verified)) = self.slots.get_mut(place(self.newest)) {
            *verified = verified.saturating_add(1);
        }
    }

    /// Takes back the newest message that is counted.
    pub(super) fn not_sent(&mut self) {
        for age in 0..i64::try_from(SLOTS).unwrap_or(0) {
            let found = self.slots.get_mut(place(self.newest.saturating_sub(age)));
            if let Some((sent, _)) = found.filter(|(sent, _)| *sent > 0) {
                *sent = sent.saturating_sub(1);
                return;
            }
        }
    }

    pub(super) fn figures(&self, now: Timestamp) -> Figures {
        let now = slot(now).max(self.newest);
        let mut figures = Figures::default();
        for age in 0..i64::try_from(SLOTS).unwrap_or(0) {
            let number = now.saturating_sub(age);
            if number > self.newest {
                continue;
            }
            let (sent, verified) = self.slots.get(place(number)).copied().unwrap_or_default();
            figures.sent = figures.sent.saturating_add(sent.into());
            figures.verified = figures.verified.saturating_add(verified.into());
            if age < FRESH {
                figures.fresh = figures.fresh.saturating_add(sent.into());
            }
        }
        figures
    }

    /// Says whether nothing of it counts any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        let slots = i64::try_from(SLOTS).unwrap_or(0);
        self.newest.saturating_add(slots) <= slot(now)
    }

    fn turn_to(&mut self, now: Timestamp) {
        let now = slot(now);
        let gone = now.saturating_sub(self.newest);
        if gone <= 0 {
            return;
        }
        for step in 1..=gone.min(i64::try_from(SLOTS).unwrap_or(0)) {
            let number = now.saturating_sub(step).saturating_add(1);
            if let Some(found) = self.slots.get_mut(place(number)) {
                *found = (0, 0);
            }
        }
        self.newest = now;
    }
}

fn slot(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(SLOT_MS)
}

fn place(slot: i64) -> usize {
    let slots = i64::try_from(SLOTS).unwrap_or(1);
    usize::try_from(slot.rem_euclid(slots)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000).saturating_add(Duration::from_secs(seconds))
    }

    fn figures(counts: &Counts, seconds: u64) -> (u64, u64, u64) {
        let figures = counts.figures(at(seconds));
        (figures.sent, figures.verified, figures.fresh)
    }

    #[test]
    fn what_was_counted_leaves_after_an_hour_and_is_fresh_for_two_to_four_minutes() {
        let mut counts = Counts::new(at(0));
        counts.sent(at(0));
        counts.sent(at(0));
        counts.verified(at(60));
        assert_eq!(figures(&counts, 60), (2, 1, 2));
        assert_eq!(figures(&counts, 239), (2, 1, 2));
        assert_eq!(figures(&counts, 240), (2, 1, 0));
        assert_eq!(figures(&counts, 3_599), (2, 1, 0));
        assert_eq!(figures(&counts, 3_600), (0, 0, 0));
        assert!(!counts.is_over(at(3_599)));
        assert!(counts.is_over(at(3_600)));
    }

    #[test]
    fn a_slot_that_comes_round_again_holds_nothing_old() {
        let mut counts = Counts::new(at(0));
        counts.sent(at(0));
        counts.sent(at(3_600));
        assert_eq!(figures(&counts, 3_600), (1, 0, 1));
        counts.sent(at(400_000));
        assert_eq!(figures(&counts, 400_000), (1, 0, 1));
    }

    #[test]
    fn a_clock_that_goes_back_forgets_and_revives_nothing() {
        let mut counts = Counts::new(at(0));
        counts.sent(at(3_600));
        counts.sent(at(0));
        assert_eq!(figures(&counts, 0), (2, 0, 2));
        assert_eq!(figures(&counts, 3_600), (2, 0, 2));
    }

    #[test]
    fn what_was_not_sent_is_taken_back_and_no_more_than_there_is() {
        let mut counts = Counts::new(at(0));
        counts.sent(at(0));
        counts.not_sent();
        counts.not_sent();
        assert_eq!(figures(&counts, 300), (0, 0, 0));
    }
}
