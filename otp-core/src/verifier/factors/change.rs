//! A change of an account's factors, from the door to its record.

use std::sync::Arc;

use super::{FactorError, Proven};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::event::{Event, EventKind, Outcome};
use crate::factor::{Factor, FactorState};
use crate::gate::{GateRequest, Operation};
use crate::key::KeySet;
use crate::policy::{Assurance, Policy};
use crate::request::RequestContext;
use crate::store::{FactorOwner, Shown, Step};
use crate::verifier::Verifier;

/// A change that was admitted: its proof is fresh, and as strong as what the account is kept by.
pub(super) struct Change<'v> {
    pub(super) verifier: &'v Verifier,
    pub(super) policy: Arc<Policy>,
    pub(super) keys: Arc<KeySet>,
    pub(super) owner: FactorOwner,
    pub(super) now: Timestamp,
    /// What the account has, lapsed enrolments too.
    pub(super) factors: Vec<Factor>,
    /// What is recorded where it is made.
    pub(super) event: Event,
}

impl Verifier {
    /// Takes a change past the gates, and looks at its proof by the store's clock.
    pub(super) async fn change(
        &self,
        proven: &Proven,
        kind: EventKind,
        context: &RequestContext,
    ) -> Result<Change<'_>, FactorError> {
        let policy = self.policy();
        let keys = self.inner.keys.snapshot();
        let owner = proven.owner();
        let event = Event::new(kind, &owner.tenant)
            .from_request(context)
            .about(&owner.subject);
        let request = GateRequest {
            operation: Operation::Verify,
            tenant: &owner.tenant,
            subject: Some(&owner.subject),
            destination: None,
            destination_key: None,
            channel: None,
            purpose: None,
            lane: Lane::Public,
            context,
            policy: &policy,
        };
        let wants = self.wants(&request, &event).await?;
        let admitted = self.admit(&request, wants, Step::Nothing, event).await?;
        let (now, event) = (admitted.now, admitted.event);
        let factors = self.inner.store.factors(&owner).await?;
        let life = policy.factors().proof();
        let required = required(&factors);
        let enough = match required {
            Assurance::Address => proven.at_hand(now, life).map(drop),
            _ => proven.holds_factor(now, life),
        };
        if enough.is_none() {
            let refused = event.with_outcome(Outcome::Refused, "stale_proof");
            self.record(refused).await?;
            return Err(FactorError::NotFresh { required });
        }
        Ok(Change {
            verifier: self,
            policy,
            keys,
            owner,
            now,
            factors,
            event,
        })
    }
}

impl Change<'_> {
    /// Finds one of the account's own; a lapsed enrolment is none.
    pub(super) fn named(&self, id: crate::factor::FactorId) -> Result<&Factor, FactorError> {
        let life = self.policy.factors().enrolment();
        let mut live = self
            .factors
            .iter()
            .filter(|factor| factor.lapsed(self.now, life).is_none());
        live.find(|factor| factor.id == id)
            .ok_or(FactorError::Unknown)
    }

    /// Says what its proof held: a factor, as soon as the account has one.
    pub(super) fn shown(&self) -> Shown {
        match required(&self.factors) {
            Assurance::Address => Shown::NoFactor,
            _ => Shown::Factor,
        }
    }

    /// Writes that it was refused after all.
    pub(super) async fn refused(&self, reason: &'static str) -> Result<(), FactorError> {
        let event = self.event.clone().with_outcome(Outcome::Refused, reason);
        Ok(self.verifier.record(event).await?)
    }
}

/// What an account is kept by: once a factor is active, nothing less than a factor changes one.
fn required(factors: &[Factor]) -> Assurance {
    let active = |factor: &Factor| factor.state() == FactorState::Active;
    if factors.iter().any(active) {
        Assurance::RestrictedPair
    } else {
        Assurance::Address
    }
}
