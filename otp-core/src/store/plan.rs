use crate::challenge::{AttemptClaim, ChallengeId, Lane, ResendClaim};
use crate::event::Event;
use crate::quota::{BudgetRules, Party, QuotaClaim};
use crate::request::{FactorClass, SubjectKey};

use super::{Block, BudgetKey, IdempotencyClaim, IdempotencyKey, NamedTry, Target};

/// What the gates of one request want to know and to reserve, all at once.
///
/// [`ChallengeStore::admit`](super::ChallengeStore::admit) carries it out in one atomic step: it
/// looks at everything, and only where nothing stands against the request does it reserve
/// everything. A refused request costs no quota anywhere.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Entries that refuse the request where any is on the blocklist.
    pub blocks: Vec<Block>,
    /// Quotas that must all have room for one more; each is charged with one. Of a resend that is
    /// not taken only [`quotas_of_requester`](Self::quotas_of_requester) are looked at and charged.
    pub quotas: Vec<QuotaClaim>,
    /// What the request is after.
    pub step: Step,
    /// The record that is written where the plan is refused; the store sets outcome, reason and
    /// time. Where the plan is admitted nothing is written yet: a later intent says what came of it.
    pub event: Event,
}

impl Step {
    /// Gives the host's key that the step takes, where it takes one.
    pub(crate) fn key(&self) -> Option<&IdempotencyKey> {
        match self {
            Self::Issue { idempotency, .. } => idempotency.as_ref().map(|claim| &claim.key),
            _ => None,
        }
    }
}

impl Plan {
    /// Lists the quotas that are charged where a resend is not taken (too early, none left, over):
    /// only those of whoever asks. Else a stranger could spend the owner's messages by asking too
    /// early.
    #[must_use]
    pub fn quotas_of_requester(&self) -> Vec<QuotaClaim> {
        let own = |claim: &&QuotaClaim| claim.key.scope().party() == Party::Requester;
        self.quotas.iter().filter(own).cloned().collect()
    }
}

/// What a request is after, beyond blocks and quotas.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// To issue a challenge: the subject's budget must be open, and an idempotency key is taken.
    Issue {
        /// The budget that is looked at; nothing is reserved on it.
        budget: BudgetClaim,
        /// The host's key of the request, where it has one.
        idempotency: Option<IdempotencyClaim>,
    },
    /// To send a further message for a challenge: one send is reserved on it.
    Resend {
        /// Which challenge.
        challenge: ChallengeId,
        /// What the request says of itself.
        claim: ResendClaim,
        /// The rules of the challenge's budget, which must be open.
        rules: BudgetRules,
    },
    /// To try a code: one guess is reserved on the challenge and on its subject's budget.
    Attempt {
        /// Which challenge.
        target: Target,
        /// What the try says of itself.
        claim: AttemptClaim,
        /// The rules of the budget of out-of-band codes.
        rules: BudgetRules,
    },
    /// To try a code that belongs to no challenge, of an authenticator or a recovery code: one guess
    /// is reserved on the budget. A try whose guess was counted before is none, and asks no budget.
    Guess {
        /// The budget that the guess counts in.
        budget: BudgetClaim,
        /// What the try is known by, where its client named it.
        named: Option<NamedTry>,
    },
    /// Nothing more: a malformed code spends the address's quota and no guess.
    Nothing,
}

/// The budget that a request looks at.
#[derive(Clone, Debug)]
pub struct BudgetClaim {
    /// Whose.
    pub key: BudgetKey,
    /// Through which door.
    pub lane: Lane,
    /// Under which rules.
    pub rules: BudgetRules,
}

impl BudgetClaim {
    /// Claims the budget of a subject's class.
    #[must_use]
    pub fn new(key: BudgetKey, lane: Lane, rules: BudgetRules) -> Self {
        Self { key, lane, rules }
    }

    /// Names whose budget it is.
    #[must_use]
    pub fn subject(&self) -> &SubjectKey {
        &self.key.subject
    }

    /// Names the class.
    #[must_use]
    pub fn class(&self) -> FactorClass {
        self.key.class
    }
}
