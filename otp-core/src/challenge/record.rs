use std::fmt;
use std::net::IpAddr;

use super::{ChallengeId, CodeFormat, Lane};
use crate::clock::Timestamp;
use crate::destination::Channel;
use crate::key::{KeyId, Sealed};
use crate::request::{AttemptId, FactorClass, Purpose, SessionBinding, SubjectKey, Tenant};

/// A challenge as stores keep it.
///
/// It holds no secret in the clear: the code is a digest, the destination is sealed to this row.
/// Stores keep every field and change it only through the state machine's methods.
#[derive(Clone)]
pub struct Challenge {
    /// Its name; unique in the store.
    pub id: ChallengeId,
    /// Whose it is.
    pub tenant: Tenant,
    /// Whom its budget is kept by.
    pub subject: SubjectKey,
    /// What the code is for.
    pub purpose: Purpose,
    /// How the latest code was sent.
    pub channel: Channel,
    /// Which door it was asked for through.
    pub lane: Lane,
    /// Which budget its guesses count in.
    pub class: FactorClass,
    /// The shape of its code.
    pub format: CodeFormat,
    /// The destination, sealed and bound to this challenge; `None` for a decoy.
    pub destination: Option<Sealed>,
    /// The pseudonym of the destination, by which operators find it; part of what the digest binds.
    pub destination_key: SubjectKey,
    /// The destination as people may see it: `+1415•••0123`.
    pub destination_masked: String,
    /// The code's digest, as a PHC string; for a decoy one that no code has.
    pub digest: String,
    /// The code itself, sealed, where policy says that a resend repeats it.
    pub sealed_code: Option<Sealed>,
    /// The key that the digest was made with.
    pub key_id: KeyId,
    /// Which address asked for it.
    pub address: Option<IpAddr>,
    /// What the verifying browser must hold.
    pub binding: Option<SessionBinding>,
    /// When it was issued, by the store's clock.
    pub created_at: Timestamp,
    /// When it ends, whatever is resent.
    pub expires_at: Timestamp,
    /// Guesses that were reserved; never goes down.
    pub attempts: u32,
    /// Guesses that were found wrong.
    pub wrong: u32,
    /// How many guesses it takes.
    pub attempt_limit: u32,
    /// Messages that were sent for it.
    pub sends: u32,
    /// When the next one may be.
    pub next_send_at: Timestamp,
    /// Where it stands.
    pub state: ChallengeState,
    /// The tries that carried an id, so that a repeated one gets its answer.
    pub attempt_log: Vec<AttemptEntry>,
}

impl Challenge {
    /// Says whether this stands in for a subject that does not exist. It behaves as any other
    /// and no code fits it.
    #[must_use]
    pub fn is_decoy(&self) -> bool {
        self.destination.is_none()
    }

    /// Says whether a new challenge takes the place of this one: one of the same tenant, subject,
    /// purpose and lane does. A decoy takes the place of decoys alone, so that a start whose message
    /// is kept back never ends a code that somebody waits with.
    #[must_use]
    pub fn gives_way_to(&self, new: &Self) -> bool {
        self.tenant == new.tenant
            && self.subject == new.subject
            && self.purpose == new.purpose
            && self.lane == new.lane
            && (self.is_decoy() || !new.is_decoy())
    }

    /// Says whether it can still be verified at a time of the store's clock.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state == ChallengeState::Live && now < self.expires_at
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("subject", &self.subject)
            .field("purpose", &self.purpose)
            .field("channel", &self.channel)
            .field("lane", &self.lane)
            .field("destination", &self.destination_masked)
            .field("attempts", &self.attempts)
            .field("sends", &self.sends)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Where a challenge stands. Only [`Live`](Self::Live) can be verified, and none leads back to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeState {
    /// Waiting for its code.
    Live,
    /// Its code was accepted, once.
    Consumed {
        /// When, by the store's clock.
        at: Timestamp,
        /// By which try, where the try had an id.
        by: Option<AttemptId>,
    },
    /// Its guesses are used up.
    Exhausted,
    /// A newer one of the same subject, purpose and lane took its place.
    Superseded,
    /// Its recipient, the host or an operator ended it.
    Revoked,
}

impl ChallengeState {
    /// Names the state for columns and views.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Consumed { .. } => "consumed",
            Self::Exhausted => "exhausted",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
        }
    }

    /// Reads a name back. `consumed` gives when, and by which try, and is asked only of a
    /// consumed challenge; `None` where the name is none, or a consumed one has no time.
    #[must_use]
    pub fn from_name(
        name: &str,
        consumed: impl FnOnce() -> Option<(Timestamp, Option<AttemptId>)>,
    ) -> Option<Self> {
        match name {
            "live" => Some(Self::Live),
            "consumed" => consumed().map(|(at, by)| Self::Consumed { at, by }),
            "exhausted" => Some(Self::Exhausted),
            "superseded" => Some(Self::Superseded),
            "revoked" => Some(Self::Revoked),
            _ => None,
        }
    }
}

/// One try that carried an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEntry {
    /// The client's id of the try.
    pub id: AttemptId,
    /// A keyed hash of the code that it carried; the same id with another code is no repeat.
    pub fingerprint: [u8; 16],
    /// What came of it.
    pub answer: AttemptAnswer,
}

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptAnswer {
    /// Counted, and not compared yet as far as the store knows.
    Pending,
    /// The code was right and the challenge was consumed by it.
    Right,
    /// The code was wrong.
    Wrong,
}

impl AttemptAnswer {
    /// Names the answer for columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Right => "right",
            Self::Wrong => "wrong",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Right, Self::Wrong]
            .into_iter()
            .find(|answer| answer.name() == name)
    }
}
