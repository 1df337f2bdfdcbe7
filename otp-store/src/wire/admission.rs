//! A plan's step as JSON, and what came of the plan.

use std::time::Duration;

use otp_core::challenge::{
    AttemptClaim, AttemptOutcome, Challenge, RecordedAnswer, Refusal, ResendClaim, ResendOutcome,
    Separated, TypedKind,
};
use otp_core::quota::{BudgetRefusal, Level, QuotaClaim, QuotaReading};
use otp_core::store::{
    Admission, Findings, Granted, IdempotencyClaim, Plan, RecordedIssue, StoreError,
};
use serde_json::{Map, Value, json};

use super::reply::{Reply, time};
use super::request::{hex, millis};
use super::{challenge, corrupt};

/// Writes what a host's key is taken for, beside the parts that name the key.
pub(crate) fn idempotency(claim: &IdempotencyClaim, named: Value) -> Value {
    let mut value = json!({
        "fingerprint": hex(&claim.fingerprint),
        "challenge": claim.challenge.to_string(),
        "life": millis(claim.life),
        "resend_after": millis(claim.resend_after),
    });
    if let (Value::Object(value), Value::Object(named)) = (&mut value, named) {
        value.extend(named);
    }
    value
}

pub(crate) fn resend(claim: &ResendClaim) -> Value {
    let cooldowns = claim.cooldowns.iter().map(|wait| millis(*wait));
    let mut value = json!({
        "tenant": claim.tenant.as_str(),
        "send_limit": claim.send_limit,
        "cooldowns": cooldowns.collect::<Vec<_>>(),
    });
    if let (Value::Object(parts), Some(binding)) = (&mut value, &claim.binding) {
        parts.insert("binding".to_owned(), hex(binding.as_bytes()).into());
    }
    value
}

pub(crate) fn attempt(claim: &AttemptClaim) -> Value {
    let mut parts = Map::new();
    let mut put = |name: &str, value: Value| parts.insert(name.to_owned(), value);
    put("tenant", claim.tenant.as_str().into());
    if let Some(purpose) = &claim.purpose {
        put("purpose", purpose.as_str().into());
    }
    if let Some(binding) = &claim.binding {
        put("binding", hex(binding.as_bytes()).into());
    }
    put(
        "shape",
        json!({
            "length": claim.shape.length,
            "separated": claim.shape.separated == Separated::Yes,
            "digits": claim.shape.kind == TypedKind::Digits,
        }),
    );
    if let Some((id, prints)) = &claim.id {
        let first = [[0; 16]];
        let prints: &[[u8; 16]] = if prints.is_empty() { &first } else { prints };
        put("id", id.as_str().into());
        put("prints", prints.iter().map(|print| hex(print)).collect());
    }
    Value::Object(parts)
}

/// Reads what came of a plan.
pub(crate) fn read(plan: &Plan, reply: &Reply) -> Result<Admission, StoreError> {
    let places = reply.texts(2)?;
    let blocked = places.iter().map(|place| {
        let place: usize = place.parse().ok()?;
        plan.blocks.get(place).cloned()
    });
    let blocked = blocked.collect::<Option<_>>();
    let findings = Findings {
        blocked: blocked.ok_or_else(|| corrupt("a block"))?,
        quotas: readings(&plan.quotas, reply, 3)?,
        budget: budget(reply.text(4)?)?,
    };
    let granted = granted(reply)?;
    // Whatever the script said, nothing is granted against an objection.
    if granted.is_none() == findings.objection().is_none() {
        return Err(corrupt("an answer"));
    }
    Ok(Admission {
        now: reply.time(0)?,
        findings,
        granted,
    })
}

/// Reads levels beside the claims that they are of.
pub(crate) fn readings(
    claims: &[QuotaClaim],
    reply: &Reply,
    place: usize,
) -> Result<Vec<QuotaReading>, StoreError> {
    let read = |level: Vec<String>| {
        let [place, remaining, reset, retry] = <[String; 4]>::try_from(level).ok()?;
        let claim = claims.get(place.parse::<usize>().ok()?)?;
        let retry: i64 = retry.parse().ok()?;
        let level = Level {
            remaining: remaining.parse().ok()?,
            reset_after: Duration::from_micros(reset.parse().ok()?),
            retry_after: u64::try_from(retry).ok().map(Duration::from_micros),
        };
        Some(QuotaReading::new(claim, level))
    };
    let levels = reply.lists(place)?.into_iter().map(read);
    let levels = levels.collect::<Option<_>>();
    levels.ok_or_else(|| corrupt("a level"))
}

fn budget(text: &str) -> Result<Option<BudgetRefusal>, StoreError> {
    match text.split_once(':') {
        Some(("locked", until)) => Ok(Some(BudgetRefusal::Locked {
            until: time(until)?,
        })),
        None if text == "disabled" => Ok(Some(BudgetRefusal::Disabled)),
        None if text.is_empty() => Ok(None),
        _ => Err(corrupt("a budget")),
    }
}

fn granted(reply: &Reply) -> Result<Option<Granted>, StoreError> {
    let verdict = reply.texts(1)?;
    let verdict: Vec<&str> = verdict.iter().map(String::as_str).collect();
    Ok(Some(match verdict[..] {
        ["refused"] => return Ok(None),
        ["issue"] => Granted::Issue,
        ["guess"] => Granted::Guess,
        ["guessed_before", at] => Granted::GuessedBefore { at: time(at)? },
        ["nothing"] => Granted::Nothing,
        ["none"] => Granted::NoChallenge(Refusal::Unknown),
        ["conflict"] => Granted::IdempotencyConflict,
        ["issued_before", challenge, expires_at, resend_at] => {
            Granted::IssuedBefore(RecordedIssue {
                challenge: challenge.parse().map_err(|_| corrupt("a key"))?,
                expires_at: time(expires_at)?,
                resend_at: time(resend_at)?,
            })
        }
        ["attempt", outcome] => Granted::Attempt(attempted(outcome)?, found(reply)?),
        ["resend", outcome] => Granted::Resend(resent(outcome)?, found(reply)?),
        _ => return Err(corrupt("an answer")),
    }))
}

fn found(reply: &Reply) -> Result<Box<Challenge>, StoreError> {
    let fields = reply.fields(5)?.ok_or_else(|| corrupt("a challenge"))?;
    challenge::read(&fields).map(Box::new)
}

fn attempted(outcome: &str) -> Result<AttemptOutcome, StoreError> {
    match outcome.split_once(':') {
        Some(("refused", name)) => refusal(name).map(AttemptOutcome::Refused),
        Some(("replayed", "right")) => Ok(AttemptOutcome::Replayed(RecordedAnswer::Right)),
        Some(("replayed", "wrong")) => Ok(AttemptOutcome::Replayed(RecordedAnswer::Wrong)),
        None if outcome == "reserved" => Ok(AttemptOutcome::Reserved),
        None if outcome == "resumed" => Ok(AttemptOutcome::Resumed),
        _ => Err(corrupt("an outcome")),
    }
}

fn resent(outcome: &str) -> Result<ResendOutcome, StoreError> {
    match outcome.split_once(':') {
        Some(("refused", name)) => refusal(name).map(ResendOutcome::Refused),
        Some(("wait", wait)) => {
            let wait = wait.parse().map_err(|_| corrupt("a wait"))?;
            Ok(ResendOutcome::Wait(Duration::from_millis(wait)))
        }
        None if outcome == "reserved" => Ok(ResendOutcome::Reserved),
        None if outcome == "none_left" => Ok(ResendOutcome::NoneLeft),
        _ => Err(corrupt("an outcome")),
    }
}

/// Reads a refusal by its name.
pub(crate) fn refusal(name: &str) -> Result<Refusal, StoreError> {
    let known = [
        Refusal::Unknown,
        Refusal::Expired,
        Refusal::Consumed,
        Refusal::Exhausted,
        Refusal::Superseded,
        Refusal::Revoked,
        Refusal::WrongPurpose,
        Refusal::WrongBinding,
        Refusal::AttemptReused,
        Refusal::Malformed,
    ];
    let found = known.into_iter().find(|refusal| refusal.name() == name);
    found.ok_or_else(|| corrupt("a refusal"))
}
