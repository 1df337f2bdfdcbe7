use std::time::Duration;

use super::{Geography, Level, LineTypes, PolicyError};
use crate::quota::{BudgetRules, Quota, Scope};
use crate::request::Operation;

/// A quota and what it is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopedQuota {
    /// What it is counted by.
    pub scope: Scope,
    /// How many.
    pub quota: Quota,
}

/// What holds one start to the one before it, for the same subject, purpose and lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Starts {
    /// Nothing but the quotas: the next start sends at once, and its code takes the place of the
    /// one before. The default: a person who lost the page begins anew.
    #[default]
    AtOnce,
    /// The wait that the start before it answered with
    /// ([`Issued::resend_at`](crate::verifier::Issued::resend_at)): sooner it is refused like one
    /// past a quota, and the code that is out stays the one that works. Of racing starts one sends.
    ///
    /// Known devices wait for themselves alone. A stranger who starts again and again keeps the
    /// public lane of an account waiting, as one does who spends its quotas.
    Spaced,
}

impl Starts {
    const ALL: [Self; 2] = [Self::AtOnce, Self::Spaced];

    /// Names it, as configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Spaced => "spaced",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|starts| starts.name() == name)
    }
}

/// How much of everything: guesses, messages, requests.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::policy::Limits;
/// use otp_core::quota::{Quota, Scope};
///
/// let limits = Limits::recommended()
///     .on_issue(Scope::Tenant, Quota::rate(500, Duration::from_secs(60))?);
/// # Ok::<(), otp_core::quota::InvalidQuota>(())
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    level: Level,
    attempts: u32,
    sends: u32,
    cooldowns: Vec<Duration>,
    starts: Starts,
    budget: BudgetRules,
    issue: Vec<ScopedQuota>,
    resend: Vec<ScopedQuota>,
    verify: Vec<ScopedQuota>,
    line_types: LineTypes,
    geography: Geography,
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const FIVE_MINUTES: Duration = Duration::from_secs(300);

impl Limits {
    /// What a service should start with:
    /// - level [`Standard`](Level::Standard), five guesses a challenge,
    ///   [`BudgetRules::out_of_band`] over all challenges;
    /// - four messages a challenge, 60, 120 and 240 seconds apart;
    /// - five challenges an hour and ten a day for a subject and for a destination, with as many
    ///   of their own for known devices; twelve messages an hour to a destination by resends;
    /// - 50 starts, 50 resends and 50 tries in five minutes from one client address (an IPv6 /64
    ///   is one, and its /48 has ten times as many);
    /// - phones of every country, see [`with_geography`](Self::with_geography).
    #[must_use]
    pub fn recommended() -> Self {
        let scoped = |scope, max, window| ScopedQuota {
            scope,
            quota: Quota::bounded_window(max, window),
        };
        let address = scoped(Scope::Address, 50, FIVE_MINUTES);
        Self {
            level: Level::Standard,
            attempts: 5,
            sends: 4,
            cooldowns: [60, 120, 240].map(Duration::from_secs).to_vec(),
            starts: Starts::default(),
            budget: BudgetRules::out_of_band(),
            issue: vec![
                address,
                scoped(Scope::Subject, 5, HOUR),
                scoped(Scope::Subject, 10, DAY),
                scoped(Scope::Destination, 5, HOUR),
                scoped(Scope::Destination, 10, DAY),
            ],
            resend: vec![address, scoped(Scope::Destination, 12, HOUR)],
            verify: vec![address],
            line_types: LineTypes::default(),
            geography: Geography::everywhere(),
        }
    }

    /// Declares how hard guessing must be. Default: [`Level::Standard`].
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets how many guesses a challenge takes. Default: 5; at most 10.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how many messages a challenge sends and the wait after each (the last one repeats).
    /// Default: 4; 60, 120 and 240 seconds.
    #[must_use]
    pub fn with_sends(mut self, sends: u32, cooldowns: Vec<Duration>) -> Self {
        self.sends = sends;
        self.cooldowns = cooldowns;
        self
    }

    /// Sets what holds a start to the one before it. Default: [`Starts::AtOnce`].
    #[must_use]
    pub fn with_starts(mut self, starts: Starts) -> Self {
        self.starts = starts;
        self
    }

    /// Replaces the guess budget. Default: [`BudgetRules::out_of_band`].
    #[must_use]
    pub fn with_budget(mut self, budget: BudgetRules) -> Self {
        self.budget = budget;
        self
    }

    /// Replaces the kinds of phone line that are sent to.
    #[must_use]
    pub fn with_line_types(mut self, line_types: LineTypes) -> Self {
        self.line_types = line_types;
        self
    }

    /// Sets which countries are sent to. Default: [`Geography::everywhere`]. A service that knows
    /// where its users live should say so: most toll fraud ends in countries that it has none in.
    #[must_use]
    pub fn with_geography(mut self, geography: Geography) -> Self {
        self.geography = geography;
        self
    }

    /// Adds a quota on starts. Of the scopes, [`Country`](Scope::Country) and
    /// [`Prefix`](Scope::Prefix) count phones only, [`Device`](Scope::Device) known devices only,
    /// and [`Network`](Scope::Network) IPv6 clients only; without one of its own, a /48 has ten
    /// times what the quotas by [`Address`](Scope::Address) allow.
    #[must_use]
    pub fn on_issue(mut self, scope: Scope, quota: Quota) -> Self {
        self.issue.push(ScopedQuota { scope, quota });
        self
    }

    /// Adds a quota on resends.
    #[must_use]
    pub fn on_resend(mut self, scope: Scope, quota: Quota) -> Self {
        self.resend.push(ScopedQuota { scope, quota });
        self
    }

    /// Adds a quota on tries. A try names a challenge, so only the address and the tenant are
    /// known before it is counted.
    #[must_use]
    pub fn on_verify(mut self, scope: Scope, quota: Quota) -> Self {
        self.verify.push(ScopedQuota { scope, quota });
        self
    }

    /// Puts a quota in place of the one of the same scope, kind and period, or beside the others
    /// where there is none: what an operator does in an incident.
    #[must_use]
    pub fn with_quota(mut self, operation: Operation, scope: Scope, quota: Quota) -> Self {
        let quotas = self.quotas_mut(operation);
        let count = |one: &ScopedQuota| (one.scope, one.quota.kind(), one.quota.period());
        let new = ScopedQuota { scope, quota };
        match quotas.iter_mut().find(|one| count(one) == count(&new)) {
            Some(same) => *same = new,
            None => quotas.push(new),
        }
        self
    }

    /// Puts these quotas in place of every one of a scope on one operation.
    #[must_use]
    pub fn with_quotas(
        mut self,
        operation: Operation,
        scope: Scope,
        new: impl IntoIterator<Item = Quota>,
    ) -> Self {
        let quotas = self.quotas_mut(operation);
        quotas.retain(|scoped| scoped.scope != scope);
        quotas.extend(new.into_iter().map(|quota| ScopedQuota { scope, quota }));
        self
    }

    fn quotas_mut(&mut self, operation: Operation) -> &mut Vec<ScopedQuota> {
        match operation {
            Operation::Issue => &mut self.issue,
            Operation::Resend => &mut self.resend,
            Operation::Verify | Operation::Change => &mut self.verify,
        }
    }

    /// Drops every quota of a scope, from starts, resends and tries, to put others in their place.
    #[must_use]
    pub fn without(mut self, scope: Scope) -> Self {
        for quotas in [&mut self.issue, &mut self.resend, &mut self.verify] {
            quotas.retain(|scoped| scoped.scope != scope);
        }
        self
    }

    /// Gives the declared level.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// Says how many guesses a challenge takes.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Says how many messages a challenge sends.
    #[must_use]
    pub fn sends(&self) -> u32 {
        self.sends
    }

    /// Gives the wait after each message.
    #[must_use]
    pub fn cooldowns(&self) -> &[Duration] {
        &self.cooldowns
    }

    /// Says what holds a start to the one before it.
    #[must_use]
    pub fn starts(&self) -> Starts {
        self.starts
    }

    /// Gives the guess budget of codes that are sent.
    #[must_use]
    pub fn budget(&self) -> &BudgetRules {
        &self.budget
    }

    /// Lists the quotas on starts.
    #[must_use]
    pub fn issue(&self) -> &[ScopedQuota] {
        &self.issue
    }

    /// Lists the quotas on resends.
    #[must_use]
    pub fn resend(&self) -> &[ScopedQuota] {
        &self.resend
    }

    /// Lists the quotas on tries.
    #[must_use]
    pub fn verify(&self) -> &[ScopedQuota] {
        &self.verify
    }

    /// Gives the kinds of phone line that are sent to.
    #[must_use]
    pub fn line_types(&self) -> &LineTypes {
        &self.line_types
    }

    /// Says which countries are sent to.
    #[must_use]
    pub fn geography(&self) -> &Geography {
        &self.geography
    }

    pub(super) fn validate(&self) -> Result<(), PolicyError> {
        if !(1..=10).contains(&self.attempts) {
            return Err(PolicyError::Attempts);
        }
        let waits = self.cooldowns.iter().all(|wait| wait.as_secs() >= 10);
        if !(1..=10).contains(&self.sends) || self.cooldowns.is_empty() || !waits {
            return Err(PolicyError::Sends);
        }
        let windows = &self.budget.windows;
        let roomy = windows.iter().all(|w| w.public > 0 && !w.window.is_zero());
        let run = (1..=100).contains(&self.budget.consecutive_limit);
        if windows.is_empty() || !roomy || !run {
            return Err(PolicyError::Budget);
        }
        if self.geography.is_nowhere() {
            return Err(PolicyError::NowhereToSend);
        }
        let operations = [
            ("issue", &self.issue),
            ("resend", &self.resend),
            ("verify", &self.verify),
        ];
        for (name, quotas) in operations {
            if !quotas.iter().any(|scoped| scoped.scope == Scope::Address) {
                return Err(PolicyError::NoAddressLimit(name));
            }
            counts(name, quotas)?;
        }
        Ok(())
    }
}

/// Checks that every quota of an operation is counted, and counted apart.
fn counts(operation: &'static str, quotas: &[ScopedQuota]) -> Result<(), PolicyError> {
    for (number, one) in quotas.iter().enumerate() {
        let scope = one.scope.name();
        let known = match one.scope {
            Scope::Address | Scope::Network | Scope::Tenant | Scope::Global => true,
            // A try names a challenge; whose it is is not known before it is counted.
            Scope::Subject | Scope::Destination | Scope::Country | Scope::Prefix => {
                operation != "verify"
            }
            // A resend shows no token that its door was opened by.
            Scope::Device => operation == "issue",
        };
        if !known {
            return Err(PolicyError::NeverCounts { operation, scope });
        }
        let same = |other: &ScopedQuota| {
            other.scope == one.scope
                && other.quota.kind() == one.quota.kind()
                && other.quota.period() == one.quota.period()
        };
        if quotas.iter().skip(number + 1).any(same) {
            return Err(PolicyError::SameCount { operation, scope });
        }
    }
    Ok(())
}
