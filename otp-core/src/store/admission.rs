use crate::challenge::{AttemptOutcome, Challenge, Refusal, ResendOutcome};
use crate::clock::Timestamp;
use crate::quota::{BudgetRefusal, QuotaReading, Scope};

use super::{Block, RecordedIssue};

/// What the store found and did for a [`Plan`](super::Plan).
#[derive(Debug)]
pub struct Admission {
    /// The store's time; whatever follows is reckoned from it.
    pub now: Timestamp,
    /// What was found, for the gates to judge.
    pub findings: Findings,
    /// What was reserved: `None` exactly where [`Findings::objection`] has one.
    pub granted: Option<Granted>,
}

/// What a plan found.
#[derive(Debug, Default)]
pub struct Findings {
    /// The entries of the plan that are on the blocklist.
    pub blocked: Vec<Block>,
    /// One reading a claim, in the plan's order; taken after the charge where the plan was
    /// admitted. Only of those that were looked at: none where an idempotency
    /// key answered, the requester's where a resend is not taken.
    pub quotas: Vec<QuotaReading>,
    /// Why the budget takes no guess, where it takes none.
    pub budget: Option<BudgetRefusal>,
}

impl Findings {
    /// Names what stands against the request, in a stable word for events; `None` where nothing
    /// does. Every engine admits exactly where this is `None`.
    #[must_use]
    pub fn objection(&self) -> Option<&'static str> {
        if !self.blocked.is_empty() {
            return Some("blocked");
        }
        match self.budget {
            Some(BudgetRefusal::Locked { .. }) => return Some("locked"),
            Some(BudgetRefusal::Disabled) => return Some("disabled"),
            None => {}
        }
        self.quotas
            .iter()
            .find(|reading| reading.retry_after().is_some())
            .map(|reading| refusal(reading.scope()))
    }
}

/// What an admitted plan reserved.
#[derive(Debug)]
#[non_exhaustive]
pub enum Granted {
    /// A challenge may be issued.
    Issue,
    /// The host's key was used for the same request before: this is what came of it. It is
    /// answered before quotas and budget are looked at and costs neither; a blocked request is
    /// refused all the same.
    IssuedBefore(RecordedIssue),
    /// The host's key was used for another request.
    IdempotencyConflict,
    /// What the resend may do, and the challenge as it is now.
    Resend(ResendOutcome, Box<Challenge>),
    /// What the try may do, and the challenge as it is now.
    Attempt(AttemptOutcome, Box<Challenge>),
    /// One guess is counted on the budget.
    Guess,
    /// The guess of this very try was counted before, and is counted no second time. Quotas were
    /// charged.
    GuessedBefore {
        /// When it was counted, by the store's clock: what it shows is judged as of then.
        at: Timestamp,
    },
    /// There is no such challenge.
    NoChallenge(Refusal),
    /// Quotas were charged; nothing else was asked.
    Nothing,
}

/// Names the quota that refused, for events.
pub(crate) const fn refusal(scope: Scope) -> &'static str {
    match scope {
        Scope::Subject => "quota_subject",
        Scope::Destination => "quota_destination",
        Scope::Address => "quota_address",
        Scope::Network => "quota_network",
        Scope::Device => "quota_device",
        Scope::Country => "quota_country",
        Scope::Prefix => "quota_prefix",
        Scope::Tenant => "quota_tenant",
        Scope::Global => "quota_global",
    }
}
