use axum::Json;
use axum::extract::State;
use otp_core::request::RequestContext;
use otp_core::verifier::Proven;
use serde::{Deserialize, Serialize};

use super::once::Codes;
use super::proof::attempt;
use super::{NOT_CHANGED, Owners, Parts};
use crate::error::ApiError;
use crate::json::{Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::SignedIn;
use crate::sign_in::NOT_VERIFIED;
use crate::{Client, Refusal, member};

/// The body; it may be missing. A code of an authenticator is the fresh proof where the session is
/// none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Renewal {
    #[serde(alias = "code")]
    otp: Member,
}

/// A set that is shown this once.
#[derive(Serialize)]
pub(super) struct Renewed {
    recovery_codes: Codes,
}

pub(super) fn operation() -> Operation {
    let renewal = Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
    ]);
    let codes = Schema::list(&Schema::text());
    Operation::post("Draws a new set of recovery codes, in the place of the old one")
        .may_take(renewal)
        .gives(200, Schema::object([("recovery_codes", codes)]))
        .signed_in()
        .refuses(NOT_CHANGED)
        .refuses(NOT_VERIFIED)
}

pub(super) async fn handle<O: Owners>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    renewal: Option<StrictJson<Renewal>>,
) -> Result<Json<Renewed>, ApiError> {
    let StrictJson(renewal) = renewal.unwrap_or_default();
    let mut proven = session.proven();
    if let Some(typed) = member::typed(&renewal.otp) {
        let tried = attempt(&session, typed);
        let shown = parts
            .verifier
            .verify_totp(session.subject(), tried, &context);
        proven = proven
            .and(&shown.await?)
            .map_err(|_| Refusal::INVALID_OTP)?;
    }
    let set = parts.verifier.regenerate_recovery(&proven, &context);
    let recovery_codes = Codes::of(&set.await?);
    Ok(Json(Renewed { recovery_codes }))
}

impl<O> Parts<O> {
    /// Draws the first set, where an account has none. The factor is confirmed by then, so where
    /// this fails the answer has no codes and the client asks for them again.
    pub(super) async fn first_codes(
        &self,
        proven: &Proven,
        context: &RequestContext,
    ) -> Option<Codes> {
        let verifier = &self.verifier;
        let left = verifier.recovery_left(proven.tenant(), proven.subject());
        if !matches!(left.await, Ok(0)) {
            return None;
        }
        match verifier.regenerate_recovery(proven, context).await {
            Ok(set) => Some(Codes::of(&set)),
            Err(error) => {
                tracing::warn!(%error, "no recovery codes were drawn");
                None
            }
        }
    }
}
