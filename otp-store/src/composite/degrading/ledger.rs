//! What was counted beneath and has to be counted above.

use std::collections::BTreeMap;
use std::ops::Bound;

use otp_core::challenge::Lane;
use otp_core::clock::Timestamp;
use otp_core::quota::{Quota, QuotaClaim, QuotaKey};
use otp_core::store::{BudgetKey, StoreError, StoreErrorKind};

/// The guesses of one lane of a budget.
pub(super) type Purse = (BudgetKey, Lane);

/// Guesses and quota charges that the primary has not heard of.
#[derive(Debug)]
pub(super) struct Ledger {
    guesses: BTreeMap<Purse, u32>,
    charges: BTreeMap<QuotaKey, Charge>,
    most_guesses: usize,
    most_charges: usize,
}

#[derive(Clone, Copy, Debug)]
struct Charge {
    quota: Quota,
    times: u32,
    last: Timestamp,
}

impl Ledger {
    pub(super) fn new(most_guesses: usize, most_charges: usize) -> Self {
        Self {
            guesses: BTreeMap::new(),
            charges: BTreeMap::new(),
            most_guesses,
            most_charges,
        }
    }

    /// Notes a guess. What cannot be noted must not be compared.
    pub(super) fn guess(&mut self, purse: Purse) -> Result<(), StoreError> {
        if self.guesses.len() >= self.most_guesses && !self.guesses.contains_key(&purse) {
            return Err(StoreErrorKind::Full.into());
        }
        let owed = self.guesses.entry(purse).or_default();
        *owed = owed.saturating_add(1);
        Ok(())
    }

    /// Takes guesses out: those that the primary has heard of, or the own one of a success.
    pub(super) fn settle_guesses(&mut self, purse: &Purse, guesses: u32) {
        if let Some(owed) = self.guesses.get_mut(purse) {
            *owed = owed.saturating_sub(guesses);
            if *owed == 0 {
                self.guesses.remove(purse);
            }
        }
    }

    /// Gives the next purse after one, and what is owed to it.
    pub(super) fn next_guesses(&self, after: Option<&Purse>) -> Option<(Purse, u32)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.guesses.range((from, Bound::Unbounded));
        rest.next().map(|(purse, owed)| (purse.clone(), *owed))
    }

    /// Notes a hit on a quota, as it is undivided. No more are kept than the quota has: a bucket
    /// that is full above takes no more. Of a full ledger the hit is forgotten, as a full memory
    /// forgets buckets.
    pub(super) fn charge(&mut self, claim: &QuotaClaim, now: Timestamp) {
        if self.charges.len() >= self.most_charges && !self.charges.contains_key(&claim.key) {
            self.forget_lapsed(now);
            if self.charges.len() >= self.most_charges {
                return;
            }
        }
        let charge = self.charges.entry(claim.key.clone()).or_insert(Charge {
            quota: claim.quota,
            times: 0,
            last: now,
        });
        charge.quota = claim.quota;
        charge.times = charge.times.saturating_add(1).min(claim.quota.max());
        charge.last = now;
    }

    /// Takes one hit out; or all, where the bucket above is full or was emptied by an operator.
    pub(super) fn settle_charge(&mut self, key: &QuotaKey, settled: Settled) {
        if let Some(charge) = self.charges.get_mut(key) {
            charge.times = match settled {
                Settled::One => charge.times.saturating_sub(1),
                Settled::All => 0,
            };
            if charge.times == 0 {
                self.charges.remove(key);
            }
        }
    }

    /// Gives the next bucket after one, and how many hits are owed to it.
    pub(super) fn next_charge(&self, after: Option<&QuotaKey>) -> Option<(QuotaClaim, u32)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.charges.range((from, Bound::Unbounded));
        let (key, charge) = rest.next()?;
        Some((QuotaClaim::new(key.clone(), charge.quota), charge.times))
    }

    /// Forgets hits that no window holds any more.
    pub(super) fn forget_lapsed(&mut self, now: Timestamp) {
        self.charges
            .retain(|_, charge| now.since(charge.last) < charge.quota.period());
    }

    pub(super) fn is_settled(&self) -> bool {
        self.guesses.is_empty() && self.charges.is_empty()
    }
}

/// How much of a bucket's hits is settled.
#[derive(Clone, Copy, Debug)]
pub(super) enum Settled {
    One,
    All,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use otp_core::quota::Scope;
    use otp_core::testing::store::kit;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn purse(subject: &str) -> Purse {
        let challenge = kit::challenge(subject, NOW);
        (kit::budget_key(&challenge), Lane::Public)
    }

    fn claim(value: &str, max: u32) -> QuotaClaim {
        let key = QuotaKey::new("issue", Scope::Destination, "", value);
        QuotaClaim::new(key, Quota::window(max, HOUR).expect("a quota"))
    }

    #[test]
    fn guesses_add_up_by_lane_and_what_is_settled_is_gone() {
        let mut ledger = Ledger::new(10, 10);
        let (ann, known) = (purse("ann"), (purse("ann").0, Lane::KnownDevice));
        for purse in [&ann, &ann, &known] {
            ledger.guess(purse.clone()).expect("room");
        }
        assert_eq!(ledger.next_guesses(None), Some((ann.clone(), 2)));
        assert_eq!(ledger.next_guesses(Some(&ann)), Some((known.clone(), 1)));
        assert_eq!(ledger.next_guesses(Some(&known)), None);
        ledger.settle_guesses(&ann, 1);
        assert_eq!(ledger.next_guesses(None), Some((ann.clone(), 1)));
        ledger.settle_guesses(&ann, 5);
        ledger.settle_guesses(&known, 1);
        assert!(ledger.is_settled());
    }

    #[test]
    fn a_full_ledger_refuses_a_new_purse_and_counts_on_in_those_it_has() {
        let mut ledger = Ledger::new(1, 1);
        ledger.guess(purse("ann")).expect("room");
        let full = ledger.guess(purse("bob")).expect_err("no room");
        assert_eq!(full.kind(), StoreErrorKind::Full);
        ledger.guess(purse("ann")).expect("it is there");
        assert_eq!(ledger.next_guesses(None), Some((purse("ann"), 2)));
    }

    #[test]
    fn hits_are_kept_up_to_the_quota_and_until_they_lapse() {
        let mut ledger = Ledger::new(1, 2);
        for _ in 0..9 {
            ledger.charge(&claim("a", 3), NOW);
        }
        assert_eq!(ledger.next_charge(None), Some((claim("a", 3), 3)));
        for _ in 0..3 {
            ledger.settle_charge(&claim("a", 3).key, Settled::One);
        }
        assert!(ledger.is_settled());
        ledger.charge(&claim("a", 3), NOW);
        ledger.charge(&claim("b", 3), NOW);
        ledger.charge(&claim("c", 3), NOW);
        assert_eq!(
            ledger.next_charge(Some(&claim("b", 3).key)),
            None,
            "a full ledger keeps what it has"
        );
        let later = NOW.saturating_add(HOUR);
        ledger.charge(&claim("c", 3), later);
        assert_eq!(
            ledger.next_charge(None),
            Some((claim("c", 3), 1)),
            "and lets go of what lapsed"
        );
        ledger.settle_charge(&claim("c", 3).key, Settled::All);
        assert!(ledger.is_settled());
    }
}
