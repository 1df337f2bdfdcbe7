use thiserror::Error;

use super::Proven;
use super::authenticators::is_active;
use super::manage::owner;
use crate::factor::FactorKind;
use crate::policy::Assurance;
use crate::request::Purpose;
use crate::verifier::{Unavailable, Verifier};

/// What an account can prove more by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Offer {
    /// A code of an authenticator that goes by the time.
    Totp,
    /// A code of an authenticator that counts.
    Hotp,
    /// A recovery code.
    Recovery,
}

impl Offer {
    /// Names it, for answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Hotp => "hotp",
            Self::Recovery => "recovery",
        }
    }
}

/// More is asked for than was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepUp {
    /// What the purpose requires.
    pub required: Assurance,
    /// What the account has to offer; where it is nothing, a factor is enrolled first.
    pub offers: Vec<Offer>,
}

/// Says why a proof does not do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StepUpError {
    /// It is too weak or too old for the purpose.
    #[error("more proof is needed")]
    Needed(StepUp),
    /// The policy neither registers the purpose nor has a rule for it: a misspelt one must not pass
    /// for one that requires nothing.
    #[error("the purpose is not registered")]
    UnknownPurpose,
    /// Something of ours is down; nothing was let through.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

impl Verifier {
    /// Lets a proof through where it is as strong and as fresh as the policy requires for a purpose
    /// ([`FactorRules::requires`](crate::policy::FactorRules::requires)), and says otherwise what is
    /// asked for. An override that waives the second factor is obeyed.
    ///
    /// What is asked for is shown by [`verify_totp`](Self::verify_totp), `verify_hotp` or
    /// `verify_recovery`, and added by [`Proven::and`]. The time is the store's: one round trip.
    ///
    /// # Errors
    /// [`StepUpError`].
    pub async fn step_up(&self, purpose: &Purpose, proven: &Proven) -> Result<(), StepUpError> {
        let policy = self.policy();
        let rules = policy.factors();
        if !rules.names(purpose) && policy.purposes().find(purpose.as_str()).is_none() {
            return Err(StepUpError::UnknownPurpose);
        }
        let required = rules.requires_while(purpose, policy.second_factor());
        let now = self.inner.store.ping().await;
        let now = now.map_err(|error| StepUpError::Unavailable(error.into()))?;
        let at_hand = proven.at_hand(now, rules.proof());
        if at_hand.is_some_and(|assurance| assurance >= required) {
            return Ok(());
        }
        let offers = self.offers(proven).await;
        let offers = offers.map_err(StepUpError::Unavailable)?;
        Err(StepUpError::Needed(StepUp { required, offers }))
    }

    async fn offers(&self, proven: &Proven) -> Result<Vec<Offer>, Unavailable> {
        let owner = owner(proven.tenant(), proven.subject());
        let mut offers = Vec::new();
        let factors = self.inner.store.factors(&owner).await?;
        for factor in factors.iter().filter(|factor| is_active(factor)) {
            let offer = match factor.kind {
                FactorKind::Totp { .. } => Offer::Totp,
                FactorKind::Hotp { .. } => Offer::Hotp,
            };
            if !offers.contains(&offer) {
                offers.push(offer);
            }
        }
        if !offers.is_empty() && self.inner.store.recovery_left(&owner).await? > 0 {
            offers.push(Offer::Recovery);
        }
        Ok(offers)
    }
}
