use std::fmt::Debug;
use std::net::IpAddr;

use async_trait::async_trait;

use crate::challenge::{Challenge, ChallengeId, ConsumeOutcome, Lane};
use crate::clock::Timestamp;
use crate::destination::Channel;
use crate::event::Event;
use crate::key::{KeyId, Sealed};
use crate::quota::BudgetRules;
use crate::request::{AttemptId, Purpose, SubjectKey, Tenant};

use super::{
    Admission, Condition, Duty, EngineStatus, IdempotencyKey, NewDelivery, Plan, StoreError,
};

/// Which challenge a try is meant for.
#[derive(Clone, Debug)]
pub enum Target {
    /// The one of this name.
    Id(ChallengeId),
    /// The newest of a subject, for clients that only send the address and the code back.
    Latest {
        /// Whose.
        tenant: Tenant,
        /// For whom.
        subject: SubjectKey,
        /// What for.
        purpose: Purpose,
        /// The doors to look behind, in order; the first live one is taken, and a decoy only where
        /// none of somebody's is live.
        lanes: Vec<Lane>,
    },
}

/// Puts a challenge into the store.
#[derive(Clone, Debug)]
pub struct Insert {
    /// The challenge, with times reckoned from the admission.
    pub challenge: Challenge,
    /// The message that will carry its code, written as queued in the same step; `None` where none
    /// is to be sent.
    pub delivery: Option<NewDelivery>,
    /// The record of it.
    pub event: Event,
}

/// Puts a fresh code into a challenge whose send was reserved.
#[derive(Clone, Debug)]
pub struct Reissue {
    /// Which challenge.
    pub challenge: ChallengeId,
    /// How it is sent this time.
    pub channel: Channel,
    /// The key of the new digest.
    pub key_id: KeyId,
    /// The new digest.
    pub digest: String,
    /// The new code, sealed, where policy keeps it.
    pub sealed_code: Option<Sealed>,
    /// The message that will carry it, written as queued in the same step.
    pub delivery: Option<NewDelivery>,
    /// The record of it.
    pub event: Event,
}

/// Takes the one success of a challenge.
#[derive(Clone, Debug)]
pub struct Consume {
    /// Which challenge.
    pub challenge: ChallengeId,
    /// The digest that the code was compared with.
    pub digest: String,
    /// The client's id of the try.
    pub by: Option<AttemptId>,
    /// The record of a success; where something else came first the store turns it into a
    /// refusal with that reason.
    pub event: Event,
}

/// Records a try that failed.
#[derive(Clone, Debug)]
pub struct Reject {
    /// The try that was counted, with its challenge; `None` where none was.
    pub counted: Option<(ChallengeId, Option<AttemptId>)>,
    /// The rules of the budget, for the pause after a challenge that is used up.
    pub rules: BudgetRules,
    /// The record of it.
    pub event: Event,
}

/// Which challenges are meant; every part that is set must fit.
#[derive(Clone, Debug, Default)]
pub struct ChallengeQuery {
    /// Of this tenant.
    pub tenant: Option<Tenant>,
    /// Of this name.
    pub challenge: Option<ChallengeId>,
    /// For this subject.
    pub subject: Option<SubjectKey>,
    /// Whose latest code went to the destination of this pseudonym
    /// ([`SubjectKey::of_destination`]), whoever the subject is.
    pub destination: Option<SubjectKey>,
    /// Over this channel.
    pub channel: Option<Channel>,
    /// Asked for by this address.
    pub address: Option<IpAddr>,
    /// Whose digest was made with this key.
    pub key_id: Option<KeyId>,
    /// Issued at this time or later.
    pub issued_from: Option<Timestamp>,
    /// Issued before this time.
    pub issued_until: Option<Timestamp>,
}

impl ChallengeQuery {
    /// Says whether a challenge is meant.
    #[must_use]
    pub fn fits(&self, challenge: &Challenge) -> bool {
        fn same<T: PartialEq>(wanted: Option<&T>, actual: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == actual)
        }
        same(self.tenant.as_ref(), &challenge.tenant)
            && same(self.challenge.as_ref(), &challenge.id)
            && same(self.subject.as_ref(), &challenge.subject)
            && same(self.destination.as_ref(), &challenge.destination_key)
            && same(self.channel.as_ref(), &challenge.channel)
            && same(self.key_id.as_ref(), &challenge.key_id)
            && (self.address.is_none() || self.address == challenge.address)
            && self
                .issued_from
                .is_none_or(|from| challenge.created_at >= from)
            && self
                .issued_until
                .is_none_or(|until| challenge.created_at < until)
    }
}

/// Ends live challenges.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// Which.
    pub query: ChallengeQuery,
    /// The record of it; the store adds how many: the reason becomes `revoked:N`, or the event's
    /// own reason before the colon.
    pub event: Event,
}

/// Keeps challenges, and carries out what gates plan.
///
/// # Contract
/// - Every method is atomic, and what it changes is seen by all that are called after it
///   returned. Its event is stored in the same step as its change, or neither is.
/// - The time is the engine's own. It never goes backwards for decisions: an engine whose clock
///   fell behind what it has seen by more than five seconds answers
///   [`ClockAnomaly`](super::StoreErrorKind::ClockAnomaly).
/// - A method that fails may or may not have been carried out; calling `admit` (with an attempt
///   id or an idempotency key), `consume` and `reject` (with an attempt id) again never counts
///   or wins twice.
/// - A future that is dropped leaves its intent done or not done, never half done, and harms no
///   other caller.
/// - Decisions are those of [`Challenge`]'s state machine, [`Budget`](crate::quota::Budget) and
///   [`Findings::objection`](super::Findings::objection), whatever language they are made in.
#[async_trait]
pub trait ChallengeStore: Debug + Send + Sync + 'static {
    /// Looks at everything that a plan names and, where nothing stands against it, reserves
    /// everything, in one step. Of callers that race for the last place, one gets it.
    ///
    /// # Errors
    /// [`StoreError`]; then the caller refuses.
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError>;

    /// Adds a challenge. A live one of the same tenant, subject, purpose and lane is superseded
    /// in the same step; one of the other lane is left alone, and so is one of somebody's where the
    /// new one is a decoy ([`Challenge::gives_way_to`]).
    ///
    /// # Errors
    /// [`StoreError`]; [`Full`](super::StoreErrorKind::Full) where there is no room, and no live
    /// challenge is ever evicted to make some.
    async fn insert(&self, insert: Insert) -> Result<(), StoreError>;

    /// Replaces the code of a challenge. A try that is being compared with the old one loses. What
    /// has ended stays ended.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](super::StoreErrorKind::Invalid) where there is no such
    /// challenge.
    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError>;

    /// Takes the one success. Of any number of racing callers exactly one hears
    /// [`Won`](ConsumeOutcome::Won). The subject's run of failures ends, its rolling windows stay.
    ///
    /// # Errors
    /// [`StoreError`]; an unknown outcome is not a success.
    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError>;

    /// Records a failed try. A challenge whose last guess was wrong is ended and its lane pauses.
    ///
    /// # Errors
    /// [`StoreError`]; the guess stays counted all the same.
    async fn reject(&self, reject: Reject) -> Result<(), StoreError>;

    /// Reads one challenge, live or not.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError>;

    /// Lists live challenges, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError>;

    /// Ends live challenges and answers how many. None of them can be verified afterwards.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError>;

    /// Gives an idempotency key back, because its request surely sent nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError>;

    /// Reads the engine's clock: the sign of life. It fails where the engine could not carry out a
    /// decision now; an engine that reads and takes no writes is not alive.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ping(&self) -> Result<Timestamp, StoreError>;

    /// Names the engine, in lower case and as operators know it.
    fn engine(&self) -> &'static str {
        "store"
    }

    /// Says how the engine is, or how each engine is where there are several. It never fails: what
    /// is wrong is in the answer.
    async fn status(&self) -> Vec<EngineStatus> {
        let condition = match self.ping().await {
            Ok(_) => Condition::Connected,
            Err(error) => Condition::Down(error.kind()),
        };
        vec![EngineStatus {
            engine: self.engine(),
            duty: Duty::Decisions,
            condition,
        }]
    }

    /// Removes up to `limit` things whose time is over (challenges a day after they ended, quota
    /// entries out of their window, lapsed keys and blocks), and answers how many. Call it now
    /// and then; nothing depends on it but room.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn purge(&self, limit: usize) -> Result<u64, StoreError>;
}
