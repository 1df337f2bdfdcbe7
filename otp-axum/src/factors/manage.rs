use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use otp_core::factor::{Factor, FactorId};
use otp_core::request::RequestContext;
use otp_core::session::Session;
use otp_core::verifier::Proven;
use serde::{Deserialize, Serialize};

use super::enrol::name;
use super::proof::attempt;
use super::{NOT_CHANGED, Owners, Parts};
use crate::error::ApiError;
use crate::json::{Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::SignedIn;
use crate::sign_in::NOT_VERIFIED;
use crate::time::Rfc3339;
use crate::{Client, PathPart, Refusal, member};

/// What an account is kept by, without a secret.
#[derive(Serialize)]
pub(super) struct Listed {
    factors: Vec<Shown>,
    recovery_codes_left: u32,
}

/// One authenticator.
#[derive(Serialize)]
struct Shown {
    factor_id: String,
    name: String,
    kind: &'static str,
    state: &'static str,
    enrolled_at: String,
    confirmed_at: Option<String>,
    used_at: Option<String>,
}

impl From<&Factor> for Shown {
    fn from(factor: &Factor) -> Self {
        let time = |at| Rfc3339::from(at).to_string();
        Self {
            factor_id: factor.id.to_string(),
            name: factor.name.to_string(),
            kind: factor.kind.name(),
            state: factor.state().name(),
            enrolled_at: time(factor.created_at),
            confirmed_at: factor.confirmed_at.map(time),
            used_at: factor.used_at.map(time),
        }
    }
}

pub(super) fn list_operation() -> Operation {
    let factor = Schema::object([
        ("factor_id", Schema::text()),
        ("name", Schema::text()),
        ("kind", Schema::word(["totp", "hotp"])),
        ("state", Schema::word(["pending", "active"])),
        ("enrolled_at", Schema::time()),
        ("confirmed_at", Schema::time().or_null()),
        ("used_at", Schema::time().or_null()),
    ]);
    let listed = Schema::object([
        ("factors", Schema::list(&factor)),
        ("recovery_codes_left", Schema::integer()),
    ]);
    Operation::get("Lists the authenticators of whoever is signed in")
        .gives(200, listed)
        .signed_in()
}

pub(super) async fn list<O: Owners>(
    State(parts): State<Parts<O>>,
    SignedIn(session): SignedIn,
) -> Result<Json<Listed>, ApiError> {
    let (tenant, subject) = (session.tenant(), session.subject());
    let factors = parts.verifier.list_factors(tenant, subject).await?;
    let recovery_codes_left = parts.verifier.recovery_left(tenant, subject).await?;
    Ok(Json(Listed {
        factors: factors.iter().map(Shown::from).collect(),
        recovery_codes_left,
    }))
}

/// The fresh proof of a change, where the session is none: a code of an authenticator, or a recovery
/// code.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Removal {
    #[serde(alias = "code")]
    otp: Member,
    recovery_code: Member,
}

fn proof() -> Schema {
    Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
        ("recovery_code?", Schema::text().or_null()),
    ])
}

pub(super) fn remove_operation() -> Operation {
    Operation::delete("Takes an authenticator away")
        .may_take(proof())
        .gives_nothing(204)
        .signed_in()
        .refuses([Refusal::NOT_FOUND])
        .refuses(NOT_CHANGED)
        .refuses(NOT_VERIFIED)
}

pub(super) async fn remove<O: Owners>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    PathPart(factor): PathPart,
    removal: Option<StrictJson<Removal>>,
) -> Result<StatusCode, ApiError> {
    let StrictJson(removal) = removal.unwrap_or_default();
    let factor = id(&factor)?;
    let proofs = [&removal.otp, &removal.recovery_code];
    let proven = parts.proven(&session, proofs, &context).await?;
    let removed = parts.verifier.remove_factor(factor, &proven, &context);
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The body of a new name, with the fresh proof.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Renaming {
    name: Member,
    #[serde(alias = "code")]
    otp: Member,
    recovery_code: Member,
}

pub(super) fn rename_operation() -> Operation {
    Operation::put("Calls an authenticator by another name")
        .takes(proof().with("name", Schema::some_text()))
        .gives_nothing(204)
        .signed_in()
        .refuses([Refusal::INVALID_FACTOR_NAME, Refusal::NOT_FOUND])
        .refuses(NOT_CHANGED)
        .refuses(NOT_VERIFIED)
}

pub(super) async fn rename<O: Owners>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    PathPart(factor): PathPart,
    StrictJson(renaming): StrictJson<Renaming>,
) -> Result<StatusCode, ApiError> {
    let name = name(&renaming.name)?.ok_or(Refusal::INVALID_FACTOR_NAME)?;
    let factor = id(&factor)?;
    let proofs = [&renaming.otp, &renaming.recovery_code];
    let proven = parts.proven(&session, proofs, &context).await?;
    let renamed = parts
        .verifier
        .rename_factor(factor, name, &proven, &context);
    renamed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads which one is meant. No text but an id is one of anybody's.
fn id(text: &str) -> Result<FactorId, Refusal> {
    text.parse().map_err(|_| Refusal::UNKNOWN_FACTOR)
}

impl<O> Parts<O> {
    /// Adds the code that a body brings to what the session proves.
    async fn proven(
        &self,
        session: &Session,
        [otp, recovery]: [&Member; 2],
        context: &RequestContext,
    ) -> Result<Proven, ApiError> {
        let (verifier, subject) = (&self.verifier, session.subject());
        let tried = |code| attempt(session, code);
        let shown = match (member::typed(otp), member::typed(recovery)) {
            (None, None) => return Ok(session.proven()),
            (Some(code), None) => verifier.verify_totp(subject, tried(code), context).await?,
            (None, Some(code)) => {
                verifier
                    .verify_recovery(subject, tried(code), context)
                    .await?
            }
            (Some(_), Some(_)) => return Err(Refusal::MALFORMED.into()),
        };
        let proven = session.proven().and(&shown);
        proven.map_err(|_| Refusal::INVALID_OTP.into())
    }
}
