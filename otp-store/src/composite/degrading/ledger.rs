//! What was counted beneath and has to be counted above.

use std::collections::BTreeMap;
use std::ops::Bound;

use otp_core::challenge::Lane;
use otp_core::clock::Timestamp;
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Shape};
use otp_core::store::{BudgetKey, StoreError, StoreErrorKind};

/// The guesses of one lane of a budget.
pub(super) type Purse = (BudgetKey, Lane);

/// What the hits of one kind of quota are counted in.
pub(super) type Bucket = (QuotaKey, Kind);

/// The kind of a bucket: engines keep hits on windows apart from those on rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Window,
    Rate,
}

impl Kind {
    fn of(quota: &Quota) -> Self {
        match quota.shape() {
            Shape::Window(_) => Self::Window,
            Shape::Rate(_) => Self::Rate,
        }
    }
}

fn longest(one: Quota, two: Quota) -> Quota {
    let measure = |quota: &Quota| (quota.period(), quota.max());
    if measure(&one) < measure(&two) {
        two
    } else {
        one
    }
}

/// Guesses and quota charges that the primary has not heard of.
#[derive(Debug)]
pub(super) struct Ledger {
    guesses: BTreeMap<Purse, u32>,
    charges: BTreeMap<Bucket, Charge>,
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

    /// Takes all guesses at a subject out: an operator forgave them.
    pub(super) fn forgive_guesses(&mut self, key: &BudgetKey) {
        for lane in [Lane::Public, Lane::KnownDevice] {
            self.guesses.remove(&(key.clone(), lane));
        }
    }

    /// Gives the next purse after one.
    pub(super) fn next_purse(&self, after: Option<&Purse>) -> Option<Purse> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.guesses.range((from, Bound::Unbounded));
        rest.next().map(|(purse, _)| purse.clone())
    }

    /// Says how many guesses are owed to a purse.
    pub(super) fn owed_to(&self, purse: &Purse) -> u32 {
        self.guesses.get(purse).copied().unwrap_or_default()
    }

    /// Notes one hit on each bucket that these quotas are counted in, as they are undivided. Of
    /// several quotas of one bucket the longest is noted, whose hits the shorter ones see as well.
    /// No more hits are kept than the quota has: a bucket that is full above takes no more. Of a
    /// full ledger a hit is forgotten, as a full memory forgets buckets.
    pub(super) fn charge(&mut self, claims: &[QuotaClaim], now: Timestamp) {
        let mut hit = BTreeMap::<Bucket, Quota>::new();
        for claim in claims {
            let bucket = (claim.key.clone(), Kind::of(&claim.quota));
            let quota = hit.entry(bucket).or_insert(claim.quota);
            *quota = longest(*quota, claim.quota);
        }
        for (bucket, quota) in hit {
            self.hit(bucket, quota, now);
        }
    }

    fn hit(&mut self, bucket: Bucket, quota: Quota, now: Timestamp) {
        if self.charges.len() >= self.most_charges && !self.charges.contains_key(&bucket) {
            self.forget_lapsed(now);
            if self.charges.len() >= self.most_charges {
                return;
            }
        }
        let charge = self.charges.entry(bucket).or_insert(Charge {
            quota,
            times: 0,
            last: now,
        });
        charge.quota = longest(charge.quota, quota);
        charge.times = charge.times.saturating_add(1).min(charge.quota.max());
        charge.last = now;
    }

    /// Takes one hit out; or all, where the bucket above is full.
    pub(super) fn settle_charge(&mut self, bucket: &Bucket, settled: Settled) {
        if let Some(charge) = self.charges.get_mut(bucket) {
            charge.times = match settled {
                Settled::One => charge.times.saturating_sub(1),
                Settled::All => 0,
            };
            if charge.times == 0 {
                self.charges.remove(bucket);
            }
        }
    }

    /// Takes all hits under a key out: an operator forgave them.
    pub(super) fn forgive_charges(&mut self, key: &QuotaKey) {
        for kind in [Kind::Window, Kind::Rate] {
            self.charges.remove(&(key.clone(), kind));
        }
    }

    /// Gives the next bucket after one.
    pub(super) fn next_bucket(&self, after: Option<&Bucket>) -> Option<Bucket> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.charges.range((from, Bound::Unbounded));
        rest.next().map(|(bucket, _)| bucket.clone())
    }

    /// Gives the claim of a hit that is owed to a bucket.
    pub(super) fn charge_of(&self, bucket: &Bucket) -> Option<QuotaClaim> {
        let charge = self.charges.get(bucket)?;
        Some(QuotaClaim::new(bucket.0.clone(), charge.quota))
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

    fn bucket(value: &str) -> Bucket {
        (claim(value, 1).key, Kind::Window)
    }

    #[test]
    fn guesses_add_up_by_lane_and_what_is_settled_is_gone() {
        let mut ledger = Ledger::new(10, 10);
        let (ann, known) = (purse("ann"), (purse("ann").0, Lane::KnownDevice));
        for purse in [&ann, &ann, &known] {
            ledger.guess(purse.clone()).expect("room");
        }
        assert_eq!(ledger.next_purse(None), Some(ann.clone()));
        assert_eq!(ledger.next_purse(Some(&ann)), Some(known.clone()));
        assert_eq!(ledger.next_purse(Some(&known)), None);
        assert_eq!((ledger.owed_to(&ann), ledger.owed_to(&known)), (2, 1));
        ledger.settle_guesses(&ann, 1);
        assert_eq!(ledger.owed_to(&ann), 1);
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
        assert_eq!(ledger.owed_to(&purse("ann")), 2);
        assert_eq!(ledger.owed_to(&purse("bob")), 0);
    }

    #[test]
    fn hits_are_kept_up_to_the_quota_and_until_they_lapse() {
        let mut ledger = Ledger::new(1, 2);
        for _ in 0..9 {
            ledger.charge(&[claim("a", 3)], NOW);
        }
        assert_eq!(ledger.charge_of(&bucket("a")), Some(claim("a", 3)));
        for _ in 0..3 {
            assert!(!ledger.is_settled());
            ledger.settle_charge(&bucket("a"), Settled::One);
        }
        assert!(ledger.is_settled());
        for value in ["a", "b", "c"] {
            ledger.charge(&[claim(value, 3)], NOW);
        }
        assert_eq!(ledger.next_bucket(Some(&bucket("a"))), Some(bucket("b")));
        assert_eq!(
            ledger.next_bucket(Some(&bucket("b"))),
            None,
            "a full ledger keeps what it has"
        );
        let later = NOW.saturating_add(HOUR);
        ledger.charge(&[claim("c", 3)], later);
        assert_eq!(
            ledger.next_bucket(None),
            Some(bucket("c")),
            "and lets go of what lapsed"
        );
        ledger.settle_charge(&bucket("c"), Settled::All);
        assert!(ledger.is_settled());
    }

    #[test]
    fn quotas_of_one_bucket_owe_one_hit_that_lasts_as_long_as_the_longest() {
        let mut ledger = Ledger::new(1, 10);
        let daily = QuotaClaim {
            quota: Quota::window(2, HOUR * 24).expect("a quota"),
            ..claim("a", 9)
        };
        let rate = QuotaClaim {
            quota: Quota::rate(5, HOUR).expect("a quota"),
            ..claim("a", 9)
        };
        ledger.charge(&[daily.clone(), claim("a", 9), rate.clone()], NOW);
        ledger.charge(&[claim("a", 9)], NOW);
        ledger.forget_lapsed(NOW.saturating_add(HOUR));
        assert_eq!(ledger.charge_of(&bucket("a")), Some(daily));
        assert_eq!(ledger.next_bucket(Some(&bucket("a"))), None);
        ledger.settle_charge(&bucket("a"), Settled::One);
        ledger.settle_charge(&bucket("a"), Settled::One);
        assert!(ledger.is_settled(), "two hits, whatever they were asked by");
        ledger.charge(&[rate, claim("a", 9)], NOW);
        ledger.forgive_charges(&claim("a", 9).key);
        assert!(ledger.is_settled(), "both kinds");
    }

    #[test]
    fn what_an_operator_forgives_is_gone_in_both_lanes_and_nobody_elses() {
        let mut ledger = Ledger::new(10, 10);
        let (ann, bob) = (purse("ann"), purse("bob"));
        for purse in [ann.clone(), (ann.0.clone(), Lane::KnownDevice), bob.clone()] {
            ledger.guess(purse).expect("room");
        }
        ledger.forgive_guesses(&ann.0);
        assert_eq!(ledger.next_purse(None), Some(bob.clone()));
        assert_eq!(ledger.next_purse(Some(&bob)), None);
    }
}
