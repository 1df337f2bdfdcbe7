use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::StoreFixture;
use crate::challenge::{AttemptOutcome, Challenge, ResendOutcome};
use crate::clock::{Clock, ManualClock, SteadyClock, Timestamp};
use crate::event::{Event, Outcome};
use crate::factor::RememberedDevice;
use crate::quota::{Budget, BudgetRefusal, LocalQuotas, QuotaClaim, QuotaReading};
use crate::store::{
    AcceptedTry, Admission, BlockEntry, Board, BoardText, BudgetKey, Delivery, FactorOwner,
    FactorSheet, Findings, Granted, IdempotencyKey, KeptReport, NamedTry, OutboxEntry, Plan,
    PolicyRecord, RecordedIssue, StatGrain, StatKey, Step, Store, StoreError, Target,
};

mod deliveries;
mod devices;
mod factors;
mod intents;
mod records;
mod shared;

/// The smallest store that keeps the contract: plain maps behind one lock, every decision by the
/// pure functions of this crate.
///
/// Read it before writing a store: `admit` looks at everything, and reserves only where nothing
/// stands against the plan. It is for tests and not for service: it has no bound.
#[derive(Debug)]
pub struct ReferenceStore {
    clock: SteadyClock,
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    /// In the order in which they came.
    pub(super) challenges: Vec<Challenge>,
    pub(super) budgets: HashMap<BudgetKey, Budget>,
    pub(super) keys: HashMap<IdempotencyKey, ([u8; 32], RecordedIssue)>,
    pub(super) quotas: LocalQuotas,
    pub(super) blocks: Vec<BlockEntry>,
    pub(super) seen: HashMap<String, Timestamp>,
    /// In the order in which they came.
    pub(super) deliveries: Vec<Delivery>,
    /// By the provider and its reference.
    pub(super) reports: HashMap<(String, String), KeptReport>,
    pub(super) outbox: Vec<OutboxEntry>,
    pub(super) last_sequence: u64,
    /// What was counted in the minute or hour that begins so.
    pub(super) stats: BTreeMap<(StatKey, StatGrain, Timestamp), u64>,
    /// Oldest first.
    pub(super) policies: Vec<PolicyRecord>,
    pub(super) boards: HashMap<Board, (u64, BoardText)>,
    pub(super) factors: HashMap<FactorOwner, FactorSheet>,
    /// Newest first.
    pub(super) devices: HashMap<FactorOwner, Vec<RememberedDevice>>,
}

impl ReferenceStore {
    /// Makes an empty store on a clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let capacity = NonZeroUsize::MIN.saturating_add(1_000_000);
        Self {
            clock: SteadyClock::new(clock),
            state: Mutex::new(State {
                challenges: Vec::new(),
                budgets: HashMap::new(),
                keys: HashMap::new(),
                quotas: LocalQuotas::with_capacity(capacity),
                blocks: Vec::new(),
                seen: HashMap::new(),
                deliveries: Vec::new(),
                reports: HashMap::new(),
                outbox: Vec::new(),
                last_sequence: 0,
                stats: BTreeMap::new(),
                policies: Vec::new(),
                boards: HashMap::new(),
                factors: HashMap::new(),
                devices: HashMap::new(),
            }),
        }
    }

    /// Begins an intent: everything is decided under this lock, at this time.
    fn begin(&self) -> Result<(MutexGuard<'_, State>, Timestamp), StoreError> {
        Ok((self.look(), self.clock.read()?))
    }

    /// Looks at what needs no time.
    fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn forgive_clock(&self) {
        self.clock.forgive();
    }
}

impl State {
    fn admit(&mut self, plan: &Plan, now: Timestamp) -> Admission {
        if let Some(granted) = self.issued_before(plan, now) {
            return Admission {
                now,
                findings: Findings::default(),
                granted: Some(granted),
            };
        }
        let claims = self.claims(plan, now);
        let mut findings = Findings {
            blocked: self.blocked(plan, now),
            quotas: self.peek(&claims, now),
            budget: self.locked(&plan.step, now),
        };
        if let Some(reason) = findings.objection() {
            let event = self.named(plan, now);
            self.record(event.with_outcome(Outcome::Refused, reason), now);
            return Admission {
                now,
                findings,
                granted: None,
            };
        }
        findings.quotas = self.charge(&claims, now);
        let granted = Some(self.grant(&plan.step, now));
        Admission {
            now,
            findings,
            granted,
        }
    }

    /// A resend that is not taken is charged to whoever asked, and to nobody else.
    fn claims(&self, plan: &Plan, now: Timestamp) -> Vec<QuotaClaim> {
        let Step::Resend {
            challenge, claim, ..
        } = &plan.step
        else {
            return plan.quotas.clone();
        };
        let found = self.position(challenge);
        let found = found.and_then(|at| self.challenges.get(at));
        let taken =
            found.is_some_and(|found| found.judge_resend(claim, now) == ResendOutcome::Reserved);
        if taken {
            plan.quotas.clone()
        } else {
            plan.quotas_of_requester()
        }
    }

    /// A try that is refused is recorded with whom it hit; another tenant's stays unnamed.
    fn named(&self, plan: &Plan, now: Timestamp) -> Event {
        let event = plan.event.clone();
        let Step::Attempt { target, claim, .. } = &plan.step else {
            return event;
        };
        let found = self.target(target, now);
        match found.and_then(|at| self.challenges.get(at)) {
            Some(found) if found.tenant == claim.tenant => event.of_challenge(found),
            _ => event,
        }
    }

    /// A repeat is answered before quotas and budget are asked; a block holds for it as well.
    fn issued_before(&self, plan: &Plan, now: Timestamp) -> Option<Granted> {
        let Step::Issue {
            idempotency: Some(claim),
            ..
        } = &plan.step
        else {
            return None;
        };
        let (fingerprint, record) = self.keys.get(&claim.key)?;
        let holds = now < record.expires_at && self.blocked(plan, now).is_empty();
        holds.then_some(if *fingerprint == claim.fingerprint {
            Granted::IssuedBefore(*record)
        } else {
            Granted::IdempotencyConflict
        })
    }

    fn blocked(&self, plan: &Plan, now: Timestamp) -> Vec<crate::store::Block> {
        let held = |wanted: &&crate::store::Block| {
            self.blocks
                .iter()
                .any(|entry| entry.block == **wanted && entry.expires_at.is_none_or(|at| now < at))
        };
        plan.blocks.iter().filter(held).cloned().collect()
    }

    /// Says why the budget takes no guess. Only a step that would count something asks it, so
    /// that a dead challenge does not tell of a lock.
    fn locked(&self, step: &Step, now: Timestamp) -> Option<BudgetRefusal> {
        let (key, rules, lane) = match step {
            Step::Guess {
                named: Some(named), ..
            } if self.counted(named, now).is_some() => return None,
            Step::Issue { budget, .. } | Step::Guess { budget, .. } => {
                (budget.key.clone(), &budget.rules, budget.lane)
            }
            Step::Attempt {
                target,
                claim,
                rules,
            } => {
                let found = self.challenges.get(self.target(target, now)?)?;
                let counts = found.judge_attempt(claim, now) == AttemptOutcome::Reserved;
                counts.then(|| (key_of(found), rules, found.lane))?
            }
            Step::Resend {
                challenge,
                claim,
                rules,
            } => {
                let found = self.challenges.get(self.position(challenge)?)?;
                let counts = found.judge_resend(claim, now) == ResendOutcome::Reserved;
                counts.then(|| (key_of(found), rules, found.lane))?
            }
            Step::Nothing => return None,
        };
        let budget = self.budgets.get(&key).cloned().unwrap_or_default();
        budget.look(rules, lane, now).err()
    }

    /// Says when the guess of a try was counted, where it is remembered.
    fn counted(&self, named: &NamedTry, now: Timestamp) -> Option<Timestamp> {
        let mut untils = named.keys().filter_map(|key| self.seen.get(&key).copied());
        untils.find(|until| now < *until).map(NamedTry::counted_at)
    }

    fn grant(&mut self, step: &Step, now: Timestamp) -> Granted {
        match step {
            Step::Issue { idempotency, .. } => {
                if let Some(claim) = idempotency {
                    let record = (claim.fingerprint, claim.record(now));
                    self.keys.insert(claim.key.clone(), record);
                }
                Granted::Issue
            }
            Step::Attempt {
                target,
                claim,
                rules,
            } => {
                let position = self.target(target, now);
                let Some(found) = position.and_then(|at| self.challenges.get_mut(at)) else {
                    return Granted::NoChallenge(crate::challenge::Refusal::Unknown);
                };
                let outcome = found.attempt(claim, now);
                if outcome == AttemptOutcome::Reserved {
                    let budget = self.budgets.entry(key_of(found)).or_default();
                    // It was looked at under this lock, so it is open.
                    let _ = budget.reserve(rules, found.lane, now);
                }
                Granted::Attempt(outcome, Box::new(found.clone()))
            }
            Step::Resend {
                challenge, claim, ..
            } => {
                let position = self.position(challenge);
                let Some(found) = position.and_then(|at| self.challenges.get_mut(at)) else {
                    return Granted::NoChallenge(crate::challenge::Refusal::Unknown);
                };
                let outcome = found.resend(claim, now);
                Granted::Resend(outcome, Box::new(found.clone()))
            }
            Step::Guess { budget, named } => {
                if let Some(at) = named.as_ref().and_then(|named| self.counted(named, now)) {
                    return Granted::GuessedBefore { at };
                }
                if let Some(key) = named.as_ref().and_then(|named| named.keys().next()) {
                    self.seen.insert(key, now.saturating_add(AcceptedTry::LIFE));
                }
                let state = self.budgets.entry(budget.key.clone()).or_default();
                // It was looked at under this lock, so it is open.
                let _ = state.reserve(&budget.rules, budget.lane, now);
                Granted::Guess
            }
            Step::Nothing => Granted::Nothing,
        }
    }

    pub(super) fn position(&self, id: &crate::challenge::ChallengeId) -> Option<usize> {
        self.challenges
            .iter()
            .position(|challenge| challenge.id == *id)
    }

    fn target(&self, target: &Target, now: Timestamp) -> Option<usize> {
        match target {
            Target::Id(id) => self.position(id),
            Target::Latest {
                tenant,
                subject,
                purpose,
                lanes,
            } => {
                let behind = |lane, decoy| {
                    self.challenges.iter().rposition(|challenge| {
                        challenge.tenant == *tenant
                            && challenge.subject == *subject
                            && challenge.purpose == *purpose
                            && challenge.lane == lane
                            && challenge.is_decoy() == decoy
                            && challenge.is_live(now)
                    })
                };
                let [somebodys, decoys] =
                    [false, true].map(|decoy| lanes.iter().find_map(|lane| behind(*lane, decoy)));
                somebodys.or(decoys)
            }
        }
    }

    fn charge(&self, claims: &[QuotaClaim], now: Timestamp) -> Vec<QuotaReading> {
        match self.quotas.check_all(claims, now.as_millis()) {
            Ok(readings) => readings,
            Err(refused) => refused.readings().to_vec(),
        }
    }

    fn peek(&self, claims: &[QuotaClaim], now: Timestamp) -> Vec<QuotaReading> {
        let peek = |claim| self.quotas.peek(claim, now.as_millis());
        claims.iter().map(peek).collect()
    }

    fn record(&mut self, event: Event, now: Timestamp) {
        self.last_sequence = self.last_sequence.saturating_add(1);
        let sequence = self.last_sequence;
        self.outbox.push(OutboxEntry {
            sequence,
            event: event.at(now),
        });
    }
}

pub(super) fn key_of(challenge: &Challenge) -> BudgetKey {
    BudgetKey {
        tenant: challenge.tenant.clone(),
        subject: challenge.subject.clone(),
        class: challenge.class,
    }
}

/// A [`ReferenceStore`] on a clock that the test moves.
#[derive(Debug)]
pub struct ReferenceFixture {
    store: Arc<ReferenceStore>,
    clock: ManualClock,
}

impl ReferenceFixture {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        let clock = ManualClock::default();
        let store = Arc::new(ReferenceStore::new(Arc::new(clock.clone())));
        Self { store, clock }
    }
}

impl Default for ReferenceFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl StoreFixture for ReferenceFixture {
    fn store(&self) -> Arc<dyn Store> {
        Arc::<ReferenceStore>::clone(&self.store)
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}
