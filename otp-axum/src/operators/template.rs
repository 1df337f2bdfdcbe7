//! `/admin/otp/template`: what an operator knows of a template whose vendor says nothing.

use axum::Json;
use axum::extract::State;
use otp_core::delivery::TemplateState;
use otp_core::destination::Channel;
use otp_core::operator::Mode;
use otp_core::verifier::{TemplateError, Verifier};
use serde::Deserialize;

use super::{Desk, Done};
use crate::openapi::{Api, Operation, Schema};
use crate::{ApiError, Refusal, StrictJson};

const STATES: [TemplateState; 5] = [
    TemplateState::Approved,
    TemplateState::Pending,
    TemplateState::Rejected,
    TemplateState::Paused,
    TemplateState::Disabled,
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    channel: String,
    state: String,
    reason: Option<String>,
}

pub(super) fn routes() -> Api<Verifier> {
    let wanted = Schema::object([
        ("channel", Schema::text()),
        ("state", Schema::word(STATES.map(TemplateState::name))),
        ("reason?", Schema::text().or_null()),
    ]);
    let declare = Operation::post("Says where a channel's template stands, on the whole fleet")
        .takes(wanted)
        .gives(200, Done::schema())
        .at_desk()
        .refuses([Refusal::UNKNOWN_CHANNEL, Refusal::INVALID_TEMPLATE]);
    Api::new().operation("/admin/otp/template", declare, self::declare)
}

/// A template's own webhook says the same; this is for one that was missed, or that never comes.
async fn declare(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(declared): StrictJson<Declared>,
) -> Result<Json<Done>, ApiError> {
    let state = TemplateState::from_name(&declared.state);
    let state = state.ok_or(Refusal::INVALID_TEMPLATE)?;
    let channel: Option<Channel> = declared.channel.parse().ok();
    let templates = verifier.templates();
    let status = templates.status();
    let named = status.iter().find(|one| Some(one.channel) == channel);
    let named = named.ok_or(Refusal::UNKNOWN_CHANNEL)?;
    let operator = desk.operator(&verifier, declared.reason.as_deref())?;
    operator.record("declare_template").await?;
    if desk.mode() == Mode::Apply {
        let done = templates.declare(named.channel, state).await;
        done.map_err(|error| match error {
            TemplateError::Unavailable(error) => error.into(),
            _ => ApiError::from(Refusal::UNKNOWN_CHANNEL),
        })?;
    }
    let what = format!("{} {} {state}", named.channel.name(), named.template);
    Ok(Done::one(desk.mode(), what))
}
