//! Numbers that follow one another: what a machine asks for, and people do not.

use std::collections::VecDeque;

use crate::clock::Timestamp;

/// The newest unverified numbers that are kept of a range.
const KEPT: usize = 32;
const HOUR_MS: i64 = 3_600_000;
/// How near a number is to its neighbour.
const NEAR: u64 = 16;
/// The numbers of a block: those with all but the last two digits in common.
const BLOCK: u64 = 100;

/// The newest numbers of one range that got a code and have not verified it. A company's row of
/// numbers verifies, and so leaves no trace here.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence(VecDeque<(i64, u64)>);

/// How a number stands to those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Nearness {
    /// Other numbers within 16 of it.
    pub(super) neighbours: u32,
    /// Other numbers of its block of a hundred.
    pub(super) block: u32,
}

impl Sequence {
    pub(super) fn sent(&mut self, number: u64, now: Timestamp) {
        self.verified(number);
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((now.as_millis(), number));
    }

    pub(super) fn verified(&mut self, number: u64) {
        self.0.retain(|(_, other)| *other != number);
    }

    pub(super) fn nearness(&self, number: u64, now: Timestamp) -> Nearness {
        let since = now.as_millis().saturating_sub(HOUR_MS);
        let mut near = Nearness::default();
        for (at, other) in &self.0 {
            if *at <= since || *other == number {
                continue;
            }
            if other.abs_diff(number) <= NEAR {
                near.neighbours = near.neighbours.saturating_add(1);
            }
            if *other / BLOCK == number / BLOCK {
                near.block = near.block.saturating_add(1);
            }
        }
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn neighbours_are_others_that_are_near_in_number_and_time() {
        let mut sequence = Sequence::default();
        for number in [5_550_100, 5_550_101, 5_550_116, 5_550_117, 5_550_199] {
            sequence.sent(number, at(0));
        }
        let near = sequence.nearness(5_550_100, at(1));
        assert_eq!((near.neighbours, near.block), (2, 4));
        assert_eq!(sequence.nearness(5_550_100, at(3_600)), Nearness::default());
    }

    #[test]
    fn a_number_is_no_neighbour_of_itself_however_often_it_asks() {
        let mut sequence = Sequence::default();
        for second in 0..10 {
            sequence.sent(5_550_100, at(second));
        }
        assert_eq!(sequence.nearness(5_550_100, at(11)), Nearness::default());
        assert_eq!(sequence.nearness(5_550_101, at(11)).neighbours, 1);
    }

    #[test]
    fn who_verified_is_no_neighbour_any_more() {
        let mut sequence = Sequence::default();
        for number in 5_550_100..5_550_140 {
            sequence.sent(number, at(0));
            sequence.verified(number);
        }
        assert_eq!(sequence.nearness(5_550_120, at(1)), Nearness::default());
    }
}
