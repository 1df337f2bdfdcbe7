//! `/admin/otp/blacklist` and its kin: who is kept out.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use otp_core::operator::BlockList;
use otp_core::store::{Block, BlockEntry, BlockKind};
use otp_core::verifier::{Unavailable, Verifier};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, Done};
use crate::openapi::{Api, Operation, Schema};
use crate::time::Rfc3339;
use crate::{ApiError, Refusal, StrictJson};

/// The most bytes of an import.
const LARGEST: usize = 1024 * 1024;
/// The most entries of a listing.
const LISTED: usize = 1_000;
/// Ten years; who means longer leaves it out.
const LONGEST: u64 = 3_650 * 86_400;

const KINDS: [BlockKind; 6] = [
    BlockKind::Phone,
    BlockKind::Prefix,
    BlockKind::Email,
    BlockKind::Domain,
    BlockKind::Ip,
    BlockKind::Device,
];

/// One entry, as the runbooks write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    r#type: String,
    value: String,
    note: Option<String>,
    reason: Option<String>,
    expires_in: Option<u64>,
}

/// A client address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    ip: String,
    reason: Option<String>,
    expires_in: Option<u64>,
}

/// A whole list as a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Import {
    list: String,
    reason: Option<String>,
}

pub(super) fn routes() -> Api<Verifier> {
    const PATH: &str = "/admin/otp/blacklist";
    let listed = Schema::object([("entries", Schema::list(&schema()))]);
    let list = Operation::get("Lists who is kept out").gives(200, listed);
    let add = Operation::post("Keeps somebody out").takes(entry());
    let remove = Operation::delete("Lets somebody in again").takes(entry());
    let address = Schema::object([
        ("ip", Schema::text()),
        ("reason?", Schema::text().or_null()),
        ("expires_in?", Schema::within(1, LONGEST).or_null()),
    ]);
    let add_address = Operation::post("Keeps a client address or a network out")
        .takes(address)
        .refuses([Refusal::INVALID_IP, Refusal::INVALID_EXPIRY]);
    let list_of = Schema::object([
        ("list", Schema::text()),
        ("reason?", Schema::text().or_null()),
    ]);
    let import = Operation::post("Takes a whole list, or nothing of it")
        .takes(list_of)
        .up_to(LARGEST)
        .refuses([Refusal::INVALID_LIST]);
    let export = Operation::get("Gives the whole list").gives_as(200, "text/csv", Schema::text());
    let wrong = [Refusal::INVALID_BLOCK, Refusal::INVALID_EXPIRY];
    let done = |operation: Operation| operation.gives(200, Done::schema()).at_desk();
    Api::new()
        .operation(PATH, list.at_desk(), self::list)
        .operation(PATH, done(add).refuses(wrong), self::add)
        .operation(PATH, done(remove).refuses(wrong), self::remove)
        .operation(&format!("{PATH}/export"), export.at_desk(), self::export)
        .operation(&format!("{PATH}/import"), done(import), self::import)
        .operation(
            "/admin/api/v1/blocklist/ip",
            done(add_address),
            self::add_address,
        )
}

fn entry() -> Schema {
    Schema::object([
        ("type", Schema::word(KINDS.map(BlockKind::name))),
        ("value", Schema::text()),
        ("note?", Schema::text().or_null()),
        ("reason?", Schema::text().or_null()),
        ("expires_in?", Schema::within(1, LONGEST).or_null()),
    ])
}

/// Describes an entry as it is shown.
pub(super) fn schema() -> Schema {
    Schema::object([
        ("type", Schema::text()),
        ("value", Schema::text()),
        ("note", Schema::text()),
        ("author", Schema::text()),
        ("added_at", Schema::time()),
        ("expires_at", Schema::time().or_null()),
    ])
}

impl Entry {
    fn blocks(&self) -> Result<Vec<Block>, Refusal> {
        let kind = BlockKind::from_name(&self.r#type).ok_or(Refusal::INVALID_BLOCK)?;
        Block::covering(kind, &self.value).map_err(|_| Refusal::INVALID_BLOCK)
    }

    fn reason(&self) -> Option<&str> {
        self.note.as_deref().or(self.reason.as_deref())
    }
}

fn life(seconds: Option<u64>) -> Result<Option<Duration>, Refusal> {
    match seconds {
        None => Ok(None),
        Some(seconds @ 1..=LONGEST) => Ok(Some(Duration::from_secs(seconds))),
        Some(_) => Err(Refusal::INVALID_EXPIRY),
    }
}

pub(super) async fn add(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(entry): StrictJson<Entry>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, entry.reason())?;
    let (blocks, life) = (entry.blocks()?, life(entry.expires_in)?);
    Ok(Done::of(operator.block(&blocks, life).await?))
}

pub(super) async fn add_address(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(address): StrictJson<Address>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, address.reason.as_deref())?;
    let blocks = Block::covering(BlockKind::Ip, &address.ip);
    let blocks = blocks.map_err(|_| Refusal::INVALID_IP)?;
    let life = life(address.expires_in)?;
    Ok(Done::of(operator.block(&blocks, life).await?))
}

pub(super) async fn remove(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(entry): StrictJson<Entry>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, entry.reason())?;
    Ok(Done::of(operator.unblock(&entry.blocks()?).await?))
}

pub(super) async fn list(
    State(verifier): State<Verifier>,
    desk: Desk,
) -> Result<Json<Value>, ApiError> {
    let entries = desk.operator(&verifier, None)?.blocks(LISTED).await?;
    let entries: Vec<Value> = entries.iter().map(shown).collect();
    Ok(Json(json!({ "entries": entries })))
}

/// Takes the whole list, or says which line is wrong and takes nothing. Where the store fails on
/// the way, `x-written` says how many entries it has; one who hangs up stops nothing.
pub(super) async fn import(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(import): StrictJson<Import>,
) -> Result<Response, ApiError> {
    let operator = desk.operator(&verifier, import.reason.as_deref())?;
    let list = match BlockList::parse(&import.list) {
        Ok(list) => list,
        Err(wrong) => {
            tracing::info!(
                line = wrong.line,
                "a blocklist was not taken: {}",
                wrong.why
            );
            let mut refused = Refusal::INVALID_LIST.into_response();
            let line = HeaderValue::from(u64::try_from(wrong.line).unwrap_or(u64::MAX));
            refused.headers_mut().insert("x-line", line);
            return Ok(refused);
        }
    };
    let done = match operator.import_blocks(&list).await {
        Ok(done) => done,
        Err(error) => {
            let written = error.written();
            tracing::warn!(written, "a blocklist was taken in part");
            let mut refused = ApiError::from(Unavailable::from(error)).into_response();
            let headers = refused.headers_mut();
            headers.insert("x-written", HeaderValue::from(written));
            return Ok(refused);
        }
    };
    Ok(Done::of(done).into_response())
}

pub(super) async fn export(
    State(verifier): State<Verifier>,
    desk: Desk,
) -> Result<Response, ApiError> {
    let list = desk.operator(&verifier, None)?.export_blocks().await?;
    let mut response = list.to_text().into_response();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

/// An entry, with its value in full: whoever takes it off again must be able to name it.
pub(super) fn shown(entry: &BlockEntry) -> Value {
    json!({
        "type": entry.block.kind().name(),
        "value": entry.block.value(),
        "note": entry.note,
        "author": entry.author,
        "added_at": Rfc3339::from(entry.added_at).to_string(),
        "expires_at": entry.expires_at.map(|at| Rfc3339::from(at).to_string()),
    })
}
