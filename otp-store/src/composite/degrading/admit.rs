//! Where a plan is carried out, and how it is beneath.

use std::collections::BTreeSet;

use otp_core::challenge::{AttemptOutcome, Lane, ResendOutcome};
use otp_core::quota::{BudgetRefusal, BudgetRules, BudgetWindow, Level, QuotaClaim, QuotaReading};
use otp_core::store::{
    Admission, BudgetKey, ChallengeStore as _, Granted, Plan, QuotaStore as _, Step, Store,
    StoreError, StoreErrorKind,
};

use super::super::sign;
use super::{Degrading, Inner, Terms, terms};

/// Where a plan is carried out.
enum Place {
    Above,
    Beneath(Terms),
}

impl<P: Store> Degrading<P> {
    pub(super) async fn carry_out(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let inner = &self.inner;
        let terms = match self.place(plan)? {
            Place::Beneath(terms) => terms,
            Place::Above => match inner.above(inner.primary.admit(plan)).await {
                Err(error) => {
                    inner.make_sure(plan, &error).await;
                    inner.start_again(plan, error)?
                }
                answer => return answer,
            },
        };
        let admission = inner.beneath(plan, terms).await;
        // Where the primary is there, it should hear of this guess soon.
        self.see_to_what_is_due();
        admission
    }

    fn place(&self, plan: &Plan) -> Result<Place, StoreError> {
        let (memory, policy) = (&self.inner.memory, &self.inner.policy);
        let away = self.away();
        // What the memory cannot say, because its clock fell back, it does not know.
        let (known, terms) = match &plan.step {
            Step::Issue { idempotency, .. } => {
                let key = idempotency.as_ref().map(|claim| &claim.key);
                let known = key.is_some_and(|key| memory.holds_key(key).unwrap_or_default());
                (known, terms(policy.issue()))
            }
            Step::Resend { challenge, .. } => {
                let known = memory.keeps(challenge).unwrap_or_default();
                (known, terms(policy.resend()))
            }
            Step::Attempt { target, claim, .. } => {
                let found = memory.meant_by(target, claim);
                let known = found.is_ok_and(|found| found.is_some());
                (known, self.inner.serves().map(|()| Terms::Degraded))
            }
            _ => (false, self.inner.serves().map(|()| Terms::Degraded)),
        };
        match (away, known) {
            (None, false) => Ok(Place::Above),
            (None, true) => Ok(Place::Beneath(Terms::Degraded)),
            (Some(why), false) if is_above_alone(&plan.step) => Err(why.into()),
            (Some(_), _) => Ok(Place::Beneath(terms?)),
        }
    }
}

impl<P: Store> Inner<P> {
    /// Finds out for a start that the primary did not answer whether the primary is there, so that
    /// the first one after its death is issued beneath like any later one. One asks; whoever comes
    /// meanwhile waits for what it finds.
    async fn make_sure(&self, plan: &Plan, error: &StoreError) {
        let is_start = matches!(plan.step, Step::Issue { .. });
        if !is_start || error.kind() != StoreErrorKind::Unavailable || self.serves().is_err() {
            return;
        }
        match self.circuit.doubt() {
            Some(doubt) => match sign::of_life(&self.primary).await {
                Ok(()) => doubt.dispelled(),
                Err(_) => drop(doubt),
            },
            None => self.circuit.settled().await,
        }
    }

    /// Says on which terms a plan that the primary did not answer is carried out beneath after all:
    /// a start, where the circuit opened while it waited. Nothing was issued above for it, and
    /// nothing will be, because its challenge is put where the circuit now says.
    fn start_again(&self, plan: &Plan, error: StoreError) -> Result<Terms, StoreError> {
        let outage = error.kind() == StoreErrorKind::Unavailable && self.circuit.away().is_some();
        match &plan.step {
            Step::Issue { .. } if outage => terms(self.policy.issue()).map_err(|_| error),
            _ => Err(error),
        }
    }

    async fn beneath(&self, plan: &Plan, terms: Terms) -> Result<Admission, StoreError> {
        let mut share = self.share_of(plan);
        let refusal = self.refusal_above(plan).await?;
        if let (Some(refusal), Step::Attempt { rules, .. }) = (refusal, &mut share.step) {
            *rules = refusing(rules, refusal);
        }
        if terms == Terms::Open {
            share.quotas.clear();
        }
        let mut admission = self.memory.admit(&share).await?;
        if admission.findings.budget.is_some() && refusal.is_some() {
            admission.findings.budget = refusal;
        }
        let charged = charged(plan, admission.granted.as_ref());
        if terms == Terms::Open {
            admission.findings.quotas = self.let_pass(&charged).await?;
        }
        self.note(&charged, &admission)?;
        Ok(admission)
    }

    /// Makes a plan of this instance's share of every limit.
    fn share_of(&self, plan: &Plan) -> Plan {
        let mut share = plan.clone();
        for claim in &mut share.quotas {
            claim.quota = claim.quota.divided(self.instances);
        }
        match &mut share.step {
            Step::Issue { budget, .. } => budget.rules = budget.rules.divided(self.instances),
            Step::Resend { rules, .. } | Step::Attempt { rules, .. } => {
                *rules = rules.divided(self.instances);
            }
            _ => {}
        }
        share
    }

    /// Asks the budget above, where there is an above, about a guess that would be counted beneath.
    /// What cannot be asked now is not compared now: a disabled authenticator stays so.
    async fn refusal_above(&self, plan: &Plan) -> Result<Option<BudgetRefusal>, StoreError> {
        let Step::Attempt {
            target,
            claim,
            rules,
        } = &plan.step
        else {
            return Ok(None);
        };
        if self.circuit.away().is_some() {
            return Ok(None);
        }
        let Some(challenge) = self.memory.meant(target)? else {
            return Ok(None);
        };
        let now = self.memory.ping().await?;
        if challenge.judge_attempt(claim, now) != AttemptOutcome::Reserved {
            return Ok(None);
        }
        let key = BudgetKey {
            tenant: challenge.tenant.clone(),
            subject: challenge.subject.clone(),
            class: challenge.class,
        };
        let reading = self.above(self.primary.budget(&key, rules)).await?;
        Ok(match challenge.lane {
            Lane::Public => reading.public,
            Lane::KnownDevice => reading.known_device,
        })
    }

    /// Charges quotas that refuse nothing; a key that stands in several is hit once.
    async fn let_pass(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let shares = self.shares(claims);
        let mut hit = BTreeSet::new();
        for share in &shares {
            if hit.insert(&share.key) {
                let same = shares.iter().filter(|other| other.key == share.key);
                let same: Vec<QuotaClaim> = same.cloned().collect();
                self.memory.check_all(&same).await?;
            }
        }
        let readings = self.memory.peek(&shares).await?;
        let passed = readings.iter().zip(&shares).map(|(reading, share)| {
            let level = Level {
                remaining: reading.remaining(),
                reset_after: reading.reset_after(),
                retry_after: None,
            };
            QuotaReading::new(share, level)
        });
        Ok(passed.collect())
    }

    /// Notes what the primary has to hear of. A guess that cannot be noted is not compared.
    fn note(&self, charged: &[QuotaClaim], admission: &Admission) -> Result<(), StoreError> {
        let mut ledger = self.ledger();
        if let Some(Granted::Attempt(AttemptOutcome::Reserved, challenge)) = &admission.granted {
            let key = BudgetKey {
                tenant: challenge.tenant.clone(),
                subject: challenge.subject.clone(),
                class: challenge.class,
            };
            ledger.guess((key, challenge.lane))?;
        }
        ledger.charge(charged, admission.now);
        Ok(())
    }
}

/// Says whether a step is about something that is above where the memory does not know it: a
/// challenge, or an authenticator, whose secret is never beneath.
fn is_above_alone(step: &Step) -> bool {
    matches!(
        step,
        Step::Resend { .. } | Step::Attempt { .. } | Step::Guess { .. }
    )
}

/// Lists the quotas that a plan was charged for, undivided.
fn charged(plan: &Plan, granted: Option<&Granted>) -> Vec<QuotaClaim> {
    match (granted, &plan.step) {
        (None | Some(Granted::IssuedBefore(_) | Granted::IdempotencyConflict), _) => Vec::new(),
        (Some(Granted::Resend(ResendOutcome::Reserved, _)), _) => plan.quotas.clone(),
        (Some(Granted::Resend(..)), _) | (Some(Granted::NoChallenge(_)), Step::Resend { .. }) => {
            plan.quotas_of_requester()
        }
        (Some(_), _) => plan.quotas.clone(),
    }
}

/// Makes rules that refuse as the budget above does, so that the refusal is found and recorded
/// beneath like any other.
fn refusing(rules: &BudgetRules, refusal: BudgetRefusal) -> BudgetRules {
    let mut refusing = rules.clone();
    match refusal {
        BudgetRefusal::Disabled => refusing.consecutive_limit = 0,
        _ => refusing.windows = vec![NO_GUESS],
    }
    refusing
}

const NO_GUESS: BudgetWindow = BudgetWindow {
    public: 0,
    known_device: 0,
    window: std::time::Duration::from_secs(1),
};
