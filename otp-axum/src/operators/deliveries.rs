//! `GET /admin/otp/deliveries/failed` lists what nobody got, `POST /admin/otp/deliveries/resend`
//! sends it again.

use std::ops::Range;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use otp_core::clock::Timestamp;
use otp_core::operator::{Count, FailedDelivery, Mode, NotResent, Resending};
use otp_core::verifier::Verifier;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use crate::openapi::{Api, Operation, Schema};
use crate::time::{self, Rfc3339};
use crate::{ApiError, Refusal, StrictJson};

/// How far back it is looked where nobody says since when.
const LATELY: Duration = Duration::from_secs(3_600);
/// The most that one answer lists, and the most persons that one call sends to.
const MOST: usize = 1_000;

/// From when until when: RFC 3339, or seconds since 1970; the last hour where nothing is said.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listed {
    from: Option<String>,
    until: Option<String>,
    limit: Option<usize>,
}

/// Whom to send to.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Meant {
    from: Option<Moment>,
    until: Option<Moment>,
    limit: Option<usize>,
    note: Option<String>,
    reason: Option<String>,
}

/// A time in a body.
#[derive(Deserialize)]
#[serde(untagged)]
enum Moment {
    Seconds(i64),
    Text(String),
}

pub(super) fn routes() -> Api<Verifier> {
    let listed = Schema::object([
        ("from", Schema::time()),
        ("until", Schema::time()),
        ("failed", Schema::list(&schema())),
    ]);
    let moment = || Schema::text().about("RFC 3339, or seconds since 1970");
    let failed = Operation::get("Lists what nobody got")
        .query("from", moment())
        .query("until", moment())
        .query("limit", Schema::integer())
        .gives(200, listed)
        .at_desk()
        .refuses([Refusal::UNKNOWN_QUERY, Refusal::INVALID_TIME]);
    let in_body = || Schema::either([moment(), Schema::integer()]).or_null();
    let meant = Schema::object([
        ("from?", in_body()),
        ("until?", in_body()),
        ("limit?", Schema::integer().or_null()),
        ("note?", Schema::text().or_null()),
        ("reason?", Schema::text().or_null()),
    ]);
    let resend = Operation::post("Sends a fresh code to whoever got none")
        .takes(meant)
        .gives(200, resent())
        .at_desk()
        .refuses([Refusal::INVALID_TIME]);
    Api::new()
        .operation("/admin/otp/deliveries/failed", failed, self::failed)
        .operation("/admin/otp/deliveries/resend", resend, self::resend)
}

fn schema() -> Schema {
    Schema::object([
        ("id", Schema::text()),
        ("user_id", Schema::text().or_null()),
        ("to", Schema::text()),
        ("purpose", Schema::text()),
        ("channel", Schema::text()),
        ("provider", Schema::text().or_null()),
        ("kind", Schema::text()),
        ("reason", Schema::text().or_null()),
        ("created_at", Schema::time()),
        ("failed_at", Schema::time()),
        ("resent_at", Schema::time().or_null()),
    ])
}

fn resent() -> Schema {
    let refused = Schema::object([("why", Schema::text()), ("delivery", schema())]);
    Schema::object([
        ("status", Schema::word(["ok"])),
        ("dry_run", Schema::flag()),
        ("count", Schema::integer()),
        ("more", Schema::flag()),
        ("messages", Schema::integer()),
        ("reached", Schema::integer()),
        ("unwanted", Schema::integer()),
        ("refusals", Schema::map(&Schema::integer())),
        ("refused", Schema::list(&refused)),
        ("sample", Schema::list(&Schema::text())),
    ])
}

pub(super) async fn failed(
    State(verifier): State<Verifier>,
    desk: Desk,
    listed: Result<Query<Listed>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(listed) = listed.map_err(|_| Refusal::UNKNOWN_QUERY)?;
    let at = |text: Option<&String>| text.map(|text| moment(text)).transpose();
    let (from, until) = (at(listed.from.as_ref())?, at(listed.until.as_ref())?);
    let window = window(&verifier, from, until).await?;
    let limit = listed.limit.unwrap_or(MOST).min(MOST);
    let operator = desk.operator(&verifier, None)?;
    let found = operator.failed_deliveries(window.clone(), limit).await?;
    Ok(Json(json!({
        "from": Rfc3339::from(window.start).to_string(),
        "until": Rfc3339::from(window.end).to_string(),
        "failed": found.iter().map(shown).collect::<Vec<_>>(),
    })))
}

pub(super) async fn resend(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(meant): StrictJson<Meant>,
) -> Result<Json<Value>, ApiError> {
    let at = |moment: Option<&Moment>| moment.map(Moment::read).transpose();
    let (from, until) = (at(meant.from.as_ref())?, at(meant.until.as_ref())?);
    let window = window(&verifier, from, until).await?;
    let limit = meant.limit.unwrap_or(MOST).min(MOST);
    let operator = desk.operator(&verifier, meant.reason.as_deref().or(meant.note.as_deref()))?;
    Ok(Json(told(&operator.resend_failed(window, limit).await?)))
}

impl Moment {
    fn read(&self) -> Result<Timestamp, Refusal> {
        match self {
            Self::Text(text) => moment(text),
            Self::Seconds(seconds) => of_seconds(*seconds),
        }
    }
}

fn moment(text: &str) -> Result<Timestamp, Refusal> {
    match text.parse() {
        Ok(seconds) => of_seconds(seconds),
        Err(_) => time::parse(text).ok_or(Refusal::INVALID_TIME),
    }
}

fn of_seconds(seconds: i64) -> Result<Timestamp, Refusal> {
    let millis = seconds.checked_mul(1_000).filter(|_| seconds >= 0);
    millis
        .map(Timestamp::from_millis)
        .ok_or(Refusal::INVALID_TIME)
}

/// By the store's clock, up to now and with it.
async fn window(
    verifier: &Verifier,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Result<Range<Timestamp>, ApiError> {
    let now = verifier.store().ping().await?;
    let until = until.unwrap_or_else(|| now.saturating_add(Duration::from_secs(1)));
    let from = from.unwrap_or_else(|| now.saturating_sub(LATELY));
    Ok(from..until.max(from))
}

fn shown(failed: &FailedDelivery) -> Value {
    json!({
        "id": failed.id.as_str(),
        "user_id": failed.subject.user_id(),
        "to": failed.to,
        "purpose": failed.purpose.as_str(),
        "channel": failed.channel.name(),
        "provider": failed.provider,
        "kind": failed.kind.name(),
        "reason": failed.reason,
        "created_at": Rfc3339::from(failed.created_at).to_string(),
        "failed_at": Rfc3339::from(failed.failed_at).to_string(),
        "resent_at": failed.resent_at.map(|at| Rfc3339::from(at).to_string()),
    })
}

fn told(resending: &Resending) -> Value {
    let refused = |refused: &NotResent| json!({ "why": refused.why.name(), "delivery": shown(&refused.delivery) });
    json!({
        "status": "ok",
        "dry_run": resending.mode == Mode::Preview,
        "count": resending.persons.number(),
        "more": matches!(resending.persons, Count::AtLeast(_)),
        "messages": resending.messages,
        "reached": resending.reached,
        "unwanted": resending.unwanted,
        "refusals": resending.refusals(),
        "refused": resending.refused.iter().map(refused).collect::<Vec<_>>(),
        "sample": resending.sample,
    })
}
