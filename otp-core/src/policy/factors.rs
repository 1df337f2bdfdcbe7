use std::collections::BTreeMap;
use std::time::Duration;

use super::{Assurance, SecondFactor};
use crate::factor::{LookAhead, TotpSkew};
use crate::request::Purpose;

/// The rules of second factors: which codes are accepted, how long an enrolment waits, how fresh a
/// proof must be, and what each purpose requires.
///
/// # Examples
/// ```
/// use otp_core::factor::TotpSkew;
/// use otp_core::policy::{Assurance, FactorRules};
/// use otp_core::request::Purpose;
///
/// let rules = FactorRules::recommended()
///     .with_skew(TotpSkew::DELAY)
///     .requiring(Purpose::MFA, Assurance::Pair);
/// assert_eq!(rules.requires(&Purpose::MFA), Assurance::Pair);
/// assert_eq!(rules.requires(&Purpose::LOGIN), Assurance::Address);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorRules {
    skew: TotpSkew,
    look_ahead: LookAhead,
    enrolment: Duration,
    proof: Duration,
    required: BTreeMap<Purpose, Assurance>,
}

/// The longest that a proof counts as fresh, and that an enrolment waits: an hour.
const LONGEST: Duration = Duration::from_secs(3_600);
const USUAL: Duration = Duration::from_secs(600);

impl Default for FactorRules {
    fn default() -> Self {
        Self::recommended()
    }
}

impl FactorRules {
    /// What a service should start with: one time step before the present and one after, ten
    /// counters ahead, ten minutes to confirm an enrolment, proofs that are fresh for ten minutes,
    /// and [`RestrictedPair`](Assurance::RestrictedPair) for [`Purpose::MFA`].
    #[must_use]
    pub fn recommended() -> Self {
        Self {
            skew: TotpSkew::USUAL,
            look_ahead: LookAhead::USUAL,
            enrolment: USUAL,
            proof: USUAL,
            required: BTreeMap::new(),
        }
        .requiring(Purpose::MFA, Assurance::RestrictedPair)
    }

    /// Accepts other time steps around the present.
    #[must_use]
    pub fn with_skew(mut self, skew: TotpSkew) -> Self {
        self.skew = skew;
        self
    }

    /// Looks at another number of counters beyond the expected one.
    #[must_use]
    pub fn with_look_ahead(mut self, look_ahead: LookAhead) -> Self {
        self.look_ahead = look_ahead;
        self
    }

    /// Sets how long an enrolment waits for its first code; more than an hour is an hour.
    #[must_use]
    pub fn with_enrolment(mut self, life: Duration) -> Self {
        self.enrolment = life.min(LONGEST);
        self
    }

    /// Sets for how long a proof lets its owner change their factors; more than an hour is an hour.
    #[must_use]
    pub fn with_proof(mut self, life: Duration) -> Self {
        self.proof = life.min(LONGEST);
        self
    }

    /// Says how strong a proof a purpose requires, see
    /// [`Verifier::step_up`](crate::verifier::Verifier::step_up).
    #[must_use]
    pub fn requiring(mut self, purpose: Purpose, assurance: Assurance) -> Self {
        self.required.insert(purpose, assurance);
        self
    }

    /// Gives the time steps that are accepted.
    #[must_use]
    pub fn skew(&self) -> TotpSkew {
        self.skew
    }

    /// Gives how many counters are looked at.
    #[must_use]
    pub fn look_ahead(&self) -> LookAhead {
        self.look_ahead
    }

    /// Says how long an enrolment waits.
    #[must_use]
    pub fn enrolment(&self) -> Duration {
        self.enrolment
    }

    /// Says for how long a proof is fresh.
    #[must_use]
    pub fn proof(&self) -> Duration {
        self.proof
    }

    /// Says whether something was said of a purpose.
    pub(crate) fn names(&self, purpose: &Purpose) -> bool {
        self.required.contains_key(purpose)
    }

    /// Says what a purpose requires; of one that nothing was said of, any proof.
    #[must_use]
    pub fn requires(&self, purpose: &Purpose) -> Assurance {
        let required = self.required.get(purpose);
        required.copied().unwrap_or(Assurance::Address)
    }

    /// Says what a purpose requires while an override may waive the second factor.
    pub(crate) fn requires_while(&self, purpose: &Purpose, factor: SecondFactor) -> Assurance {
        match factor {
            SecondFactor::Required => self.requires(purpose),
            SecondFactor::Waived => self.requires(purpose).without_second_factor(),
        }
    }
}

impl Assurance {
    /// What is left of a requirement while no second factor is asked for.
    const fn without_second_factor(self) -> Self {
        match self {
            Self::RestrictedPair => Self::Address,
            Self::Pair => Self::Single,
            single => single,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiver_takes_the_second_factor_away_and_nothing_else() {
        let rules = FactorRules::recommended()
            .requiring(Purpose::MFA, Assurance::Pair)
            .requiring(Purpose::LOGIN, Assurance::Restricted);
        let waived = |purpose| rules.requires_while(purpose, SecondFactor::Waived);
        assert_eq!(waived(&Purpose::MFA), Assurance::Single);
        assert_eq!(waived(&Purpose::LOGIN), Assurance::Restricted);
        let required = rules.requires_while(&Purpose::MFA, SecondFactor::Required);
        assert_eq!(required, Assurance::Pair);
    }

    #[test]
    fn nothing_stays_fresh_for_more_than_an_hour() {
        let day = Duration::from_secs(86_400);
        let rules = FactorRules::recommended()
            .with_proof(day)
            .with_enrolment(day);
        assert_eq!((rules.proof(), rules.enrolment()), (LONGEST, LONGEST));
    }
}
