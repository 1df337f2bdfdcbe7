//! `POST /api/v1/2fa/recovery-codes`: a new set, in the place of the old one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::factor::RecoverySet;
use otp_kit::request::RequestContext;
use otp_kit::verifier::Proven;
use serde::{Deserialize, Serialize};

use super::second_factor::NOT_CHANGED;
use super::session::SignedIn;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Member, Strict};
use otp_axum::member;
use otp_axum::sign_in::NOT_VERIFIED;

/// The body; it may be missing. A code of an authenticator is the fresh proof where the session is
/// none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Renewal {
    #[serde(alias = "code")]
    otp: Member,
}

/// The codes, as people write them down.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Codes(Vec<String>);

/// A set that is shown this once.
#[derive(Serialize)]
pub(crate) struct Renewed {
    recovery_codes: Codes,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let renewal = Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
    ]);
    let codes = Schema::list(&Schema::text());
    let renew = Operation::post("Draws a new set of recovery codes, in the place of the old one")
        .may_take(renewal)
        .gives(200, Schema::object([("recovery_codes", codes)]))
        .signed_in()
        .refuses(NOT_CHANGED)
        .refuses(NOT_VERIFIED);
    Api::new().operation("/api/v1/2fa/recovery-codes", renew, self::renew)
}

pub(crate) async fn renew(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    renewal: Option<Strict<Renewal>>,
) -> Result<Json<Renewed>, Declined> {
    let Strict(renewal) = renewal.unwrap_or_default();
    let mut proven = session.proven();
    if let Some(typed) = member::typed(&renewal.otp) {
        let shown = app
            .verifier
            .verify_totp(session.subject(), typed, &context)
            .await?;
        proven = proven.and(&shown).map_err(|_| Refusal::INVALID_OTP)?;
    }
    let set = app.verifier.regenerate_recovery(&proven, &context).await?;
    Ok(Json(Renewed {
        recovery_codes: Codes::of(&set),
    }))
}

/// Draws the first set, where an account has none. The factor is confirmed by then, so where this
/// fails the answer has no codes and the client asks for them again.
pub(super) async fn first(app: &App, proven: &Proven, context: &RequestContext) -> Option<Codes> {
    let left = app
        .verifier
        .recovery_left(proven.tenant(), proven.subject())
        .await;
    if !matches!(left, Ok(0)) {
        return None;
    }
    match app.verifier.regenerate_recovery(proven, context).await {
        Ok(set) => Some(Codes::of(&set)),
        Err(error) => {
            tracing::warn!(%error, "no recovery codes were drawn");
            None
        }
    }
}

impl Codes {
    fn of(set: &RecoverySet) -> Self {
        let texts = set.codes().iter().map(|code| code.to_text());
        Self(texts.map(|text| text.expose().to_owned()).collect())
    }
}
