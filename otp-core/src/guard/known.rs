//! Numbers that verified a code before.

use std::time::Duration;

use super::table::Table;
use crate::clock::Timestamp;

/// How long a number that verified is known.
const LIFE: Duration = Duration::from_secs(30 * 86_400);

/// The numbers that verified in the last 30 days, by hash.
#[derive(Clone, Debug)]
pub(super) struct Known(Table<Timestamp>);

impl Known {
    pub(super) fn new(limit: usize) -> Self {
        Self(Table::new(limit))
    }

    pub(super) fn verified(&mut self, number: u64, now: Timestamp) {
        let over = |at: &Timestamp| at.saturating_add(LIFE) <= now;
        // The oldest counts least.
        let weight = |at: &Timestamp| u64::try_from(at.as_millis()).unwrap_or(0);
        let at = self.0.or_insert(number, || now, over, weight);
        *at = now.max(*at);
    }

    pub(super) fn knows(&self, number: u64, now: Timestamp) -> bool {
        let verified = self.0.get(number);
        verified.is_some_and(|at| now < at.saturating_add(LIFE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_known_for_thirty_days_from_its_latest_code() {
        let day = |days: u64| {
            Timestamp::from_millis(1_800_000_000_000)
                .saturating_add(Duration::from_secs(days * 86_400))
        };
        let mut known = Known::new(10);
        known.verified(1, day(0));
        assert!(known.knows(1, day(29)));
        assert!(!known.knows(1, day(30)));
        assert!(!known.knows(2, day(0)));
        known.verified(1, day(10));
        known.verified(1, day(5));
        assert!(
            known.knows(1, day(39)),
            "a clock that went back shortens nothing"
        );
    }
}
