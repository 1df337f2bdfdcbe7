use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::VerifiedFactor;
use crate::clock::Timestamp;
use crate::policy::Assurance;
use crate::request::{SubjectId, SubjectKey, Tenant};
use crate::store::FactorOwner;
use crate::verifier::Verified;

/// What somebody has lately proven of themselves: what a change of their factors asks for.
///
/// It names the account, so a change is always one of their own. It is worth something for the
/// minutes that the policy says ([`FactorRules::proof`](crate::policy::FactorRules::proof)).
///
/// ```compile_fail
/// use otp_core::verifier::Proven;
/// let forged = Proven { tenant: Default::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a proof is worth some minutes: act on it"]
pub struct Proven {
    tenant: Tenant,
    subject: SubjectId,
    first: Option<(Assurance, Timestamp)>,
    factor: Option<Timestamp>,
}

/// Two proofs are of two accounts, or of two tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the proofs are not of the same account")]
pub struct NotTheSame;

/// How far ahead of ours the clock may be that a proof's time is of.
const LEEWAY: Duration = Duration::from_secs(60);

impl Proven {
    /// Takes a verified code. Where it was issued for an account, it is that one's; `subject` names
    /// whose the address is where it was issued for an address alone.
    pub fn by_code(verified: &Verified, subject: &SubjectId) -> Self {
        Self {
            tenant: verified.tenant().clone(),
            subject: verified.subject().unwrap_or_else(|| subject.clone()),
            first: Some((verified.assurance(), verified.at().into())),
            factor: None,
        }
    }

    /// Takes a verified second factor.
    pub fn by_factor(verified: &VerifiedFactor) -> Self {
        Self {
            tenant: verified.tenant().clone(),
            subject: verified.subject().clone(),
            first: None,
            factor: Some(verified.time()),
        }
    }

    /// Vouches for somebody whom the host knows by other means, since that time: a password, a
    /// passkey, another provider's sign-in. A pair counts as the second factor too.
    pub fn by_host(
        tenant: &Tenant,
        subject: &SubjectId,
        assurance: Assurance,
        at: SystemTime,
    ) -> Self {
        let at = Timestamp::from(at);
        Self {
            tenant: tenant.clone(),
            subject: subject.clone(),
            first: Some((assurance, at)),
            factor: (assurance >= Assurance::RestrictedPair).then_some(at),
        }
    }

    /// Adds a second factor of the same account.
    ///
    /// # Errors
    /// [`NotTheSame`].
    pub fn and(mut self, factor: &VerifiedFactor) -> Result<Self, NotTheSame> {
        if self.tenant != *factor.tenant() || self.subject != *factor.subject() {
            return Err(NotTheSame);
        }
        self.factor = self.factor.max(Some(factor.time()));
        Ok(self)
    }

    /// Names the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Names the account.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Says how strong it is, however old.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        self.strength(|_| Freshness::Fresh)
    }

    /// Says how strong it still is: what is older than `life` counts for nothing.
    pub(super) fn at_hand(&self, now: Timestamp, life: Duration) -> Option<Assurance> {
        let fresh = |at| freshness(at, now, life);
        let any = self.times().any(|at| fresh(at) == Freshness::Fresh);
        any.then(|| self.strength(fresh))
    }

    /// Says whether the second factor is part of it, and fresh.
    pub(super) fn holds_factor(&self, now: Timestamp, life: Duration) -> Option<()> {
        let at = self.factor?;
        (freshness(at, now, life) == Freshness::Fresh).then_some(())
    }

    pub(super) fn owner(&self) -> FactorOwner {
        FactorOwner {
            tenant: self.tenant.clone(),
            subject: SubjectKey::of_subject(&self.subject),
        }
    }

    fn times(&self) -> impl Iterator<Item = Timestamp> {
        let first = self.first.map(|(_, at)| at);
        first.into_iter().chain(self.factor)
    }

    fn strength(&self, fresh: impl Fn(Timestamp) -> Freshness) -> Assurance {
        let fresh = |at: &Timestamp| fresh(*at) == Freshness::Fresh;
        let first = self.first.filter(|(_, at)| fresh(at));
        match (first, self.factor.filter(fresh)) {
            (Some((first, _)), Some(_)) => first.with_second_factor(),
            (Some((first, _)), None) => first,
            (None, Some(_)) => Assurance::Single,
            (None, None) => Assurance::Address,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    Stale,
}

/// A proof from the future is as stale as an old one: its clock is wrong.
pub(crate) fn freshness(at: Timestamp, now: Timestamp, life: Duration) -> Freshness {
    if now.since(at) > life || at.since(now) > LEEWAY {
        Freshness::Stale
    } else {
        Freshness::Fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(600);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds))
    }

    fn by_host(assurance: Assurance, seconds: u64) -> Proven {
        let subject = SubjectId::new("ann").unwrap();
        Proven::by_host(&Tenant::default(), &subject, assurance, at(seconds).into())
    }

    #[test]
    fn a_proof_is_worth_nothing_once_it_is_old_or_comes_from_the_future() {
        let proven = by_host(Assurance::Single, 10_000);
        assert_eq!(proven.at_hand(at(10_600), LIFE), Some(Assurance::Single));
        assert_eq!(proven.at_hand(at(10_601), LIFE), None);
        assert_eq!(proven.at_hand(at(9_940), LIFE), Some(Assurance::Single));
        assert_eq!(proven.at_hand(at(9_939), LIFE), None);
        assert_eq!(proven.holds_factor(at(10_000), LIFE), None);
    }

    #[test]
    fn a_pair_holds_the_second_factor_until_it_is_old() {
        let proven = by_host(Assurance::Pair, 10_000);
        assert_eq!(proven.assurance(), Assurance::Pair);
        assert_eq!(proven.holds_factor(at(10_600), LIFE), Some(()));
        assert_eq!(proven.holds_factor(at(10_601), LIFE), None);
        let later = Proven {
            factor: Some(at(11_000)),
            ..by_host(Assurance::Restricted, 10_000)
        };
        assert_eq!(later.assurance(), Assurance::RestrictedPair);
        assert_eq!(later.at_hand(at(11_100), LIFE), Some(Assurance::Single));
    }
}
