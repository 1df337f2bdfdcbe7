//! `POST /admin/otp/explain`: why somebody is refused.

use axum::Json;
use axum::extract::State;
use otp_core::destination::Destination;
use otp_core::event::Event;
use otp_core::operator::Whom;
use otp_core::quota::BudgetRefusal;
use otp_core::request::{RequestContext, Tenant};
use otp_core::verifier::Verifier;
use serde_json::{Value, json};

use super::Desk;
use super::whom::Named;
use crate::openapi::{Api, Operation, Schema};
use crate::time::Rfc3339;
use crate::{ApiError, StrictJson};

pub(super) fn routes() -> Api<Verifier> {
    let explain = Operation::post("Says why somebody is refused")
        .takes(Named::schema())
        .gives(200, schema())
        .at_desk()
        .refuses(Named::REFUSALS);
    Api::new().operation("/admin/otp/explain", explain, handle)
}

fn schema() -> Schema {
    let texts = Schema::list(&Schema::text());
    let locked = Schema::object([("locked_until", Schema::time())]);
    let state = Schema::either([Schema::word(["open", "disabled"]), locked]);
    let budget = Schema::object([
        (
            "whom",
            Schema::text().about("the account, or one of its addresses"),
        ),
        ("class", Schema::text()),
        ("guesses", Schema::integer()),
        ("public", state.clone()),
        ("known_device", state),
    ]);
    let toll_fraud = Schema::object([
        ("mode", Schema::text()),
        ("action", Schema::text()),
        ("score", Schema::integer()),
        ("reasons", texts.clone()),
        ("exempt", Schema::flag()),
    ]);
    let refusal = Schema::object([
        ("at", Schema::time()),
        ("event", Schema::text()),
        ("reason", Schema::text().or_null()),
        ("ip", Schema::text().or_null()),
    ]);
    Schema::object([
        ("whom", Schema::text()),
        (
            "recorded_as",
            texts
                .clone()
                .about("what logs and records name them as user_id"),
        ),
        ("captcha", texts.clone()),
        ("allowed", Schema::text().or_null()),
        ("refused_by", texts.clone()),
        ("budgets", Schema::list(&budget)),
        ("limits", texts),
        ("blocks", Schema::list(&super::blacklist::schema())),
        ("live_challenges", Schema::integer()),
        ("toll_fraud", toll_fraud.or_null()),
        ("refusals", Schema::list(&refusal)),
    ])
}

pub(super) async fn handle(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(named): StrictJson<Named>,
) -> Result<Json<Value>, ApiError> {
    let operator = desk.operator(&verifier, named.reason())?;
    let whom = named.whom()?;
    let mut told = operator.explain(&whom).await?;
    let everything = desk.everything_of(whom).await?;
    for also in everything.iter().skip(1) {
        told = told.and(operator.explain(also).await?);
    }
    let budgets = told.budgets.iter().map(|budget| {
        let reading = &budget.reading;
        json!({
            "whom": budget.whom.to_string(),
            "class": budget.class.name(),
            "guesses": reading.budget.guesses.len(),
            "public": refused(reading.public.as_ref()),
            "known_device": refused(reading.known_device.as_ref()),
        })
    });
    let blocks = told.blocks.iter().map(super::blacklist::shown);
    Ok(Json(json!({
        "whom": told.whom.to_string(),
        "recorded_as": everything.iter().filter_map(recorded_as).collect::<Vec<_>>(),
        "refused_by": told.reasons(),
        "budgets": budgets.collect::<Vec<_>>(),
        "limits": told.limits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "blocks": blocks.collect::<Vec<_>>(),
        "captcha": told.captcha.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "allowed": told.allowed.as_ref().map(ToString::to_string),
        "live_challenges": told.live_challenges,
        "toll_fraud": toll_fraud(&verifier, &everything),
        "refusals": told.refusals.iter().map(line).collect::<Vec<_>>(),
    })))
}

/// Says what the toll-fraud guard of this instance would say to a start for a phone, from an
/// address that is not known.
fn toll_fraud(verifier: &Verifier, everything: &[Whom]) -> Value {
    let phone = everything.iter().find_map(|whom| match whom {
        Whom::Destination(Destination::Phone(phone)) => Some(phone),
        _ => None,
    });
    let Some(phone) = phone else {
        return Value::Null;
    };
    let (tenant, context) = (Tenant::default(), RequestContext::new());
    let verdict = verifier.explain_toll_fraud(&tenant, phone, &context);
    json!({
        "mode": verifier.policy().toll_fraud().mode().name(),
        "action": verdict.action.name(),
        "score": verdict.score(),
        "reasons": verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "exempt": verdict.exemption.is_some(),
    })
}

/// Gives the `user_id` of their records; an address has none.
fn recorded_as(whom: &Whom) -> Option<String> {
    whom.subject_key().map(|key| key.user_id().to_owned())
}

fn refused(refusal: Option<&BudgetRefusal>) -> Value {
    match refusal {
        None => json!("open"),
        Some(BudgetRefusal::Locked { until }) => {
            json!({ "locked_until": Rfc3339::from(*until).to_string() })
        }
        Some(_) => json!("disabled"),
    }
}

fn line(event: &Event) -> Value {
    json!({
        "at": Rfc3339::from(event.at).to_string(),
        "event": event.kind.name(),
        "reason": event.reason,
        "ip": event.address,
    })
}
