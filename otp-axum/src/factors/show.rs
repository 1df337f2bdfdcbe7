use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::proof::{attempt, named};
use super::{Owners, Parts};
use crate::error::ApiError;
use crate::json::{Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::SignedIn;
use crate::sign_in::{NOT_VERIFIED, Welcome};
use crate::{Client, Refusal, member};

/// The body of a try: the code of an authenticator, or a recovery code in its place.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Shown {
    #[serde(alias = "code")]
    otp: Member,
    recovery_code: Member,
    attempt_id: Member,
}

pub(super) fn operation<O: Owners>() -> Operation {
    let text = || Schema::text().or_null();
    let shown = Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
        ("recovery_code?", text()),
        ("attempt_id?", text()),
    ]);
    Operation::post("Takes the code of an authenticator, or a recovery code")
        .takes(shown)
        .gives(200, Welcome::<O::User>::schema(O::user_schema()))
        .signed_in()
        .refuses([Refusal::OTP_REQUIRED, Refusal::INVALID_ATTEMPT_ID])
        .refuses(NOT_VERIFIED)
}

pub(super) async fn handle<O: Owners>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    StrictJson(shown): StrictJson<Shown>,
) -> Result<Json<Welcome<O::User>>, ApiError> {
    let attempt_id = member::attempt_id(&shown.attempt_id)?;
    let (verifier, subject) = (&parts.verifier, session.subject());
    let tried = |code| named(attempt(&session, code), attempt_id.as_ref());
    let typed = member::typed(&shown.otp);
    let recovery = member::typed(&shown.recovery_code);
    let factor = match (typed, recovery) {
        (Some(code), None) => verifier.verify_totp(subject, tried(code), &context).await?,
        (None, Some(code)) => {
            verifier
                .verify_recovery(subject, tried(code), &context)
                .await?
        }
        (None, None) => return Err(Refusal::OTP_REQUIRED.into()),
        (Some(_), Some(_)) => return Err(Refusal::MALFORMED.into()),
    };
    let begun = parts.stronger(&session, &factor, attempt_id, &context);
    begun.await.map(Json)
}
