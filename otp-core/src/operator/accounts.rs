use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;
use tokio::task::JoinSet;

use super::effect::{Mode, SAMPLE};
use super::{Notice, Operator, Whom};
use crate::destination::Destination;
use crate::quota::{Quota, QuotaClaim, QuotaKey, QuotaReading, Scope};
use crate::request::{SubjectId, SubjectKey};
use crate::verifier::Unavailable;

/// The most users of one call; the others are left to the next.
pub(super) const MOST: usize = 10_000;
/// The users that one call has under way at once.
const AT_ONCE: usize = 8;
/// How many notices a user gets in a day, and a tenant sends in an hour.
const A_DAY: u32 = 3;
const DAY: Duration = Duration::from_secs(86_400);
const AN_HOUR: u32 = 10_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// The host's accounts, as far as an operator acts on them: the hooks that carry out what is no
/// business of this library.
///
/// # Contract
/// - A hook is called for a user at most once a call of the operator's, and never in a dry run but
///   for [`find`](Self::find).
/// - What it returns or logs holds no address and no secret.
/// - The future may be dropped at any point, and ends by itself.
#[async_trait]
pub trait Accounts: Debug + Send + Sync + 'static {
    /// Looks a user up; `None` where there is none.
    ///
    /// # Errors
    /// [`AccountsFailed`].
    async fn find(&self, user: &SubjectId) -> Result<Option<Account>, AccountsFailed>;

    /// Hands a notice over to be delivered to a user, at the address that was found.
    ///
    /// # Errors
    /// [`AccountsFailed`]; it counts as not delivered.
    async fn deliver(
        &self,
        notice: &Notice,
        user: &SubjectId,
        to: &Destination,
    ) -> Result<(), AccountsFailed>;

    /// Has a user choose another password before the next sign-in. Forcing it twice is no error.
    ///
    /// # Errors
    /// [`AccountsFailed`].
    async fn force_password_reset(&self, user: &SubjectId) -> Result<(), AccountsFailed>;

    /// Forgets what the host itself counts against a user, and says how many counts that were. Who
    /// clears a user's limits calls it. Default: the host counts nothing.
    ///
    /// # Errors
    /// [`AccountsFailed`].
    async fn clear_limits(&self, _user: &SubjectId) -> Result<u64, AccountsFailed> {
        Ok(0)
    }
}

/// A user of the host's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Where notices go; nowhere where the user has no address.
    pub notices_to: Option<Destination>,
    /// The addresses that the user signs in by; codes, limits and locks are kept by them.
    pub addresses: Vec<Destination>,
}

impl Account {
    /// Says where notices go.
    #[must_use]
    pub fn reached_at(notices_to: Option<Destination>) -> Self {
        Self {
            notices_to,
            addresses: Vec::new(),
        }
    }

    /// Names an address that the user signs in by.
    #[must_use]
    pub fn signing_in_by(mut self, address: Destination) -> Self {
        self.addresses.push(address);
        self
    }
}

/// A hook of the host's failed. What was wrong is the host's to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the host's accounts failed")]
pub struct AccountsFailed;

/// What came of telling a list of users something, or in a preview what would.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notified {
    /// Whether it was done.
    pub mode: Mode,
    /// The users of the list, each once.
    pub users: usize,
    /// Those whom it was handed over for, or would be.
    pub reached: usize,
    /// Those who are no users.
    pub unknown: usize,
    /// Those who have no address.
    pub unreachable: usize,
    /// Those who had as many as a day has, or whose tenant had as many as an hour has.
    pub limited: usize,
    /// Those whom a hook failed for.
    pub failed: usize,
    /// A few of the addresses, masked.
    pub sample: Vec<String>,
}

/// What came of forcing passwords to be reset, or in a preview what would.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forced {
    /// Whether it was done.
    pub mode: Mode,
    /// The users who have to choose another, or would have.
    pub forced: usize,
    /// Those who are no users.
    pub unknown: Vec<SubjectId>,
    /// Those whom a hook failed for.
    pub failed: Vec<SubjectId>,
}

enum Became {
    Reached(String),
    Unknown,
    Unreachable,
    Limited,
    Failed,
}

impl Operator {
    /// Tells a list of users something, each once: the host looks them up and delivers it.
    ///
    /// A user gets at most three notices a day and a tenant sends at most ten thousand an hour, over
    /// all instances; who is beyond that is left alone and counted. A preview charges nothing. Of
    /// one list, up to ten thousand are told.
    ///
    /// # Errors
    /// [`Unavailable`]; then nobody was told.
    ///
    /// # Cancellation
    /// A dropped call goes on to its end.
    pub async fn notify(
        &self,
        users: &[SubjectId],
        notice: &Notice,
        accounts: Arc<dyn Accounts>,
    ) -> Result<Notified, Unavailable> {
        let users = once(users);
        let mut event = self.event("notify");
        event.reason = event
            .reason
            .map(|what| format!("{what}:{}", users.len()).into());
        self.note(event).await?;
        let (operator, notice) = (self.clone(), Arc::new(notice.clone()));
        let telling = operator.tell_all(users, notice, accounts);
        tokio::spawn(telling).await.map_err(Unavailable::because)
    }

    async fn tell_all(
        self,
        users: Vec<SubjectId>,
        notice: Arc<Notice>,
        accounts: Arc<dyn Accounts>,
    ) -> Notified {
        let mut told = Notified {
            mode: self.mode,
            users: users.len(),
            reached: 0,
            unknown: 0,
            unreachable: 0,
            limited: 0,
            failed: 0,
            sample: Vec::new(),
        };
        let mut waiting = users.into_iter();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(user) = waiting.next()
            {
                let (operator, notice) = (self.clone(), Arc::clone(&notice));
                let accounts = Arc::clone(&accounts);
                under_way.spawn(async move {
                    let telling = operator.tell(&user, &notice, accounts.as_ref());
                    telling.await.unwrap_or(Became::Failed)
                });
            }
            let Some(became) = under_way.join_next().await else {
                break told;
            };
            let count = match became.unwrap_or(Became::Failed) {
                Became::Reached(masked) => {
                    if told.sample.len() < SAMPLE {
                        told.sample.push(masked);
                    }
                    &mut told.reached
                }
                Became::Unknown => &mut told.unknown,
                Became::Unreachable => &mut told.unreachable,
                Became::Limited => &mut told.limited,
                Became::Failed => &mut told.failed,
            };
            *count = count.saturating_add(1);
        }
    }

    async fn tell(
        &self,
        user: &SubjectId,
        notice: &Notice,
        accounts: &dyn Accounts,
    ) -> Result<Became, AccountsFailed> {
        let Some(account) = accounts.find(user).await? else {
            return Ok(Became::Unknown);
        };
        let Some(to) = account.notices_to else {
            return Ok(Became::Unreachable);
        };
        let claims = self.charges(user);
        let charging = match self.mode {
            Mode::Apply => self.store().check_all(&claims).await,
            Mode::Preview => self.store().peek(&claims).await,
        };
        let readings = charging.map_err(|_| AccountsFailed)?;
        let is_full = |reading: &QuotaReading| match self.mode {
            Mode::Apply => reading.retry_after().is_some(),
            Mode::Preview => reading.remaining() == 0,
        };
        if readings.iter().any(is_full) {
            return Ok(Became::Limited);
        }
        if self.mode == Mode::Apply {
            accounts.deliver(notice, user, &to).await?;
        }
        Ok(Became::Reached(to.to_string()))
    }

    fn charges(&self, user: &SubjectId) -> Vec<QuotaClaim> {
        let tenant = self.tenant.as_str();
        let user = SubjectKey::of_subject(user);
        let user = QuotaKey::new("notice", Scope::Subject, tenant, user.as_str());
        let all = QuotaKey::new("notice", Scope::Tenant, tenant, "");
        let quotas = [
            (user, Quota::window(A_DAY, DAY)),
            (all, Quota::rate(AN_HOUR, HOUR)),
        ];
        let claims = quotas.into_iter();
        claims
            .filter_map(|(key, quota)| Some(QuotaClaim::new(key, quota.ok()?)))
            .collect()
    }

    /// Has users choose another password before their next sign-in, each put on record first.
    /// Sessions and codes go on: end them by calls of their own.
    ///
    /// # Errors
    /// [`Unavailable`]; those before in the list were forced.
    pub async fn force_password_reset(
        &self,
        users: &[SubjectId],
        accounts: &dyn Accounts,
    ) -> Result<Forced, Unavailable> {
        let mut came = Forced {
            mode: self.mode,
            forced: 0,
            unknown: Vec::new(),
            failed: Vec::new(),
        };
        for user in once(users) {
            match accounts.find(&user).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    came.unknown.push(user);
                    continue;
                }
                Err(AccountsFailed) => {
                    came.failed.push(user);
                    continue;
                }
            }
            let whom = Whom::Subject(user.clone());
            self.record_about("force_password_reset", &whom).await?;
            let done = match self.mode {
                Mode::Apply => accounts.force_password_reset(&user).await,
                Mode::Preview => Ok(()),
            };
            match done {
                Ok(()) => came.forced = came.forced.saturating_add(1),
                Err(AccountsFailed) => came.failed.push(user),
            }
        }
        Ok(came)
    }
}

/// Takes each of a list once, in its order.
fn once(users: &[SubjectId]) -> Vec<SubjectId> {
    let mut seen = HashSet::new();
    let new = |user: &&SubjectId| seen.insert((*user).clone());
    users.iter().filter(new).take(MOST).cloned().collect()
}
