use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use crate::challenge::{Challenge, ChallengeId, Lane};
use crate::clock::Timestamp;
use crate::destination::Channel;
use crate::request::{Purpose, RequestContext, RequestId, SubjectKey, Tenant};

use super::{Act, EventKind, Outcome, vendor};

/// Names an event; a duplicate of a record carries the same id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(u128);

impl EventId {
    /// Makes an id that no other process and no other call makes: the process's own random half,
    /// and a count. It names a record and guards nothing, so it costs no draw of randomness.
    #[must_use]
    pub fn next() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        static PROCESS: OnceLock<u64> = OnceLock::new();
        // The hasher's keys are the standard library's own random ones.
        let process = PROCESS.get_or_init(|| RandomState::new().build_hasher().finish());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(u128::from(*process) << 64 | u128::from(count))
    }

    /// Reads an id from its 32 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        (text.len() == 32)
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// One thing that happened: who, what, when, how it came out and why.
///
/// It holds no secret and no full destination. The client's address is in full, because the
/// operator's queries group by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub id: EventId,
    /// When, by the store's clock; the store sets it.
    pub at: Timestamp,
    /// What it is about.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// Why, in a stable word: `expired`, `quota_address`, `throttled`.
    pub reason: Option<Cow<'static, str>>,
    /// Whose.
    pub tenant: Tenant,
    /// Whom it concerns.
    pub subject: Option<SubjectKey>,
    /// Which challenge, as its log-safe fingerprint.
    pub challenge: Option<String>,
    /// What for.
    pub purpose: Option<Purpose>,
    /// Over which channel.
    pub channel: Option<Channel>,
    /// Through which door.
    pub lane: Option<Lane>,
    /// To where, masked.
    pub destination: Option<String>,
    /// From which address.
    pub address: Option<IpAddr>,
    /// Which provider.
    pub provider: Option<String>,
    /// In which request of the host's.
    pub request_id: Option<RequestId>,
    /// Which operator did it, and why, where one did.
    pub act: Option<Arc<Act>>,
}

impl Event {
    /// Starts an event; it succeeds until it is said otherwise, and happens when the store says.
    #[must_use]
    pub fn new(kind: EventKind, tenant: &Tenant) -> Self {
        Self {
            id: EventId::next(),
            at: Timestamp::UNIX_EPOCH,
            kind,
            outcome: Outcome::Success,
            reason: None,
            tenant: tenant.clone(),
            subject: None,
            challenge: None,
            purpose: None,
            channel: None,
            lane: None,
            destination: None,
            address: None,
            provider: None,
            request_id: None,
            act: None,
        }
    }

    /// Adds where the request came from.
    #[must_use]
    pub fn from_request(mut self, context: &RequestContext) -> Self {
        self.address = context.address();
        self.request_id = context.id().cloned();
        self
    }

    /// Adds which operator did it, and why.
    #[must_use]
    pub fn by(mut self, act: &Arc<Act>) -> Self {
        self.act = Some(Arc::clone(act));
        self
    }

    /// Adds whom it concerns.
    #[must_use]
    pub fn about(mut self, subject: &SubjectKey) -> Self {
        self.subject = Some(subject.clone());
        self
    }

    /// Adds what is known of a challenge.
    #[must_use]
    pub fn of_challenge(mut self, challenge: &Challenge) -> Self {
        self.subject = Some(challenge.subject.clone());
        self.challenge = Some(challenge.id.fingerprint());
        self.purpose = Some(challenge.purpose.clone());
        self.channel = Some(challenge.channel);
        self.lane = Some(challenge.lane);
        self.destination = Some(challenge.destination_masked.clone());
        self
    }

    /// Adds the challenge's name alone, where no more is known.
    #[must_use]
    pub fn naming(mut self, challenge: &ChallengeId) -> Self {
        self.challenge = Some(challenge.fingerprint());
        self
    }

    /// Sets the outcome and its reason.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome, reason: impl Into<Cow<'static, str>>) -> Self {
        self.outcome = outcome;
        self.reason = Some(reason.into());
        self
    }

    /// Adds how many sessions or devices it ended: the reason becomes `ended:N`, or its own before the colon.
    #[must_use]
    pub fn counting(mut self, ended: u64) -> Self {
        let why = self.reason.as_deref().unwrap_or("ended");
        self.reason = Some(format!("{why}:{ended}").into());
        self
    }

    /// Sets the time, where the record bears none yet; stores do. One that was kept elsewhere
    /// before keeps its own.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        if self.at == Timestamp::UNIX_EPOCH {
            self.at = now;
        }
        self
    }

    /// Names the kind of event as the operators' queries of an `event_type` column do: whoever
    /// asks for a code to sign in attempts to, and whoever types a wrong one fails to; of an
    /// unknown challenge nobody knows what it was for. Everything else keeps the kind's own name.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        let signs_in = EventKind::sign_in_purposes();
        let purpose = self.purpose.as_ref().map(Purpose::as_str);
        if purpose.is_none_or(|purpose| signs_in.contains(&purpose))
            && let Some(name) = self.kind.sign_in_type(self.outcome)
        {
            return name;
        }
        self.kind.name()
    }

    /// Names the action, as the `action` column has it: the outcome belongs to it, and with reports
    /// the vendor does.
    #[must_use]
    pub fn action(&self) -> &'static str {
        vendor::action(self.kind, self.provider.as_deref())
            .unwrap_or_else(|| self.kind.action(self.outcome))
    }
}
