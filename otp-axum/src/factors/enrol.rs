use axum::Json;
use axum::extract::State;
use otp_core::factor::{FactorName, OtpUri};
#[cfg(feature = "qr")]
use otp_core::secret::SecretString;
use otp_core::verifier::Enrolment;
use serde::{Deserialize, Serialize};

use super::once::Once;
use super::{NOT_CHANGED, Owners, Parts};
use crate::error::ApiError;
use crate::json::{Given, Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::SignedIn;
use crate::time::Rfc3339;
use crate::{Client, Refusal};

/// The body of an enrolment; it may be missing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    name: Member,
}

/// An enrolment that waits for its first code.
#[derive(Serialize)]
pub(super) struct Enrolled {
    factor_id: String,
    name: String,
    secret: Once,
    otpauth_uri: Once,
    qr_svg: Option<Once>,
    expires_at: String,
}

pub(super) fn operation() -> Operation {
    let text = || Schema::text().or_null();
    let enrolled = Schema::object([
        ("factor_id", Schema::text()),
        ("name", Schema::text()),
        ("secret", Schema::text()),
        ("otpauth_uri", Schema::text()),
        ("qr_svg", text()),
        ("expires_at", Schema::time()),
    ]);
    Operation::post("Begins the enrolment of an authenticator")
        .may_take(Schema::object([("name?", text())]))
        .gives(200, enrolled)
        .signed_in()
        .refuses([Refusal::INVALID_FACTOR_NAME, Refusal::CHANNEL_UNAVAILABLE])
        .refuses(NOT_CHANGED)
}

pub(super) async fn handle<O: Owners>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    wanted: Option<StrictJson<Wanted>>,
) -> Result<Json<Enrolled>, ApiError> {
    let StrictJson(wanted) = wanted.unwrap_or_default();
    let user = parts.owners.user(&session).await?;
    let enrolment = Enrolment::totp(parts.owners.account(&user)?);
    let enrolment = match name(&wanted.name)? {
        Some(name) => enrolment.named(name),
        None => enrolment,
    };
    let pending = parts
        .verifier
        .enrol_factor(enrolment, &session.proven(), &context)
        .await?;
    Ok(Json(Enrolled {
        factor_id: pending.id().to_string(),
        name: pending.name().to_string(),
        secret: Once::show(pending.secret().to_base32()),
        otpauth_uri: Once::show(pending.uri().to_text()),
        qr_svg: qr(pending.uri()),
        expires_at: Rfc3339::from(pending.expires_at()).to_string(),
    }))
}

/// Draws what an app scans, where the crate is built with it and it fits.
fn qr(uri: &OtpUri) -> Option<Once> {
    #[cfg(feature = "qr")]
    let drawn = uri
        .to_qr()
        .ok()
        .map(|code| SecretString::new(code.to_svg()));
    #[cfg(not(feature = "qr"))]
    let (drawn, _) = (None, uri);
    drawn.map(Once::show)
}

/// Reads the name of a factor, where it is given one.
pub(super) fn name(member: &Member) -> Result<Option<FactorName>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(name) => FactorName::new(name)
            .map(Some)
            .map_err(|_| Refusal::INVALID_FACTOR_NAME),
        Given::Wrong => Err(Refusal::INVALID_FACTOR_NAME),
    }
}
