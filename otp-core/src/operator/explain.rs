use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use super::blocks::READ;
use super::limits::Charged;
use super::locks::CLASSES;
use super::{CaptchaCount, Operator, Whom, records};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::event::{Event, Outcome};
use crate::gate::Operation;
use crate::policy::Allowed;
use crate::quota::{BudgetRefusal, QuotaReading};
use crate::request::FactorClass;
use crate::store::{BlockEntry, BudgetKey, BudgetReading, ChallengeQuery, refusal};
use crate::verifier::Unavailable;

/// How far back refusals are looked for.
const BACK: Duration = Duration::from_secs(24 * 3_600);
/// The most refusals that are shown.
const REFUSALS: usize = 20;
/// The most live challenges that are counted.
const LIVE: usize = 100;

/// A limit, and how much of it is left.
#[derive(Clone, Debug)]
pub struct LimitState {
    /// What is limited.
    pub operation: Operation,
    /// Through which door.
    pub lane: Lane,
    /// How it stands.
    pub reading: QuotaReading,
}

impl fmt::Display for LimitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reading = &self.reading;
        write!(
            f,
            "{} by {} through {}: {} of {} left in {} s",
            self.operation.name(),
            reading.scope().name(),
            self.lane.name(),
            reading.remaining(),
            reading.limit(),
            reading.window().as_secs()
        )
    }
}

/// A guess budget of somebody.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BudgetState {
    /// Whose it is: an account has one, and each of its addresses.
    pub whom: Whom,
    /// The factors whose guesses it counts.
    pub class: FactorClass,
    /// How it stands.
    pub reading: BudgetReading,
}

/// Why somebody is refused: everything that stands against them now, and what did lately.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// Whom it is about.
    pub whom: Whom,
    /// When it was looked, by the store's clock.
    pub now: Timestamp,
    /// Their guess budgets; an address has none.
    pub budgets: Vec<BudgetState>,
    /// The limits that they have used something of, the fullest first.
    pub limits: Vec<LimitState>,
    /// The refused tries that ask them for a captcha, or will.
    pub captcha: Vec<CaptchaCount>,
    /// The blocks that meet them.
    pub blocks: Vec<BlockEntry>,
    /// By what they are on the allow-list, where they are.
    pub allowed: Option<Allowed>,
    /// How many challenges of theirs are live, up to a hundred.
    pub live_challenges: usize,
    /// Their latest refusals of the last day that the outbox still has, newest first. Of a
    /// destination they are its own and those of accounts that have a live challenge there; records
    /// tell no more of it than its masked form, which others share.
    pub refusals: Vec<Event>,
}

impl Explanation {
    /// Adds what stands against somebody under another name of theirs: an address of an account.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.budgets.extend(other.budgets);
        self.limits.extend(other.limits);
        self.captcha.extend(other.captcha);
        self.blocks.extend(other.blocks);
        self.allowed = self.allowed.or(other.allowed);
        self.live_challenges = self.live_challenges.saturating_add(other.live_challenges);
        self.refusals.extend(other.refusals);
        self.refusals.sort_by_key(|event| Reverse(event.at));
        self
    }

    /// Names what refuses them now, in the stable words of events: `blocked`, `locked`, `disabled`,
    /// `quota_destination`, ... Empty where nothing does.
    #[must_use]
    pub fn reasons(&self) -> Vec<&'static str> {
        let blocked = (!self.blocks.is_empty()).then_some("blocked");
        let budgets = self.budgets.iter().filter_map(|budget| {
            Some(match budget.reading.public? {
                BudgetRefusal::Locked { .. } => "locked",
                BudgetRefusal::Disabled => "disabled",
            })
        });
        let full = |state: &&LimitState| state.reading.remaining() == 0;
        let limits = self.limits.iter().filter(full);
        let limits = limits.map(|state| refusal(state.reading.scope()));
        let asked = self.captcha.iter().any(CaptchaCount::is_reached);
        let captcha = asked.then_some("captcha_required");
        let mut reasons: Vec<_> = blocked.into_iter().chain(budgets).chain(limits).collect();
        reasons.extend(captcha);
        let mut seen = Vec::new();
        reasons.retain(|reason| {
            let new = !seen.contains(reason);
            seen.push(*reason);
            new
        });
        reasons
    }
}

impl Operator {
    /// Answers "why was I refused?" for an account, a destination or an address: locks, limits,
    /// blocks, live challenges and the last refusals, in one call.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn explain(&self, whom: &Whom) -> Result<Explanation, Unavailable> {
        self.note_look(whom.named_in(self.look("explain"))).await?;
        let now = self.store().ping().await?;
        let used = self.charged(whom).await?.into_iter();
        let mut limits: Vec<_> = used.filter(Charged::is_used).map(|it| it.state).collect();
        limits.sort_by_key(|state| state.reading.remaining());
        let policy = self.verifier.policy();
        let allowed = match whom {
            Whom::Destination(destination) => policy.allow_list().find(destination),
            _ => None,
        };
        let asked = whom.blocks(policy.allow_list());
        let captcha = self.captcha_counts(whom).await?;
        let mut blocks = self.store().blocks(READ).await?;
        blocks.retain(|entry| asked.contains(&entry.block));
        let query = ChallengeQuery {
            tenant: Some(self.tenant.clone()),
            ..whom.challenges()
        };
        let live = self.store().list(&query, LIVE).await?;
        let accounts: Vec<_> = live.iter().map(|one| one.subject.clone()).collect();
        let refused = |event: &Event| {
            event.outcome == Outcome::Refused && event.act.is_none() && whom.is_of(event, &accounts)
        };
        let mut refusals = Vec::new();
        records::since(self.store(), now.saturating_sub(BACK), |event| {
            if event.tenant == self.tenant && refused(&event) {
                refusals.push(event);
            }
        })
        .await?;
        let refusals = refusals.into_iter().rev().take(REFUSALS).collect();
        Ok(Explanation {
            whom: whom.clone(),
            now,
            budgets: self.budgets(whom).await?,
            limits,
            captcha: captcha.into_iter().map(|(_, count)| count).collect(),
            blocks,
            allowed,
            live_challenges: live.len(),
            refusals,
        })
    }

    async fn budgets(&self, whom: &Whom) -> Result<Vec<BudgetState>, Unavailable> {
        let mut budgets = Vec::new();
        if let Some(subject) = whom.subject_key() {
            for class in CLASSES {
                let key = BudgetKey {
                    tenant: self.tenant.clone(),
                    subject: subject.clone(),
                    class,
                };
                let reading = self.store().budget(&key, &self.rules(class)).await?;
                budgets.push(BudgetState {
                    whom: whom.clone(),
                    class,
                    reading,
                });
            }
        }
        Ok(budgets)
    }
}
