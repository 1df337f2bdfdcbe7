//! What an intent must have for itself, as numbered stripes.

use std::collections::BTreeSet;

use otp_core::quota::QuotaClaim;
use otp_core::store::IdempotencyKey;

/// How many stripes share everything that can be locked by name.
const STRIPES: u16 = 1_024;

/// The stripe of the audit log, which is above all others: it is taken last.
const RECORDS: u16 = STRIPES;

/// What an intent comes in an order with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Others that decide about the same things, and a pardon of the clock.
    Decisions,
    /// All who add to the audit log: they wait for whoever waits for the slowest of them.
    Records,
    /// No decision.
    Nothing,
}

/// The stripes that an intent needs, in the one order in which everybody takes them.
///
/// Things that share a stripe wait for each other, and nothing else comes of it. The numbers are
/// the same in every version and process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locks(BTreeSet<u16>);

impl Locks {
    /// Everything that belongs to a subject: challenges, tries, budgets. A challenge's id carries
    /// its subject's number, so that the stripe is known before the challenge is read.
    pub(crate) fn subject(mut self, shard: u16) -> Self {
        self.0.insert(shard % STRIPES);
        self
    }

    pub(crate) fn quotas(self, claims: &[QuotaClaim]) -> Self {
        claims
            .iter()
            .fold(self, |locks, claim| locks.quota(claim.key.as_str()))
    }

    pub(crate) fn quota(self, key: &str) -> Self {
        self.named(&["quota", key])
    }

    pub(crate) fn request(self, key: &IdempotencyKey) -> Self {
        self.named(&["request", key.tenant().as_str(), key.as_str()])
    }

    pub(crate) fn seen(self, key: &str) -> Self {
        self.named(&["seen", key])
    }

    /// The vendor's name for a message.
    pub(crate) fn sending(self, provider: &str, reference: &str) -> Self {
        self.named(&["sending", provider, reference])
    }

    pub(crate) fn block(self, kind: &str, value: &str) -> Self {
        self.named(&["block", kind, value])
    }

    pub(crate) fn policy(self) -> Self {
        self.named(&["policy"])
    }

    pub(crate) fn board(self, name: &str) -> Self {
        self.named(&["board", name])
    }

    /// The audit log: nobody is adding to it.
    pub(crate) fn records(mut self) -> Self {
        self.0.insert(RECORDS);
        self
    }

    pub(crate) fn everything(mut self) -> Self {
        self.0.extend(0..STRIPES);
        self
    }

    /// Gives the stripes in their order.
    #[cfg_attr(
        not(feature = "mysql"),
        expect(dead_code, reason = "for engines with many writers")
    )]
    pub(crate) fn stripes(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().copied()
    }

    /// Says what a holder of these is in an order with.
    #[cfg_attr(
        not(feature = "mysql"),
        expect(dead_code, reason = "for engines with many writers")
    )]
    pub(crate) fn order(&self) -> Order {
        match self.0.first() {
            Some(first) if *first < STRIPES => Order::Decisions,
            Some(_) => Order::Records,
            None => Order::Nothing,
        }
    }

    fn named(self, parts: &[&str]) -> Self {
        // FNV-1a: nothing hangs on it but spreading, and two things in one stripe only wait.
        let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let [.., high, low] = (hash ^ (hash >> 32) ^ (hash >> 16)).to_be_bytes();
        self.subject(u16::from_be_bytes([high, low]))
    }
}

#[cfg(test)]
mod tests {
    use super::{Locks, RECORDS, STRIPES};

    fn stripes(locks: &Locks) -> Vec<u16> {
        locks.0.iter().copied().collect()
    }

    #[test]
    fn stripes_come_in_one_order_however_they_were_named() {
        let one = Locks::default().quota("a").records().seen("b").subject(7);
        let two = Locks::default().subject(7).seen("b").quota("a").records();
        assert_eq!(stripes(&one), stripes(&two));
        assert_eq!(stripes(&one).last(), Some(&RECORDS));
    }

    #[test]
    fn a_shard_of_any_number_has_a_stripe() {
        for shard in [0, 1_023, 1_024, u16::MAX] {
            let found = stripes(&Locks::default().subject(shard));
            assert_eq!(found, [shard % STRIPES]);
        }
    }

    #[test]
    fn a_name_has_the_stripe_that_every_version_gives_it() {
        let found = stripes(&Locks::default().quota("5:issue7:subject4:acme5:alice"));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found,
            stripes(&Locks::default().quota("5:issue7:subject4:acme5:alice"))
        );
        let spread: std::collections::BTreeSet<u16> = (0..2_000)
            .flat_map(|index| stripes(&Locks::default().seen(&index.to_string())))
            .collect();
        assert!(spread.len() > 800, "{} stripes", spread.len());
    }
}
