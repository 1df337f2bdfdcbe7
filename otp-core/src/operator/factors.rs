//! A lost phone: the second factors of an account are taken away, or their clocks looked at.

use thiserror::Error;

use super::Operator;
use super::effect::{Count, Effect, Mode};
use crate::clock::Timestamp;
use crate::event::{Event, EventKind, OperatorName, Outcome};
use crate::factor::{Factor, FactorState};
use crate::request::{FactorClass, SubjectId, SubjectKey, Tenant};
use crate::store::{ChallengeQuery, DeviceQuery, FactorOwner, Revocation, StoreError};
use crate::verifier::{
    Diagnosis, FactorDrift, Freshness, NotTheSame, Unavailable, VerifiedFactor, freshness,
};

/// The most challenges that are counted; an account has two live ones at the most.
const CHALLENGES: usize = 10;
const RESET: &str = "reset_factors";

/// What an operator shows of themselves beside their token, before they take an account's second
/// factors away (ASVS 7.5.1, for the operator's side of it).
#[derive(Clone, Debug)]
pub struct OperatorProof(Shown);

#[derive(Clone, Debug)]
enum Shown {
    Second(OperatorName),
    Factor { account: SubjectId, at: Timestamp },
}

impl OperatorProof {
    /// Another operator stands by it, whom the host has authenticated too.
    #[must_use]
    pub fn by_second(operator: OperatorName) -> Self {
        Self(Shown::Second(operator))
    }

    /// The operator has shown a second factor of their own: of the account with the operator's name,
    /// in the tenant that the host keeps for `operators`. A factor of any other tenant, where
    /// somebody else may have that name, proves nothing. It is worth as many minutes as any proof
    /// ([`FactorRules::proof`](crate::policy::FactorRules::proof)), by the store's clock.
    ///
    /// # Errors
    /// [`NotTheSame`] where the factor is of another tenant.
    pub fn by_factor(operators: &Tenant, verified: &VerifiedFactor) -> Result<Self, NotTheSame> {
        if operators != verified.tenant() {
            return Err(NotTheSame);
        }
        Ok(Self(Shown::Factor {
            account: verified.subject().clone(),
            at: verified.at().into(),
        }))
    }
}

/// A reset whose proof was looked at.
pub(crate) struct Proved {
    owner: FactorOwner,
    event: Event,
}

/// Says why an account's second factors were not taken away.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResetError {
    /// The proof is the operator's own name, another's factor, or old.
    #[error("the operator's own proof is needed")]
    NotProven,
    /// Something of ours is down; some of it may be done. Repeating it does no harm.
    #[error("unavailable")]
    Unavailable(#[from] Unavailable),
}

/// Says why the clocks of an account's authenticators were not looked at.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DriftError {
    /// The account's budget takes no guess now; [`Operator::unlock`] opens it.
    #[error("account temporarily locked")]
    Locked,
    /// Something of ours is down.
    #[error("unavailable")]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for ResetError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<StoreError> for DriftError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Operator {
    /// Takes every second factor and recovery code of an account away, for somebody who was
    /// identified by other means. It also ends the account's live challenges, forgets the devices
    /// that it is known by, and opens the budgets of the factors that are gone, so that new ones can
    /// be bound. The effect counts what goes.
    ///
    /// A host whose sessions are this library's calls
    /// [`Sessions::reset_account`](crate::session::Sessions::reset_account), which ends those too;
    /// any other one ends its own: they may be in the hands that have the phone. The record names
    /// the operator, the reason, and who or what stood by; the owner is told by
    /// [`EventKind::FactorsReset`].
    ///
    /// # Errors
    /// [`ResetError`].
    pub async fn reset_factors(
        &self,
        subject: &SubjectId,
        proof: &OperatorProof,
    ) -> Result<Effect, ResetError> {
        let proved = self.proved(subject, proof).await?;
        self.reset(proved, Vec::new()).await
    }

    /// Looks at the proof; one that is worth nothing is on record.
    pub(crate) async fn proved(
        &self,
        subject: &SubjectId,
        proof: &OperatorProof,
    ) -> Result<Proved, ResetError> {
        let owner = self.owner(subject);
        let event = self.event(RESET).about(&owner.subject);
        let Some(stood_by) = self.stood_by(proof).await? else {
            self.note(event.with_outcome(Outcome::Refused, "reset_factors:not_proven"))
                .await?;
            return Err(ResetError::NotProven);
        };
        let event = told(event, &stood_by);
        Ok(Proved { owner, event })
    }

    /// Resets, or says what that would do; `also` is what the caller ends beside it.
    pub(crate) async fn reset(
        &self,
        proved: Proved,
        also: Vec<String>,
    ) -> Result<Effect, ResetError> {
        let Proved { owner, event } = proved;
        let mut meant = self.would_take(&owner).await?;
        meant.extend(also);
        self.note(event.clone()).await?;
        if self.mode == Mode::Apply {
            self.take_away(&owner, event).await?;
        }
        let count = Count::listed(meant.len(), usize::MAX);
        Ok(Effect::new(self.mode, count, &meant, Clone::clone))
    }

    /// Says how far the clocks of an account's authenticators are off, by two codes that the person
    /// reads out one after the other: "this device is 4 minutes behind".
    ///
    /// It costs the account one guess and accepts nothing, so the codes are as good as before.
    ///
    /// # Errors
    /// [`DriftError`].
    pub async fn diagnose_drift(
        &self,
        subject: &SubjectId,
        codes: [&str; 2],
    ) -> Result<Vec<FactorDrift>, DriftError> {
        let owner = self.owner(subject);
        let event = self.look("diagnose_drift").about(&owner.subject);
        match self.verifier.diagnose(&owner, codes, event).await? {
            Diagnosis::Shown(drifts) => Ok(drifts),
            Diagnosis::Locked => Err(DriftError::Locked),
        }
    }

    fn owner(&self, subject: &SubjectId) -> FactorOwner {
        FactorOwner {
            tenant: self.tenant.clone(),
            subject: SubjectKey::of_subject(subject),
        }
    }

    /// Names what stood by the operator, for the record; `None` where it is worth nothing.
    async fn stood_by(&self, proof: &OperatorProof) -> Result<Option<String>, StoreError> {
        let own = &self.act.operator;
        Ok(match &proof.0 {
            Shown::Second(other) if other != own => Some(format!("second:{other}")),
            Shown::Second(_) => None,
            Shown::Factor { account, at } => {
                let life = self.verifier.policy().factors().proof();
                let is_fresh = freshness(*at, self.store().ping().await?, life) == Freshness::Fresh;
                (account.as_str() == own.as_str() && is_fresh).then(|| "own_factor".to_owned())
            }
        })
    }

    /// Lists what goes, in words for the operator.
    async fn would_take(&self, owner: &FactorOwner) -> Result<Vec<String>, StoreError> {
        let factors = self.store().factors(owner).await?;
        let mut meant: Vec<String> = factors.iter().map(shown).collect();
        let codes = self.store().recovery_left(owner).await?;
        meant.extend((0..codes).map(|_| "recovery code".to_owned()));
        let live = self.store().list(&challenges(owner), CHALLENGES).await?;
        meant.extend(live.iter().map(|challenge| {
            let (purpose, channel) = (&challenge.purpose, challenge.channel.name());
            format!("challenge {purpose} {channel}")
        }));
        let devices = self.store().devices(owner).await?;
        meant.extend(devices.iter().map(|device| match &device.label {
            Some(label) => format!("device {label}"),
            None => "device".to_owned(),
        }));
        Ok(meant)
    }

    async fn take_away(&self, owner: &FactorOwner, event: Event) -> Result<(), ResetError> {
        // A record of its own beside the operator's, which has the same words.
        let reset = Event {
            kind: EventKind::FactorsReset,
            reason: event.reason,
            ..self.event(RESET).about(&owner.subject)
        };
        self.store().reset_factors(owner, reset.clone()).await?;
        self.verifier.observe(&reset);
        let forgotten = self.event("revoke_devices").about(&owner.subject);
        let forget = self
            .verifier
            .forget_with(owner, &DeviceQuery::All, forgotten);
        forget.await?;
        let revocation = Revocation {
            query: challenges(owner),
            event: self.event("revoke").about(&owner.subject),
        };
        let ended = revocation.event.clone();
        self.store().revoke(revocation).await?;
        self.verifier.observe(&ended);
        for class in [FactorClass::Totp, FactorClass::Recovery] {
            let opened = self.event("unlock").about(&owner.subject);
            let budget = owner.budget(class);
            self.store().unlock(&budget, opened.clone()).await?;
            self.verifier.observe(&opened);
        }
        Ok(())
    }
}

fn challenges(owner: &FactorOwner) -> ChallengeQuery {
    ChallengeQuery {
        tenant: Some(owner.tenant.clone()),
        subject: Some(owner.subject.clone()),
        ..ChallengeQuery::default()
    }
}

fn told(mut event: Event, stood_by: &str) -> Event {
    let what = event.reason.take().unwrap_or_default();
    event.reason = Some(format!("{what}:{stood_by}").into());
    event
}

fn shown(factor: &Factor) -> String {
    let state = match factor.state() {
        FactorState::Pending => "pending",
        FactorState::Active => "active",
    };
    format!("{} {state} {}", factor.kind.name(), factor.name)
}
