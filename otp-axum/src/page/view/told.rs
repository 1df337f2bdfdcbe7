//! Why somebody is refused, and what can be done about it.

use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::operator::{Explanation, Whom};
use otp_core::quota::BudgetRefusal;
use serde::Serialize;

use super::super::Page;
use super::super::access::Visitor;
use super::super::deed::block_of;
use super::super::gauge::Level;
use super::super::trouble::Trouble;
use super::super::when::{When, span};
use super::blocks::Entry;

const REASON: &str = "looking somebody up";

/// What is known of somebody.
#[derive(Serialize)]
pub(super) struct Answer {
    whom: String,
    /// Sealed, for the forms.
    sealed: String,
    level: Level,
    reasons: Vec<String>,
    budgets: Vec<Budget>,
    limits: Vec<Limit>,
    blocks: Vec<Entry>,
    live_challenges: usize,
    refusals: Vec<Refusal>,
    can_block: bool,
    can_unlock: bool,
}

#[derive(Serialize)]
struct Budget {
    class: &'static str,
    guesses: usize,
    state: &'static str,
    level: Level,
    until: Option<When>,
}

#[derive(Serialize)]
struct Limit {
    what: String,
    left: u32,
    of: u32,
    window: String,
    level: Level,
}

#[derive(Serialize)]
struct Refusal {
    at: When,
    what: &'static str,
    reason: String,
    address: Option<String>,
}

/// Asks, and writes down what is answered.
pub(super) async fn explain(
    page: &Page,
    visitor: &Visitor,
    whom: &Whom,
) -> Result<Answer, Trouble> {
    let told = page.operator(visitor, REASON)?.explain(whom).await?;
    let reasons = told.reasons();
    let blocks = told.blocks.iter();
    let blocks = blocks.map(|entry| Entry::of(page, visitor, entry, told.now));
    Ok(Answer {
        whom: whom.to_string(),
        sealed: page.name_whom(visitor, whom)?,
        level: if reasons.is_empty() {
            Level::Ok
        } else {
            Level::Alarm
        },
        reasons: reasons.into_iter().map(|it| it.replace('_', " ")).collect(),
        budgets: budgets(&told),
        limits: limits(&told),
        blocks: blocks.collect::<Result<_, _>>()?,
        live_challenges: told.live_challenges,
        refusals: told
            .refusals
            .iter()
            .map(|it| refusal(it, told.now))
            .collect(),
        can_block: block_of(whom).is_some(),
        can_unlock: whom.subject_key().is_some(),
    })
}

fn budgets(told: &Explanation) -> Vec<Budget> {
    let budgets = told.budgets.iter();
    let budget = budgets.map(|budget| {
        let (state, level, until) = match &budget.reading.public {
            None => ("open", Level::Ok, None),
            Some(BudgetRefusal::Locked { until }) => {
                ("locked", Level::Alarm, Some(When::of(*until, told.now)))
            }
            Some(_) => ("disabled", Level::Alarm, None),
        };
        Budget {
            class: match budget.class.name() {
                "oob" => "sent codes",
                "totp" => "authenticator",
                other => other,
            },
            guesses: budget.reading.budget.guesses.len(),
            state,
            level,
            until,
        }
    });
    budget.collect()
}

fn limits(told: &Explanation) -> Vec<Limit> {
    let limits = told.limits.iter();
    let limit = limits.map(|state| {
        let reading = &state.reading;
        Limit {
            what: format!(
                "{} by {}, {} door",
                state.operation.name(),
                reading.scope().name(),
                state.lane.name()
            )
            .replace('_', " "),
            left: reading.remaining(),
            of: reading.limit(),
            window: span(reading.window()),
            level: if reading.remaining() == 0 {
                Level::Alarm
            } else {
                Level::Ok
            },
        }
    });
    limit.collect()
}

fn refusal(event: &Event, now: Timestamp) -> Refusal {
    let name = event.kind.name();
    Refusal {
        at: When::of(event.at, now),
        what: name.rsplit('.').next().unwrap_or(name),
        reason: event
            .reason
            .as_deref()
            .unwrap_or_default()
            .replace('_', " "),
        address: event.address.map(|address| address.to_string()),
    }
}
