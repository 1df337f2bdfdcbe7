//! `GET /admin/otp/audit`: the records, a JSON object a line. `?after=` goes on behind a line.
//!
//! Where the verifier has a sealer it is an export with the chain, which ends in a checkpoint. What
//! is not in one answer any more, the header `Link` (RFC 8288) leads to as `rel="next"`.

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, LINK};
use axum::response::{IntoResponse, Response};
use otp_core::store::OutboxEntry;
use otp_core::verifier::Verifier;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use crate::openapi::{Api, Operation, Schema};
use crate::time::Rfc3339;
use crate::{ApiError, Refusal};

const LINES: &str = "application/x-ndjson";
/// The most lines of an answer.
const MOST: usize = 10_000;

/// Where to begin, and how much to give.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Page {
    after: Option<u64>,
    limit: Option<usize>,
}

pub(super) fn routes() -> Api<Verifier> {
    let export = Operation::get("Exports the audit records, a JSON object a line")
        .query(
            "after",
            Schema::integer().about("go on behind this sequence"),
        )
        .query("limit", Schema::integer())
        .gives_as(200, LINES, Schema::text())
        .at_desk()
        .refuses([Refusal::UNKNOWN_QUERY]);
    Api::new().operation("/admin/otp/audit", export, handle)
}

pub(super) async fn handle(
    State(verifier): State<Verifier>,
    desk: Desk,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(page) = page.map_err(|_| Refusal::UNKNOWN_QUERY)?;
    let operator = desk.operator(&verifier, None)?;
    if let Some(export) = operator.export(page.after, page.limit).await? {
        let mut response = lines(export.to_string());
        if let Some(link) = export.next().and_then(link_to) {
            response.headers_mut().insert(LINK, link);
        }
        return Ok(response);
    }
    let limit = page.limit.unwrap_or(MOST).min(MOST);
    let entries = operator.records(page.after, limit).await?;
    let text = entries.iter().map(|entry| format!("{}\n", line(entry)));
    let mut response = lines(text.collect());
    let last = entries.last().filter(|_| entries.len() == limit);
    if let Some(link) = last.and_then(|entry| link_to(entry.sequence)) {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

fn lines(text: String) -> Response {
    let mut response = text.into_response();
    let kind = HeaderValue::from_static(LINES);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn link_to(after: u64) -> Option<HeaderValue> {
    let link = format!("</admin/otp/audit?after={after}>; rel=\"next\"");
    HeaderValue::from_str(&link).ok()
}

fn line(entry: &OutboxEntry) -> Value {
    let event = &entry.event;
    json!({
        "sequence": entry.sequence,
        "id": event.id.to_string(),
        "at": Rfc3339::from(event.at).to_string(),
        "event": event.kind.name(),
        "action": event.action(),
        "outcome": event.outcome.name(),
        "reason": event.reason,
        "tenant": event.tenant.as_str(),
        "user_id": event.subject.as_ref().map(|subject| subject.user_id()),
        "challenge": event.challenge,
        "purpose": event.purpose.as_ref().map(|purpose| purpose.as_str()),
        "channel": event.channel.map(|channel| channel.name()),
        "to": event.destination,
        "ip": event.address,
        "provider": event.provider,
        "request_id": event.request_id.as_ref().map(|id| id.as_str()),
        "operator": event.act.as_ref().map(|act| act.operator.as_str()),
        "why": event.act.as_ref().map(|act| act.reason.as_str()),
    })
}
