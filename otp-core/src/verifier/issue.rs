use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use tokio::runtime::Handle;

use super::desk::{Admitted, Turned};
use super::dispatch::Parcel;
use super::request::{Issue, Issued};
use super::{IssueError, Unavailable, Verifier};
use crate::challenge::{Challenge, ChallengeId, ChallengeState, Code, CodeFormat, Lane};
use crate::clock::Timestamp;
use crate::delivery::{DispatchCertainty, Route};
use crate::destination::Channel;
use crate::event::{Event, Outcome};
use crate::gate::{GateRequest, Operation};
use crate::hash::Binding;
use crate::key::{KeySet, Sealed, seal};
use crate::policy::{Policy, ResendCode};
use crate::random::RandomError;
use crate::request::{FactorClass, Purpose, SubjectKey};
use crate::store::{
    BudgetClaim, BudgetKey, Granted, IdempotencyClaim, IdempotencyKey, Insert, RecordedIssue, Step,
};

impl Verifier {
    /// Issues a code and sends it.
    ///
    /// The gates run first, nothing is made before they admit. A live challenge of the same
    /// subject, purpose and lane is superseded; budgets are not touched, so a new challenge gives
    /// nobody new guesses. Two store round trips before the message leaves.
    ///
    /// Racing calls each count in the limits; the last one's code is the one that works. Calls
    /// with the same idempotency key make one challenge and one message between them.
    ///
    /// # Errors
    /// [`IssueError`]. With
    /// [`Dispatch::Await`](super::Dispatch::Await), [`IssueError::NotSent`] says whether the message
    /// may arrive all the same.
    ///
    /// # Cancellation
    /// A dropped call may have issued, sent, both or neither. Repeat it with its idempotency key.
    pub async fn issue(&self, issue: Issue) -> Result<Issued, IssueError> {
        let policy = self.policy();
        let (purpose, format) = policy
            .purposes()
            .find(&issue.purpose)
            .ok_or(IssueError::UnknownPurpose)?;
        let channel = issue.channel();
        let route = self.route(channel).ok_or(IssueError::NoRoute(channel))?;
        if let Some(destination) = issue.destination() {
            channel.fits(destination)?;
        }
        let keys = self.inner.keys.snapshot();
        let subject = issue.subject_key();
        let lane = self.lane(&keys, &issue.tenant, &subject, &issue.context);
        let draft = Draft {
            id: ChallengeId::generate(self.random(), &subject)?,
            policy: &policy,
            keys: &keys,
            purpose,
            format,
            channel,
            lane,
            subject,
            destination_key: issue.destination_key(),
            issue: &issue,
        };
        let event = Event::new(Operation::Issue.event(), &issue.tenant)
            .from_request(&issue.context)
            .about(&draft.subject);
        let event = Event {
            purpose: Some(purpose.clone()),
            channel: Some(channel),
            lane: Some(lane),
            destination: issue.destination().map(ToString::to_string),
            ..event
        };
        let request = draft.gate_request();
        let wants = self.wants(&request, &event).await?;
        // A place in the hashing pool comes before any reservation: shedding costs nothing.
        let slot = self.inner.hasher.reserve()?;
        let step = draft.step()?;
        let admitted = self.admit(&request, wants, step, event).await?;
        let (now, event) = match admitted {
            Admitted {
                granted: Granted::IssuedBefore(before),
                event,
                ..
            } => {
                let repeated = event.naming(&before.challenge);
                self.record(repeated.with_outcome(Outcome::Success, "repeated"))
                    .await?;
                return Ok(Issued::recorded(&before, channel));
            }
            Admitted {
                granted: Granted::IdempotencyConflict,
                event,
                ..
            } => {
                let conflict = event.with_outcome(Outcome::Refused, "idempotency_conflict");
                self.record(conflict).await?;
                return Err(IssueError::IdempotencyConflict);
            }
            Admitted { now, event, .. } => (now, event),
        };
        let taken = KeyTaken::by(self, &issue);
        let code = self.new_code(format)?;
        let mut challenge = draft.challenge(self, &code, now)?;
        challenge.digest = self
            .digest(slot, &keys, &challenge, code.expose())
            .await
            .map_err(Unavailable::because)?;
        let issued = Issued::of(&challenge);
        let event = event.of_challenge(&challenge);
        let parcel = Parcel::new(&challenge, code, &issue, &route);
        self.inner
            .store
            .insert(Insert {
                challenge,
                event: event.clone(),
            })
            .await?;
        taken.keep();
        self.observe(&event);
        let sent = self.dispatch(issue.dispatch, parcel, issued.clone()).await;
        if let Err(not_sent) = sent {
            if not_sent.certainty() == DispatchCertainty::NotSent {
                self.undo(&issue, &issued).await;
            }
            return Err(IssueError::NotSent(Box::new(not_sent)));
        }
        Ok(issued)
    }

    fn route(&self, channel: Channel) -> Option<Route> {
        self.inner.routes.get(channel.name()).cloned()
    }

    pub(super) fn route_of(&self, challenge: &Challenge) -> Option<Route> {
        self.route(challenge.channel)
    }

    pub(super) fn new_code(&self, format: CodeFormat) -> Result<Code, RandomError> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if let Some(code) = &self.inner.fixed_code {
            return Ok(code.clone());
        }
        Code::generate(format, self.random())
    }

    /// Makes the digest that is stored. A decoy's is over something that no code can be.
    pub(super) async fn digest(
        &self,
        slot: crate::hash::HashSlot,
        keys: &KeySet,
        challenge: &Challenge,
        code: &str,
    ) -> Result<String, crate::hash::HashError> {
        let id = challenge.id.to_string();
        let binding = binding(challenge, &id);
        let code = if challenge.is_decoy() {
            "no code"
        } else {
            code
        };
        let stored = slot.hash(keys, self.random(), &binding, code).await?;
        Ok(stored.as_str().to_owned())
    }

    /// Takes back what surely reached nobody: the challenge, and the host's key for another try.
    async fn undo(&self, issue: &Issue, issued: &Issued) {
        let cancelled = self
            .end(&issue.tenant, issued.challenge_id, "not_sent")
            .await;
        let released = match IdempotencyKey::of(issue) {
            Some(key) => self.inner.store.release(&key).await,
            None => Ok(()),
        };
        if cancelled.is_err() || released.is_err() {
            tracing::warn!(target: "otp_kit", "a challenge that was not sent could not be taken back");
        }
    }
}

/// Gives the host's key back where the call ends, fails or is dropped between taking it and
/// storing the challenge: else repeating the call would be told of a challenge that never was.
struct KeyTaken {
    verifier: Verifier,
    key: Option<IdempotencyKey>,
}

impl KeyTaken {
    fn by(verifier: &Verifier, issue: &Issue) -> Self {
        Self {
            verifier: verifier.clone(),
            key: IdempotencyKey::of(issue),
        }
    }

    fn keep(mut self) {
        self.key = None;
    }
}

impl Drop for KeyTaken {
    fn drop(&mut self) {
        let (Some(key), Ok(runtime)) = (self.key.take(), Handle::try_current()) else {
            return;
        };
        let verifier = self.verifier.clone();
        drop(runtime.spawn(async move {
            if verifier.inner.store.release(&key).await.is_err() {
                tracing::warn!(target: "otp_kit", "an idempotency key could not be given back");
            }
        }));
    }
}

/// A challenge in the making.
struct Draft<'a> {
    id: ChallengeId,
    policy: &'a Policy,
    keys: &'a KeySet,
    purpose: &'a Purpose,
    format: CodeFormat,
    channel: Channel,
    lane: Lane,
    subject: SubjectKey,
    destination_key: SubjectKey,
    issue: &'a Issue,
}

impl Draft<'_> {
    fn gate_request(&self) -> GateRequest<'_> {
        GateRequest {
            operation: Operation::Issue,
            tenant: &self.issue.tenant,
            subject: Some(&self.subject),
            destination: self.issue.judged_destination(),
            destination_key: Some(&self.destination_key),
            channel: Some(self.channel),
            purpose: Some(self.purpose),
            lane: self.lane,
            context: &self.issue.context,
            policy: self.policy,
        }
    }

    fn step(&self) -> Result<Step, IssueError> {
        let key = BudgetKey {
            tenant: self.issue.tenant.clone(),
            subject: self.subject.clone(),
            class: FactorClass::OutOfBand,
        };
        let budget = BudgetClaim::new(key, self.lane, self.policy.limits().budget().clone());
        let idempotency = match &self.issue.idempotency_key {
            None => None,
            Some(_) => Some(IdempotencyClaim {
                key: IdempotencyKey::of(self.issue).ok_or(IssueError::InvalidIdempotencyKey)?,
                fingerprint: self.fingerprint(),
                challenge: self.id,
                life: self.policy.lifetime(self.channel),
                resend_after: self.first_cooldown(),
            }),
        };
        Ok(Step::Issue {
            budget,
            idempotency,
        })
    }

    /// Hashes what makes two requests the same.
    fn fingerprint(&self) -> [u8; 32] {
        let destination = self.issue.destination().map(|d| d.canonical().to_owned());
        let binding = self.issue.context.binding();
        let binding = binding.map(|b| URL_SAFE_NO_PAD.encode(b.as_bytes()));
        let binding = binding.unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [
            self.subject.as_str(),
            self.purpose.as_str(),
            self.channel.name(),
            destination.as_deref().unwrap_or_default(),
            // Another door or another browser is another request: it must not be handed the
            // challenge of this one.
            self.lane.name(),
            binding.as_str(),
        ] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }

    fn first_cooldown(&self) -> Duration {
        let cooldowns = self.policy.limits().cooldowns();
        cooldowns.first().copied().unwrap_or_default()
    }

    fn challenge(
        &self,
        verifier: &Verifier,
        code: &Code,
        now: Timestamp,
    ) -> Result<Challenge, IssueError> {
        let destination = self.issue.destination();
        let sealed = match destination {
            Some(destination) => {
                Some(self.seal(verifier, DESTINATION, &destination.to_stored())?)
            }
            None => None,
        };
        let sealed_code = match (self.policy.resend_code(), destination) {
            (ResendCode::Same, Some(_)) => Some(self.seal(verifier, CODE, code.expose())?),
            _ => None,
        };
        Ok(Challenge {
            id: self.id,
            tenant: self.issue.tenant.clone(),
            subject: self.subject.clone(),
            purpose: self.purpose.clone(),
            channel: self.channel,
            lane: self.lane,
            class: FactorClass::OutOfBand,
            format: self.format,
            destination: sealed,
            destination_key: self.destination_key.clone(),
            destination_masked: destination.map(ToString::to_string).unwrap_or_default(),
            digest: String::new(),
            sealed_code,
            key_id: *self.keys.current().id(),
            address: self.issue.context.address(),
            binding: self.issue.context.binding().cloned(),
            created_at: now,
            expires_at: now.saturating_add(self.policy.lifetime(self.channel)),
            attempts: 0,
            wrong: 0,
            attempt_limit: self.policy.limits().attempts(),
            sends: 1,
            next_send_at: now.saturating_add(self.first_cooldown()),
            state: ChallengeState::Live,
            attempt_log: Vec::new(),
        })
    }

    fn seal(
        &self,
        verifier: &Verifier,
        what: &'static [u8],
        text: &str,
    ) -> Result<Sealed, IssueError> {
        let aad = row_aad(&self.issue.tenant, &self.id, what);
        seal(self.keys, verifier.random(), &aad, text.as_bytes())
            .map_err(|error| IssueError::Unavailable(Unavailable::because(error)))
    }
}

pub(super) const DESTINATION: &[u8] = b"destination";
pub(super) const CODE: &[u8] = b"code";

/// Names the row that a sealed value belongs to; in any other row it does not open.
pub(super) fn row_aad<'a>(
    tenant: &'a crate::request::Tenant,
    id: &'a ChallengeId,
    what: &'static [u8],
) -> [&'a [u8]; 3] {
    [tenant.as_str().as_bytes(), id.as_bytes(), what]
}

/// Says what a digest is bound to.
pub(super) fn binding<'a>(challenge: &'a Challenge, id: &'a str) -> Binding<'a> {
    Binding {
        tenant: challenge.tenant.as_str(),
        challenge: id,
        subject: challenge.subject.as_str(),
        purpose: challenge.purpose.as_str(),
        channel: challenge.channel.name(),
        destination: challenge.destination_key.as_str(),
    }
}

impl Issued {
    pub(super) fn of(challenge: &Challenge) -> Self {
        Self {
            challenge_id: challenge.id,
            expires_at: challenge.expires_at.into(),
            resend_at: challenge.next_send_at.into(),
            channel: challenge.channel,
        }
    }

    fn recorded(before: &RecordedIssue, channel: Channel) -> Self {
        Self {
            challenge_id: before.challenge,
            expires_at: before.expires_at.into(),
            resend_at: before.resend_at.into(),
            channel,
        }
    }
}

impl IdempotencyKey {
    fn of(issue: &Issue) -> Option<Self> {
        let key = issue.idempotency_key.as_deref()?;
        Self::new(&issue.tenant, key)
    }
}

impl From<Turned> for IssueError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Away(denial) => denial.into(),
            Turned::Store(error) => error.into(),
        }
    }
}

impl From<RandomError> for IssueError {
    fn from(error: RandomError) -> Self {
        Self::Unavailable(Unavailable::because(error))
    }
}

impl From<Unavailable> for IssueError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}
