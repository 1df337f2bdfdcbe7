//! One guess at a second factor, from the door to the record of what came of it.

use std::sync::Arc;

use super::VerifiedFactor;
use super::authenticators::{Right, Way};
use super::repeated::{Call, among, named};
use super::verified::ProvenBy;
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::event::{Event, EventKind, Outcome};
use crate::factor::FactorState;
use crate::gate::{GateRequest, Operation};
use crate::hash::Busy;
use crate::key::KeySet;
use crate::policy::Policy;
use crate::quota::BudgetRules;
use crate::request::{RequestContext, SubjectId, SubjectKey};
use crate::store::{
    AcceptedTry, AdvanceFactor, BudgetClaim, FactorOwner, Granted, NamedTry, Reject, Step,
};
use crate::verifier::attempt::Attempt;
use crate::verifier::{Verifier, VerifyError};

/// Why a try is refused that is the right code of nothing.
pub(super) const WRONG: &str = "invalid_otp";
/// The text cannot be a code.
pub(super) const MALFORMED: &str = "malformed_code";
/// The account has nothing that the code could be of.
pub(super) const UNKNOWN: &str = "unknown_factor";
/// The code was right, and its step or counter was accepted before.
pub(super) const USED: &str = "used_code";
/// Why a repeated try is refused.
const REPEATED: &str = "repeated_wrong_code";
/// What is kept does not open: its key is retired, or the row was tampered with.
pub(super) const SEALED: &str = "sealed_value_refused";

/// Whether the typed text can be a code of what is asked: one that cannot costs no guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Readable,
    Malformed,
}

/// A guess that was admitted, and counted where the text was a code.
pub(super) struct Guess<'v, T> {
    pub(super) verifier: &'v Verifier,
    pub(super) policy: Arc<Policy>,
    pub(super) keys: Arc<KeySet>,
    pub(super) owner: FactorOwner,
    pub(super) subject: SubjectId,
    pub(super) lane: Lane,
    pub(super) now: Timestamp,
    /// What was held before the guess was counted: a place in the hashing pool, or nothing.
    pub(super) held: T,
    /// What the try is known by, where its client named it.
    pub(super) name: Option<NamedTry>,
    /// This very try, where it was accepted before it came.
    pub(super) before: Option<AcceptedTry>,
    /// When this very try was counted, where that was before it came.
    counted_at: Option<Timestamp>,
    rules: BudgetRules,
    event: Event,
}

impl Verifier {
    /// Takes a guess past the gates and has it counted; `hold` comes between the two, so that what
    /// it may refuse costs no guess. A try that came before, by its name, is counted no second time.
    pub(super) async fn guess<T>(
        &self,
        subject: &SubjectId,
        attempt: &Attempt,
        call: Call,
        typed: Typed,
        context: &RequestContext,
        hold: impl FnOnce() -> Result<T, Busy>,
    ) -> Result<Guess<'_, T>, VerifyError> {
        let policy = self.policy();
        let keys = self.inner.keys.snapshot();
        let owner = FactorOwner {
            tenant: attempt.tenant.clone(),
            subject: SubjectKey::of_subject(subject),
        };
        let lane = self
            .lane(&keys, &owner.tenant, &owner.subject, context)
            .await;
        let mut event = Event::new(EventKind::ValidationAttempt, &owner.tenant)
            .from_request(context)
            .about(&owner.subject);
        event.purpose.clone_from(&attempt.purpose);
        event.lane = Some(lane);
        let request = GateRequest {
            operation: Operation::Verify,
            tenant: &owner.tenant,
            subject: Some(&owner.subject),
            destination: None,
            destination_key: None,
            channel: None,
            purpose: attempt.purpose.as_ref(),
            lane,
            context,
            policy: &policy,
        };
        let name = named(&keys, &owner, call, attempt);
        let before = match &name {
            Some(name) => among(name, self.inner.store.accepted_try(&owner).await?),
            None => None,
        };
        let rules = BudgetRules::totp();
        let wants = self.wants(&request, &event).await?;
        let held = hold()?;
        let step = match (typed, &before) {
            (Typed::Readable, None) => Step::Guess {
                budget: BudgetClaim::new(owner.budget(call.class()), lane, rules.clone()),
                named: name.clone(),
            },
            (Typed::Malformed, _) | (_, Some(_)) => Step::Nothing,
        };
        let admitted = self.admit(&request, wants, step, event).await?;
        let counted_at = match admitted.granted {
            Granted::GuessedBefore { at } => Some(at),
            _ => None,
        };
        Ok(Guess {
            verifier: self,
            policy,
            keys,
            owner,
            subject: subject.clone(),
            lane,
            now: admitted.now,
            held,
            name,
            before,
            counted_at,
            rules,
            event: admitted.event,
        })
    }
}

impl<'v, T> Guess<'v, T> {
    /// Takes out what was held.
    pub(super) fn release(self) -> (T, Guess<'v, ()>) {
        let guess = Guess {
            verifier: self.verifier,
            policy: self.policy,
            keys: self.keys,
            owner: self.owner,
            subject: self.subject,
            lane: self.lane,
            now: self.now,
            held: (),
            name: self.name,
            before: self.before,
            counted_at: self.counted_at,
            rules: self.rules,
            event: self.event,
        };
        (self.held, guess)
    }

    /// Gives the time that a code is judged by: that of the first try, where this is one again. It
    /// answers as that one did, and nobody gets a second look for one guess.
    pub(super) fn as_of(&self) -> Timestamp {
        self.counted_at.unwrap_or(self.now)
    }

    /// Says what is recorded where it succeeds.
    pub(super) fn success(&self) -> Event {
        self.event.clone()
    }

    /// Makes the proof of a success that the store has taken.
    pub(super) fn verified(self, by: ProvenBy) -> VerifiedFactor {
        VerifiedFactor {
            tenant: self.owner.tenant,
            subject: self.subject,
            by,
            lane: self.lane,
            at: self.now,
            repeated: false,
        }
    }

    /// Takes the one success of a step or counter, of an authenticator that goes this way.
    pub(super) async fn advance(
        self,
        right: Right,
        way: Way,
        from: FactorState,
    ) -> Result<VerifiedFactor, VerifyError> {
        let by = right.proves(way);
        let mut event = self.success();
        if from == FactorState::Pending {
            event.kind = EventKind::FactorConfirmed;
        }
        let advance = AdvanceFactor {
            owner: self.owner.clone(),
            factor: right.factor,
            from,
            to: right.number,
            resealed: right.resealed,
            accepted: self.accepted(by),
            lane: self.lane,
            event: event.clone(),
        };
        let advanced = self.verifier.inner.store.advance_factor(advance).await?;
        match advanced.refusal() {
            None => {
                self.verifier.observe(&event);
                Ok(self.verified(by))
            }
            Some(reason) => {
                let event = event.with_outcome(Outcome::Refused, reason);
                self.beaten(event).await
            }
        }
    }

    /// Refuses, and writes why: the same last round trip that a success takes.
    pub(super) async fn refuse(&self, reason: &'static str) -> VerifyError {
        let reason = match self.counted_at {
            Some(_) => REPEATED,
            None => reason,
        };
        let event = self.success().with_outcome(Outcome::Refused, reason);
        let reject = Reject {
            counted: None,
            rules: self.rules.clone(),
            event: event.clone(),
        };
        match self.verifier.inner.store.reject(reject).await {
            Err(error) => error.into(),
            Ok(_) => {
                self.lost(event).await;
                VerifyError::Rejected
            }
        }
    }

    /// Ends a try that another call took the success from, which the store has the record of: where
    /// that call was this very try, it is answered as that one.
    pub(super) async fn beaten(&self, event: Event) -> Result<VerifiedFactor, VerifyError> {
        if let Some(tried) = self.meanwhile().await? {
            return self.again(&tried).await;
        }
        self.lost(event).await;
        Err(VerifyError::Rejected)
    }

    /// Makes a refusal known that the store has the record of.
    pub(super) async fn lost(&self, event: Event) {
        self.verifier.observe(&event);
        // A repeat is the try that was counted before.
        if self.counted_at.is_none() {
            let captcha = *self.policy.captcha();
            self.verifier.count_failure(&captcha, &event).await;
        }
    }
}
