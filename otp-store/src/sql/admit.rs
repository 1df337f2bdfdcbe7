//! A plan: looked at whole, then reserved whole or written down as refused.

use std::borrow::Cow;

use otp_core::challenge::{
    AttemptClaim, AttemptOutcome, Challenge, Lane, Refusal, ResendClaim, ResendOutcome,
};
use otp_core::clock::Timestamp;
use otp_core::event::{Event, Outcome};
use otp_core::quota::{BudgetRefusal, BudgetRules};
use otp_core::store::{
    Admission, BudgetClaim, Findings, Granted, IdempotencyClaim, NamedTry, Plan, Step, StoreError,
    StoreErrorKind, Target,
};

use super::attempt_rows::Tried;
use super::budget_rows::{Loaded, key_of};
use super::quota_rows::Buckets;
use super::{Intent, Locks, Tx};
use super::{attempt_rows, audit, blocklist, challenge_rows, idempotency, seen};

/// A plan on its way into the engine.
pub(crate) struct Admit(pub(crate) Plan);

/// What a step comes to where nothing stands against it.
enum Prepared<'p> {
    /// Nothing further is written.
    Ready(Granted),
    Issue(Option<&'p IdempotencyClaim>),
    Attempt(&'p AttemptClaim, Box<Challenge>, Box<Guess<'p>>),
    Late(Box<Challenge>, AttemptOutcome),
    Guess(Lane, Box<Guess<'p>>, Option<&'p NamedTry>),
    Resend(&'p ResendClaim, Box<Challenge>),
}

impl Prepared<'_> {
    /// Names the challenge of a try in the record of its refusal: whoever reads it must learn
    /// whom it hit. Another tenant's stays unnamed.
    fn named(&self, step: &Step, event: Event) -> Event {
        let (Step::Attempt { claim, .. }, Some(challenge)) = (step, self.challenge()) else {
            return event;
        };
        if challenge.tenant == claim.tenant {
            event.of_challenge(challenge)
        } else {
            event
        }
    }

    fn challenge(&self) -> Option<&Challenge> {
        match self {
            Self::Ready(Granted::Attempt(_, challenge))
            | Self::Attempt(_, challenge, _)
            | Self::Late(challenge, _) => Some(challenge),
            _ => None,
        }
    }
}

/// A budget that is open, with the rules that it is open under.
struct Guess<'p> {
    loaded: Loaded,
    rules: &'p BudgetRules,
}

impl Intent for Admit {
    type Answer = Admission;

    fn locks(&self) -> Locks {
        let locks = Locks::default().quotas(&self.0.quotas);
        match &self.0.step {
            Step::Issue {
                budget,
                idempotency,
            } => {
                let locks = locks.subject(budget.subject().shard());
                let keys = idempotency.iter();
                keys.fold(locks, |locks, claim| locks.request(&claim.key))
            }
            Step::Attempt { target, .. } => locks.subject(match target {
                Target::Id(id) => id.shard(),
                Target::Latest { subject, .. } => subject.shard(),
            }),
            Step::Resend { challenge, .. } => locks.subject(challenge.shard()),
            Step::Guess { budget, .. } => locks.subject(budget.subject().shard()),
            _ => locks,
        }
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Admission, StoreError> {
        let (plan, now) = (&self.0, tx.now()?);
        let mut findings = Findings {
            blocked: blocklist::matching(tx, &plan.blocks, now).await?,
            ..Findings::default()
        };
        if let Some(repeated) = repeated(tx, plan, &findings, now).await? {
            return Ok(Admission {
                now,
                findings,
                granted: Some(repeated),
            });
        }
        let prepared = prepare(tx, &plan.step, &mut findings, now).await?;
        let claims = match (&plan.step, &prepared) {
            (Step::Resend { .. }, Prepared::Ready(_)) => Cow::Owned(plan.quotas_of_requester()),
            _ => Cow::Borrowed(&plan.quotas),
        };
        let buckets = Buckets::load(tx, &claims, now).await?;
        findings.quotas = buckets.look();
        if let Some(objection) = findings.objection() {
            let refused = prepared
                .named(&plan.step, plan.event.clone())
                .with_outcome(Outcome::Refused, objection);
            audit::write(tx, &refused).await?;
            return Ok(Admission {
                now,
                findings,
                granted: None,
            });
        }
        let user = plan.event.subject.as_ref().map(|subject| subject.user_id());
        findings.quotas = buckets.charge(tx, user).await?;
        let granted = reserve(tx, prepared, now).await?;
        Ok(Admission {
            now,
            findings,
            granted: Some(granted),
        })
    }
}

/// Says what came of a request that was made before. It is no new one: no quota is charged and
/// none can refuse it, but whoever was blocked since hears nothing more.
async fn repeated(
    tx: &mut Tx<'_>,
    plan: &Plan,
    findings: &Findings,
    now: Timestamp,
) -> Result<Option<Granted>, StoreError> {
    match &plan.step {
        Step::Issue {
            idempotency: Some(claim),
            ..
        } if findings.blocked.is_empty() => idempotency::known(tx, claim, now).await,
        _ => Ok(None),
    }
}

/// Looks at what a step is after, and adds what the budget has against it.
async fn prepare<'p>(
    tx: &mut Tx<'_>,
    step: &'p Step,
    findings: &mut Findings,
    now: Timestamp,
) -> Result<Prepared<'p>, StoreError> {
    match step {
        Step::Issue {
            budget,
            idempotency,
        } => {
            findings.budget = look(tx, budget, now).await?;
            Ok(Prepared::Issue(idempotency.as_ref()))
        }
        Step::Attempt {
            target,
            claim,
            rules,
        } => {
            let Some(challenge) = challenge_rows::aimed_at(tx, target, now).await? else {
                return Ok(Prepared::Ready(Granted::NoChallenge(Refusal::Unknown)));
            };
            let challenge = Box::new(challenge);
            // The budget is asked only where a guess would be reserved: a challenge that is over,
            // or somebody else's, must answer alike whether its subject is locked or not.
            match challenge.judge_attempt(claim, now) {
                AttemptOutcome::Reserved => {
                    let loaded = Loaded::load(tx, key_of(&challenge)).await?;
                    findings.budget = loaded.budget.look(rules, challenge.lane, now).err();
                    let guess = Box::new(Guess { loaded, rules });
                    Ok(Prepared::Attempt(claim, challenge, guess))
                }
                late @ AttemptOutcome::Refused(Refusal::Expired) => {
                    Ok(Prepared::Late(challenge, late))
                }
                other => Ok(Prepared::Ready(Granted::Attempt(other, challenge))),
            }
        }
        Step::Resend {
            challenge,
            claim,
            rules,
        } => {
            let Some(challenge) = challenge_rows::find(tx, challenge).await? else {
                return Ok(Prepared::Ready(Granted::NoChallenge(Refusal::Unknown)));
            };
            let challenge = Box::new(challenge);
            match challenge.judge_resend(claim, now) {
                ResendOutcome::Reserved => {
                    let loaded = Loaded::load(tx, key_of(&challenge)).await?;
                    findings.budget = loaded.budget.look(rules, challenge.lane, now).err();
                    Ok(Prepared::Resend(claim, challenge))
                }
                other => Ok(Prepared::Ready(Granted::Resend(other, challenge))),
            }
        }
        Step::Guess { budget, named } => {
            if let Some(named) = named
                && let Some(at) = seen::counted(tx, named, now).await?
            {
                return Ok(Prepared::Ready(Granted::GuessedBefore { at }));
            }
            let loaded = Loaded::load(tx, budget.key.clone()).await?;
            findings.budget = loaded.budget.look(&budget.rules, budget.lane, now).err();
            let rules = &budget.rules;
            let guess = Box::new(Guess { loaded, rules });
            Ok(Prepared::Guess(budget.lane, guess, named.as_ref()))
        }
        Step::Nothing => Ok(Prepared::Ready(Granted::Nothing)),
        _ => Err(StoreErrorKind::Invalid.into()),
    }
}

async fn look(
    tx: &mut Tx<'_>,
    claim: &BudgetClaim,
    now: Timestamp,
) -> Result<Option<BudgetRefusal>, StoreError> {
    let loaded = Loaded::load(tx, claim.key.clone()).await?;
    Ok(loaded.budget.look(&claim.rules, claim.lane, now).err())
}

/// Writes the reservation that nothing stands against.
async fn reserve(
    tx: &mut Tx<'_>,
    prepared: Prepared<'_>,
    now: Timestamp,
) -> Result<Granted, StoreError> {
    match prepared {
        Prepared::Ready(granted) => Ok(granted),
        Prepared::Issue(claim) => {
            if let Some(claim) = claim {
                idempotency::take(tx, claim, now).await?;
            }
            Ok(Granted::Issue)
        }
        Prepared::Late(challenge, outcome) => {
            attempt_rows::count(tx, &challenge, Tried::Expired).await?;
            Ok(Granted::Attempt(outcome, challenge))
        }
        Prepared::Attempt(claim, before, guess) => {
            let mut guess = *guess;
            let mut after = before.clone();
            let outcome = after.attempt(claim, now);
            let reserved = guess.loaded.budget.reserve(guess.rules, after.lane, now);
            // Both were judged in this transaction; if they ever disagreed, nothing is given.
            if outcome != AttemptOutcome::Reserved || reserved.is_err() {
                return Err(StoreErrorKind::Unavailable.into());
            }
            guess.loaded.save(tx).await?;
            challenge_rows::save(tx, &before, &after).await?;
            attempt_rows::count(tx, &after, Tried::InTime).await?;
            Ok(Granted::Attempt(outcome, after))
        }
        Prepared::Guess(lane, guess, named) => {
            let mut guess = *guess;
            if guess.loaded.budget.reserve(guess.rules, lane, now).is_err() {
                return Err(StoreErrorKind::Unavailable.into());
            }
            guess.loaded.save(tx).await?;
            if let Some(named) = named {
                seen::count(tx, named, now).await?;
            }
            Ok(Granted::Guess)
        }
        Prepared::Resend(claim, before) => {
            let mut after = before.clone();
            let outcome = after.resend(claim, now);
            challenge_rows::save(tx, &before, &after).await?;
            Ok(Granted::Resend(outcome, after))
        }
    }
}
