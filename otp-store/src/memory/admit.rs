use otp_core::challenge::{
    AttemptClaim, AttemptOutcome, Challenge, ChallengeId, Refusal, ResendClaim, ResendOutcome,
};
use otp_core::clock::Timestamp;
use otp_core::event::{Event, Outcome};
use otp_core::quota::{BudgetRefusal, BudgetRules, QuotaClaim};
use otp_core::store::{
    Admission, BudgetClaim, BudgetKey, Findings, Granted, IdempotencyClaim, NamedTry, Plan, Step,
    StoreError, Target,
};

use super::MemoryStore;
use super::seen::KeyFound;
use super::shard::Shard;

impl MemoryStore {
    /// Carries a plan out. The subject's shard stays locked from the look to the reservation, so
    /// what was looked at is what is reserved; the quotas have locks of their own beneath it,
    /// always taken after it, and are charged all or none in one step.
    pub(super) fn carry_out(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let now = self.now()?;
        let mut findings = Findings {
            blocked: self.blocked(&plan.blocks, now),
            ..Findings::default()
        };
        let mut named = None;
        let granted = match &plan.step {
            Step::Issue {
                budget,
                idempotency,
            } => self.admit_issue(plan, budget, idempotency.as_ref(), &mut findings, now),
            Step::Attempt {
                target,
                claim,
                rules,
            } => self.admit_attempt(plan, target, (claim, rules), &mut findings, &mut named, now),
            Step::Resend {
                challenge,
                claim,
                rules,
            } => self.admit_resend(plan, challenge, (claim, rules), &mut findings, now),
            Step::Guess { budget, named } => {
                self.admit_guess(plan, (budget, named.as_ref()), &mut findings, now)
            }
            _ => Ok(self
                .charge(&plan.quotas, &mut findings, now)
                .then_some(Granted::Nothing)),
        }?;
        if granted.is_none() {
            let reason = findings.objection().unwrap_or("refused");
            let event = named.unwrap_or_else(|| plan.event.clone());
            let refused = event.with_outcome(Outcome::Refused, reason);
            self.inner.outbox.push(refused.at(now));
        }
        Ok(Admission {
            now,
            findings,
            granted,
        })
    }

    fn admit_issue(
        &self,
        plan: &Plan,
        budget: &BudgetClaim,
        idempotency: Option<&IdempotencyClaim>,
        findings: &mut Findings,
        now: Timestamp,
    ) -> Result<Option<Granted>, StoreError> {
        if !findings.blocked.is_empty() {
            self.charge(&plan.quotas, findings, now);
            return Ok(None);
        }
        let shard = self.shard_of_subject(budget.subject())?;
        // A key's requests must meet under one lock, and a key may come with two subjects: the
        // table of keys stays locked until the key is recorded.
        let mut keys = idempotency.map(|claim| (claim, self.inner.seen.keys()));
        if let Some((claim, keys)) = &mut keys {
            match keys.find(claim, now) {
                KeyFound::Same(before) => return Ok(Some(Granted::IssuedBefore(before))),
                KeyFound::Other => return Ok(Some(Granted::IdempotencyConflict)),
                KeyFound::No => keys.make_room(now)?,
            }
        }
        let state = shard.budget(&budget.key);
        findings.budget = state.look(&budget.rules, budget.lane, now).err();
        if !self.charge(&plan.quotas, findings, now) {
            return Ok(None);
        }
        if let Some((claim, keys)) = &mut keys {
            keys.record(claim, now);
        }
        Ok(Some(Granted::Issue))
    }

    fn admit_attempt(
        &self,
        plan: &Plan,
        target: &Target,
        (claim, rules): (&AttemptClaim, &BudgetRules),
        findings: &mut Findings,
        named: &mut Option<Event>,
        now: Timestamp,
    ) -> Result<Option<Granted>, StoreError> {
        let mut shard = match target {
            Target::Id(id) => self.shard_of(id)?,
            Target::Latest { subject, .. } => self.shard_of_subject(subject)?,
        };
        let Some(mut challenge) = find(&shard, target, now)? else {
            let charged = self.charge(&plan.quotas, findings, now);
            return Ok(charged.then_some(Granted::NoChallenge(Refusal::Unknown)));
        };
        // A challenge that takes no guess answers as it would for anybody: only a guess that
        // would be counted asks the budget, so a lock does not tell which ids are live.
        let mut outcome = challenge.judge_attempt(claim, now);
        let counts = outcome == AttemptOutcome::Reserved;
        if counts {
            findings.budget = refusal(&shard, &challenge, rules, now);
        }
        if !self.charge(&plan.quotas, findings, now) {
            // Whoever reads of the refusal must learn whom it hit; another tenant must not.
            if challenge.tenant == claim.tenant {
                *named = Some(plan.event.clone().of_challenge(&challenge));
            }
            return Ok(None);
        }
        if counts {
            let capacity = self.inner.capacity.budgets.get();
            let budget = shard.budget_mut(&budget_key(&challenge), capacity)?;
            if let Err(late) = budget.reserve(rules, challenge.lane, now) {
                findings.budget = Some(late);
                return Ok(None);
            }
            outcome = challenge.attempt(claim, now);
            shard.put(&challenge);
        }
        Ok(Some(Granted::Attempt(outcome, Box::new(challenge))))
    }

    fn admit_guess(
        &self,
        plan: &Plan,
        (claim, named): (&BudgetClaim, Option<&NamedTry>),
        findings: &mut Findings,
        now: Timestamp,
    ) -> Result<Option<Granted>, StoreError> {
        let mut shard = self.shard_of_subject(claim.subject())?;
        // A try has one subject, so whoever sends it again waits for its shard.
        if let Some(at) = named.and_then(|named| self.inner.seen.counted(named, now)) {
            let charged = self.charge(&plan.quotas, findings, now);
            return Ok(charged.then_some(Granted::GuessedBefore { at }));
        }
        if named.is_some() {
            self.inner.seen.make_room(now)?;
        }
        let state = shard.budget(&claim.key);
        findings.budget = state.look(&claim.rules, claim.lane, now).err();
        if !self.charge(&plan.quotas, findings, now) {
            return Ok(None);
        }
        let capacity = self.inner.capacity.budgets.get();
        let budget = shard.budget_mut(&claim.key, capacity)?;
        if let Err(late) = budget.reserve(&claim.rules, claim.lane, now) {
            findings.budget = Some(late);
            return Ok(None);
        }
        if let Some(named) = named {
            self.inner.seen.count(named, now);
        }
        Ok(Some(Granted::Guess))
    }

    fn admit_resend(
        &self,
        plan: &Plan,
        id: &ChallengeId,
        (claim, rules): (&ResendClaim, &BudgetRules),
        findings: &mut Findings,
        now: Timestamp,
    ) -> Result<Option<Granted>, StoreError> {
        let mut shard = self.shard_of(id)?;
        let Some(mut challenge) = shard.get(id)? else {
            let charged = self.charge(&plan.quotas_of_requester(), findings, now);
            return Ok(charged.then_some(Granted::NoChallenge(Refusal::Unknown)));
        };
        let mut outcome = challenge.judge_resend(claim, now);
        let sends = outcome == ResendOutcome::Reserved;
        if sends {
            findings.budget = refusal(&shard, &challenge, rules, now);
        }
        let charged = if sends {
            self.charge(&plan.quotas, findings, now)
        } else {
            self.charge(&plan.quotas_of_requester(), findings, now)
        };
        if !charged {
            return Ok(None);
        }
        if sends {
            outcome = challenge.resend(claim, now);
            shard.put(&challenge);
        }
        Ok(Some(Granted::Resend(outcome, Box::new(challenge))))
    }

    /// Charges the quotas where nothing else stands against the plan, and reads them otherwise.
    /// Says whether the plan is admitted.
    fn charge(&self, claims: &[QuotaClaim], findings: &mut Findings, now: Timestamp) -> bool {
        let now_ms = now.as_millis();
        let quotas = &self.inner.quotas;
        if findings.objection().is_some() {
            let peek = |claim| quotas.peek(claim, now_ms);
            findings.quotas = claims.iter().map(peek).collect();
            return false;
        }
        findings.quotas = match quotas.check_all(claims, now_ms) {
            Ok(readings) => readings,
            Err(refused) => refused.readings().to_vec(),
        };
        findings.objection().is_none()
    }
}

pub(super) fn find(
    shard: &Shard,
    target: &Target,
    now: Timestamp,
) -> Result<Option<Challenge>, StoreError> {
    match target {
        Target::Id(id) => shard.get(id),
        Target::Latest {
            tenant,
            subject,
            purpose,
            lanes,
        } => shard.latest(tenant, subject, purpose, lanes, now),
    }
}

fn refusal(
    shard: &Shard,
    challenge: &Challenge,
    rules: &BudgetRules,
    now: Timestamp,
) -> Option<BudgetRefusal> {
    let budget = shard.budget(&budget_key(challenge));
    budget.look(rules, challenge.lane, now).err()
}

pub(super) fn budget_key(challenge: &Challenge) -> BudgetKey {
    BudgetKey {
        tenant: challenge.tenant.clone(),
        subject: challenge.subject.clone(),
        class: challenge.class,
    }
}
