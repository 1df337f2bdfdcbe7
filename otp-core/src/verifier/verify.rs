mod link;
mod vendor;

pub use link::Relay;

use super::addressees::{opened, opened_all};
use super::attempt::{Attempt, Claim, ClaimKind};
use super::desk::Turned;
use super::enclosure::code_part;
use super::issue::binding;
use super::managed::{Held, Word};
use super::{Unavailable, Verified, Verifier, VerifyError};
use crate::challenge::{
    AttemptClaim, AttemptOutcome, Challenge, ChallengeId, Code, ConsumeOutcome, Lane, LinkToken,
    RecordedAnswer, Refusal, TypedShape,
};
use crate::clock::Timestamp;
use crate::destination::Destination;
use crate::event::{Event, EventKind, Outcome};
use crate::gate::{GateRequest, Operation};
use crate::hash::{Comparison, HashSlot, MismatchReason};
use crate::key::KeySet;
use crate::policy::{CaptchaPolicy, Policy};
use crate::request::{AttemptId, RequestContext};
use crate::store::{Consume, Granted, Reject, Step, StoreError, Target};

impl Verifier {
    /// Checks a code, and takes the challenge's one success where it is right.
    ///
    /// The guess is counted on the challenge and on the subject's budget, in a step of its own,
    /// before anything is compared; cancelling the call, crashing or losing the answer does not
    /// undo it. Of any number of racing right codes one gets a [`Verified`]. Unknown, expired,
    /// consumed, revoked, malformed and wrong take the same way and give the same answer. Two
    /// store round trips.
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have counted a guess, or consumed the challenge. Repeat it with the
    /// same [`Attempt::with_id`] to hear what came of it.
    pub async fn verify(
        &self,
        challenge: impl Into<Claim>,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<Verified, VerifyError> {
        let check = self.check(challenge.into(), attempt.into(), context.into());
        self.measured(Operation::Verify, Box::pin(check)).await
    }

    async fn check(
        &self,
        claim: Claim,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<Verified, VerifyError> {
        let policy = self.policy();
        let keys = self.inner.keys.snapshot();
        let event =
            Event::new(EventKind::ValidationAttempt, &attempt.tenant).from_request(&context);
        let request = request(&policy, &attempt, &context);
        let target = self.target(&policy, &keys, claim, &attempt, &context).await;
        let event = match &target {
            Some(Target::Id(id)) => event.naming(id),
            Some(Target::Latest { subject, .. }) => event.about(subject),
            None => event,
        };
        let rules = policy.limits().budget();
        let shape = TypedShape::of(attempt.typed.expose());
        let step = match (target, shape) {
            (Some(target), Some(shape)) => Step::Attempt {
                target,
                claim: attempt_claim(&keys, &attempt, shape, &context),
                rules: rules.clone(),
            },
            _ => Step::Nothing,
        };
        let wants = self.wants(&request, &event).await?;
        // A place in the hashing pool comes before the guess: shedding never costs one.
        let slot = self.inner.hasher.reserve()?;
        let admitted = self.admit(&request, wants, step, event).await?;
        let now = admitted.now;
        let desk = Desk {
            verifier: self,
            keys: &keys,
            attempt: &attempt,
            rules,
            captcha: *policy.captcha(),
            event: admitted.event,
            now,
        };
        match admitted.granted {
            Granted::Attempt(outcome, challenge) => {
                desk.decide(Shown::Code(slot), outcome, challenge).await
            }
            granted => {
                let refusal = match (granted, shape) {
                    (Granted::NoChallenge(refusal), _) => refusal,
                    (_, Some(_)) => Refusal::Unknown,
                    (_, None) => Refusal::Malformed,
                };
                Box::pin(desk.refuse(Shown::Code(slot), refusal)).await
            }
        }
    }

    async fn target(
        &self,
        policy: &Policy,
        keys: &KeySet,
        claim: Claim,
        attempt: &Attempt,
        context: &RequestContext,
    ) -> Option<Target> {
        match claim.0 {
            ClaimKind::Id(id) => Some(Target::Id(id)),
            ClaimKind::Latest { subject, purpose } => {
                let (purpose, _) = policy.purposes().find(&purpose)?;
                let known = self.lane(keys, &attempt.tenant, &subject, context).await;
                Some(Target::Latest {
                    tenant: attempt.tenant.clone(),
                    subject,
                    purpose: purpose.clone(),
                    lanes: match known {
                        Lane::KnownDevice => vec![Lane::KnownDevice, Lane::Public],
                        Lane::Public => vec![Lane::Public],
                    },
                })
            }
            ClaimKind::Nothing => None,
        }
    }
}

/// Names what the gates judge a try by.
fn request<'a>(
    policy: &'a Policy,
    attempt: &'a Attempt,
    context: &'a RequestContext,
) -> GateRequest<'a> {
    GateRequest {
        operation: Operation::Verify,
        tenant: &attempt.tenant,
        subject: None,
        destination: None,
        destination_key: None,
        channel: None,
        purpose: attempt.purpose.as_ref(),
        lane: Lane::Public,
        context,
        policy,
    }
}

fn attempt_claim(
    keys: &KeySet,
    attempt: &Attempt,
    shape: TypedShape,
    context: &RequestContext,
) -> AttemptClaim {
    let fingerprints = |id: &AttemptId| {
        let current = keys.current().id();
        let older = keys.ids().filter(|key| *key != current);
        std::iter::once(current)
            .chain(older)
            .filter_map(|key| keys.get(key))
            .map(|key| fingerprint(key, id, attempt.typed.expose()))
            .collect()
    };
    AttemptClaim {
        tenant: attempt.tenant.clone(),
        purpose: attempt.purpose.clone(),
        binding: context.binding().cloned(),
        shape,
        id: attempt.id.as_ref().map(|id| (id.clone(), fingerprints(id))),
    }
}

/// Hashes a typed code with its attempt id: enough to know a repeat, nothing to guess by.
fn fingerprint(key: &crate::key::KeyMaterial, id: &AttemptId, typed: &str) -> [u8; 16] {
    let parts: [&[u8]; 3] = [b"attempt", id.as_str().as_bytes(), typed.as_bytes()];
    let mac = crate::key::mac(key.code_key(), &parts);
    mac.as_bytes()
        .first_chunk::<16>()
        .copied()
        .unwrap_or_default()
}

/// How long the store gets before it is asked again.
const TRY_AGAIN: std::time::Duration = std::time::Duration::from_millis(50);
/// Why a repeated try is refused.
const REPEATED: &str = "repeated_wrong_code";

/// What a try shows. A code is compared in the place that is held for it, a link at once.
enum Shown {
    Code(HashSlot),
    Link(LinkToken),
}

/// One try after it was admitted.
struct Desk<'a> {
    verifier: &'a Verifier,
    keys: &'a KeySet,
    attempt: &'a Attempt,
    rules: &'a crate::quota::BudgetRules,
    captcha: CaptchaPolicy,
    event: Event,
    now: Timestamp,
}

impl Desk<'_> {
    async fn decide(
        self,
        shown: Shown,
        outcome: AttemptOutcome,
        challenge: Box<Challenge>,
    ) -> Result<Verified, VerifyError> {
        match outcome {
            AttemptOutcome::Reserved | AttemptOutcome::Resumed => {
                self.compare(shown, challenge).await
            }
            AttemptOutcome::Replayed(RecordedAnswer::Right) => {
                Box::pin(self.repeat(shown, challenge)).await
            }
            AttemptOutcome::Replayed(RecordedAnswer::Wrong) => {
                Box::pin(self.refuse_known(shown, challenge, REPEATED)).await
            }
            AttemptOutcome::Refused(refusal) => {
                Box::pin(self.refuse_known(shown, challenge, refusal.name())).await
            }
        }
    }

    /// Answers a right try that was answered before.
    async fn repeat(
        self,
        shown: Shown,
        challenge: Box<Challenge>,
    ) -> Result<Verified, VerifyError> {
        burn(shown).await?;
        let destination = opened(self.keys, &challenge).ok_or_else(sealed)?;
        let event = self.event.clone().of_challenge(&challenge);
        let event = event.with_outcome(Outcome::Success, "repeated");
        self.verifier.record(event).await?;
        Ok(self.verified(challenge, destination, true))
    }

    async fn compare(
        mut self,
        shown: Shown,
        challenge: Box<Challenge>,
    ) -> Result<Verified, VerifyError> {
        self.event = self.event.of_challenge(&challenge);
        let counted = Some((challenge.id, self.attempt.id.clone()));
        let slot = match shown {
            Shown::Code(slot) => slot,
            Shown::Link(token) => return Box::pin(self.follow(&token, challenge)).await,
        };
        let Ok(code) = Code::normalise(challenge.format, self.attempt.typed.expose()) else {
            Box::pin(burn(Shown::Code(slot))).await?;
            return Box::pin(self.refuse_here(counted, Refusal::Malformed.name())).await;
        };
        if Held::is(&challenge.digest) {
            // The vendor's answer takes its time; nobody waits for a thread meanwhile.
            drop(slot);
            return Box::pin(self.ask(challenge, code)).await;
        }
        let id = challenge.id.text();
        let compared = slot
            .verify(
                self.keys,
                &binding(&challenge, id.as_str()),
                code.expose(),
                code_part(&challenge.digest),
            )
            .await
            .map_err(|error| VerifyError::Unavailable(Unavailable::because(error)))?;
        match compared {
            Comparison::Match { .. } => match opened(self.keys, &challenge) {
                Some(destination) => self.consume(challenge, destination, 1).await,
                // Its key is retired: what cannot be told to the host is not accepted.
                None => Box::pin(self.refuse_here(counted, "sealed_value_refused")).await,
            },
            Comparison::Mismatch(reason) => {
                Box::pin(self.refuse_here(counted, mismatch(reason))).await
            }
        }
    }

    async fn consume(
        self,
        mut challenge: Box<Challenge>,
        destination: Destination,
        tries: u32,
    ) -> Result<Verified, VerifyError> {
        let consume = Consume {
            challenge: challenge.id,
            digest: std::mem::take(&mut challenge.digest),
            by: self.attempt.id.clone(),
            event: self.event.clone(),
        };
        let again = (tries > 1).then(|| consume.clone());
        let taken = match (self.verifier.inner.store.consume(consume).await, again) {
            (Err(error), Some(again)) => Box::pin(self.consume_again(again, error, tries)).await?,
            (taken, _) => taken?,
        };
        match taken {
            ConsumeOutcome::Won => {
                self.verifier.observe(&self.event);
                self.verifier
                    .guard_verified(&challenge, &destination, self.now);
                Ok(self.verified(challenge, destination, false))
            }
            ConsumeOutcome::WonBefore => {
                let event = self.event.clone();
                let repeated = event.with_outcome(Outcome::Success, "repeated");
                self.verifier.observe(&repeated);
                Ok(self.verified(challenge, destination, true))
            }
            ConsumeOutcome::Lost(refusal) => {
                let lost = self.event.with_outcome(Outcome::Refused, refusal.name());
                self.verifier.observe(&lost);
                Err(VerifyError::Rejected)
            }
        }
    }

    /// Asks a store again that did not take a success.
    async fn consume_again(
        &self,
        consume: Consume,
        error: StoreError,
        tries: u32,
    ) -> Result<ConsumeOutcome, StoreError> {
        let mut taken = Err(error);
        for _ in 1..tries {
            let Err(error) = taken else { break };
            tokio::time::sleep(TRY_AGAIN).await;
            taken = match self.verifier.inner.store.consume(consume.clone()).await {
                // Without an id nobody knows whether the call before won after all.
                Ok(ConsumeOutcome::Lost(_)) if self.attempt.id.is_none() => Err(error),
                again => again,
            };
        }
        taken
    }

    fn verified(
        &self,
        challenge: Box<Challenge>,
        destination: Destination,
        repeated: bool,
    ) -> Verified {
        let settings = self.verifier.links();
        let link = settings.and_then(|settings| {
            let link = opened_all(self.keys, &challenge)?.link?;
            Some(link.allowed_by(settings))
        });
        Verified {
            return_to: link.and_then(|link| link.return_to),
            challenge: challenge.id,
            tenant: challenge.tenant,
            subject: challenge.subject,
            purpose: challenge.purpose,
            channel: challenge.channel,
            lane: challenge.lane,
            destination,
            at: self.now,
            repeated,
        }
    }

    async fn refuse_known(
        mut self,
        shown: Shown,
        challenge: Box<Challenge>,
        reason: &'static str,
    ) -> Result<Verified, VerifyError> {
        // Another tenant's challenge is unknown here, in the record too.
        if challenge.tenant == self.attempt.tenant {
            self.event = self.event.of_challenge(&challenge);
        }
        burn(shown).await?;
        self.refuse_here(None, reason).await
    }

    async fn refuse(self, shown: Shown, refusal: Refusal) -> Result<Verified, VerifyError> {
        burn(shown).await?;
        self.refuse_here(None, refusal.name()).await
    }

    /// Refuses without a vendor's word. Where vendors make codes it takes as long as one takes,
    /// and while they say nothing it says no more: neither the time nor the answer tells which
    /// challenges there are, and which of them are decoys.
    async fn refuse_here(
        self,
        counted: Option<(ChallengeId, Option<AttemptId>)>,
        reason: &'static str,
    ) -> Result<Verified, VerifyError> {
        let inner = &self.verifier.inner;
        let word = if inner.routes.has_managers() {
            inner.pace.wait().await
        } else {
            Word::Verdict
        };
        match (self.reject(counted, reason).await, word) {
            (Err(VerifyError::Rejected), Word::Silence) => Err(VerifyError::Unavailable(
                Unavailable::of_vendor("the vendors that check codes say nothing"),
            )),
            (answer, _) => answer,
        }
    }

    /// Writes the refusal: the same second round trip for every kind of it.
    async fn reject(
        self,
        counted: Option<(ChallengeId, Option<AttemptId>)>,
        reason: &'static str,
    ) -> Result<Verified, VerifyError> {
        let event = self.event.with_outcome(Outcome::Refused, reason);
        self.verifier
            .inner
            .store
            .reject(Reject {
                counted,
                rules: self.rules.clone(),
                event: event.clone(),
            })
            .await?;
        self.verifier.observe(&event);
        // A repeat is the try that was counted before.
        if reason != REPEATED {
            self.verifier.count_failure(&self.captcha, &event).await;
        }
        Err(VerifyError::Rejected)
    }
}

/// The destination of a challenge that was accepted does not open any more.
fn sealed() -> VerifyError {
    VerifyError::Unavailable(Unavailable::because(
        "the destination of a consumed challenge does not open",
    ))
}

/// Does the work of a comparison for a try that has none, so that time does not tell why.
async fn burn(shown: Shown) -> Result<(), VerifyError> {
    match shown {
        Shown::Code(slot) => slot.decoy().await.map_err(Unavailable::because)?,
        // Comparing one takes no time to speak of.
        Shown::Link(_) => {}
    }
    Ok(())
}

const fn mismatch(reason: MismatchReason) -> &'static str {
    match reason {
        MismatchReason::Wrong => "invalid_otp",
        MismatchReason::UnknownKey => "unknown_key",
        MismatchReason::Corrupt => "corrupt_record",
        MismatchReason::NotAllowed => "algorithm_not_allowed",
    }
}

impl From<Unavailable> for VerifyError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl From<Turned> for VerifyError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Away(denial) => denial.into(),
            Turned::Store(error) => error.into(),
            Turned::Silence(unavailable) => Self::Unavailable(unavailable),
        }
    }
}
