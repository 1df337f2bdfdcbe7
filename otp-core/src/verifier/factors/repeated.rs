//! A try that its client names, and sends again because the answer was lost.

use super::guess::{Guess, USED};
use super::verified::{ProvenBy, VerifiedFactor};
use crate::event::Outcome;
use crate::key::{KeyMaterial, KeySet, mac};
use crate::request::FactorClass;
use crate::store::{AcceptedBy, AcceptedTry, FactorOwner, NamedTry};
use crate::verifier::VerifyError;
use crate::verifier::attempt::Attempt;

/// What the record says of a success that was one before.
const REPEATED: &str = "repeated";

/// What is tried: the same name under another one is another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Totp,
    Hotp,
    Confirm,
    Resynchronise,
    Recovery,
}

impl Call {
    pub(super) const fn class(self) -> FactorClass {
        match self {
            Self::Totp | Self::Hotp | Self::Confirm | Self::Resynchronise => FactorClass::Totp,
            Self::Recovery => FactorClass::Recovery,
        }
    }

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Totp => b"otp-kit try of totp v1",
            Self::Hotp => b"otp-kit try of hotp v1",
            Self::Confirm => b"otp-kit try of confirm v1",
            Self::Resynchronise => b"otp-kit try of resynchronise v1",
            Self::Recovery => b"otp-kit try of recovery v1",
        }
    }
}

/// Says what a try is known by, where its client named it.
pub(super) fn named(
    keys: &KeySet,
    owner: &FactorOwner,
    call: Call,
    attempt: &Attempt,
) -> Option<NamedTry> {
    let id = attempt.id.as_ref()?;
    let purpose = attempt
        .purpose
        .as_ref()
        .map_or("", |purpose| purpose.as_str());
    let parts: [&[u8]; 6] = [
        call.label(),
        owner.tenant.as_str().as_bytes(),
        owner.subject.as_str().as_bytes(),
        purpose.as_bytes(),
        id.as_str().as_bytes(),
        attempt.typed.expose().as_bytes(),
    ];
    let fingerprint = |key: &KeyMaterial| {
        let mac = mac(key.code_key(), &parts);
        let cut = mac.as_bytes().first_chunk::<16>();
        cut.copied().unwrap_or_default()
    };
    let current = keys.current();
    let older = keys.ids().filter(|key| *key != current.id());
    let older = older.filter_map(|key| keys.get(key)).map(fingerprint);
    Some(NamedTry::new(fingerprint(current), older.collect()))
}

/// Gives the try that is kept, where it is this one.
pub(super) fn among(name: &NamedTry, kept: Option<AcceptedTry>) -> Option<AcceptedTry> {
    kept.filter(|tried| name.holds(&tried.fingerprint))
}

impl<T> Guess<'_, T> {
    /// Says how the try answers when it is repeated, where it has a name.
    pub(super) fn accepted(&self, by: ProvenBy) -> Option<AcceptedTry> {
        Some(AcceptedTry {
            fingerprint: self.name.as_ref()?.current(),
            at: self.now,
            by: match by {
                ProvenBy::Totp { factor, step } => AcceptedBy::Totp(factor, step),
                ProvenBy::Hotp { factor, counter } => AcceptedBy::Hotp(factor, counter),
                ProvenBy::Recovery { selector, .. } => AcceptedBy::Recovery(selector),
            },
        })
    }

    /// Answers a try that was accepted before it came: as then, for a minute. What is older was used
    /// up by itself.
    pub(super) async fn answered(&self) -> Option<Result<VerifiedFactor, VerifyError>> {
        let tried = self.before.as_ref()?;
        Some(if self.now.since(tried.at) <= AcceptedTry::LIFE {
            self.again(tried).await
        } else {
            Err(self.refuse(USED).await)
        })
    }

    /// Refuses, unless this very try was accepted meanwhile, through another call.
    pub(super) async fn decline(
        &self,
        reason: &'static str,
    ) -> Result<VerifiedFactor, VerifyError> {
        match self.meanwhile().await? {
            Some(tried) => self.again(&tried).await,
            None => Err(self.refuse(reason).await),
        }
    }

    /// Reads the try that was accepted meanwhile, where it is this one.
    pub(super) async fn meanwhile(&self) -> Result<Option<AcceptedTry>, VerifyError> {
        let Some(name) = &self.name else {
            return Ok(None);
        };
        let kept = self.verifier.inner.store.accepted_try(&self.owner).await?;
        Ok(among(name, kept))
    }

    /// Answers as the first time.
    pub(super) async fn again(&self, tried: &AcceptedTry) -> Result<VerifiedFactor, VerifyError> {
        let by = match tried.by {
            AcceptedBy::Totp(factor, step) => ProvenBy::Totp { factor, step },
            AcceptedBy::Hotp(factor, counter) => ProvenBy::Hotp { factor, counter },
            AcceptedBy::Recovery(selector) => {
                let left = self.verifier.inner.store.recovery_left(&self.owner).await?;
                ProvenBy::Recovery { selector, left }
            }
        };
        let event = self.success().with_outcome(Outcome::Success, REPEATED);
        self.verifier.record(event).await?;
        Ok(VerifiedFactor {
            tenant: self.owner.tenant.clone(),
            subject: self.subject.clone(),
            by,
            lane: self.lane,
            at: tried.at,
            repeated: true,
        })
    }
}
