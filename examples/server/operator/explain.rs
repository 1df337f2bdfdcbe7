//! `POST /admin/otp/explain`: why somebody is refused.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_kit::destination::Destination;
use otp_kit::event::Event;
use otp_kit::operator::Whom;
use otp_kit::quota::BudgetRefusal;
use otp_kit::request::{RequestContext, Tenant};
use serde_json::{Value, json};

use super::Desk;
use super::whom::Named;
use crate::answer::Declined;
use crate::app::App;
use crate::json::Strict;
use crate::time::Rfc3339;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    desk: Desk,
    Strict(named): Strict<Named>,
) -> Result<Json<Value>, Declined> {
    let operator = desk.operator(&app, named.reason())?;
    let whom = named.whom()?;
    let told = operator.explain(&whom).await?;
    let budgets = told.budgets.iter().map(|(class, reading)| {
        json!({
            "class": class.name(),
            "guesses": reading.budget.guesses.len(),
            "public": refused(reading.public.as_ref()),
            "known_device": refused(reading.known_device.as_ref()),
        })
    });
    let blocks = told.blocks.iter().map(super::blacklist::shown);
    Ok(Json(json!({
        "whom": told.whom.to_string(),
        "refused_by": told.reasons(),
        "budgets": budgets.collect::<Vec<_>>(),
        "limits": told.limits.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "blocks": blocks.collect::<Vec<_>>(),
        "live_challenges": told.live_challenges,
        "toll_fraud": toll_fraud(&app, &whom),
        "refusals": told.refusals.iter().map(line).collect::<Vec<_>>(),
    })))
}

/// Says what the toll-fraud guard of this instance would say to a start for a phone, from an
/// address that is not known.
fn toll_fraud(app: &App, whom: &Whom) -> Value {
    let Whom::Destination(Destination::Phone(phone)) = whom else {
        return Value::Null;
    };
    let (tenant, context) = (Tenant::default(), RequestContext::new());
    let verdict = app.verifier.explain_toll_fraud(&tenant, phone, &context);
    json!({
        "mode": app.verifier.policy().toll_fraud().mode().name(),
        "action": verdict.action.name(),
        "score": verdict.score(),
        "reasons": verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "exempt": verdict.exemption.is_some(),
    })
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
