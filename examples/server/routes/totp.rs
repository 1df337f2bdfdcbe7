//! `POST /api/v1/2fa/totp/enrol`, `.../confirm` and `.../verify`: an authenticator, by whoever is
//! signed in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::factor::{FactorId, FactorName, FactorState, OtpAccount};
use otp_kit::random::OsRandom;
use otp_kit::session::Session;
use otp_kit::verifier::Enrolment;
use serde::{Deserialize, Serialize};

use super::recovery_codes::{self, Codes};
use super::second_factor::{self, NOT_CHANGED, stronger};
use super::session::SignedIn;
use super::sign_in::SignedIn as SignedAs;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use crate::time::Rfc3339;
use crate::users::User;
use otp_axum::member;
use otp_axum::sign_in::NOT_VERIFIED;

/// What apps show beside the code.
const ISSUER: &str = "otp-kit";

/// The body of an enrolment; it may be missing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    name: Member,
}

/// An enrolment that waits for its first code. The secret is shown this once.
#[derive(Serialize)]
pub(crate) struct Enrolled {
    factor_id: String,
    name: String,
    secret: String,
    otpauth_uri: String,
    qr_svg: Option<String>,
    expires_at: String,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let text = || Schema::text().or_null();
    let enrolled = Schema::object([
        ("factor_id", Schema::text()),
        ("name", Schema::text()),
        ("secret", Schema::text()),
        ("otpauth_uri", Schema::text()),
        ("qr_svg", text()),
        ("expires_at", Schema::time()),
    ]);
    let enrol = Operation::post("Begins the enrolment of an authenticator")
        .may_take(Schema::object([("name?", text())]))
        .gives(200, enrolled)
        .signed_in()
        .refuses([Refusal::INVALID_FACTOR_NAME, Refusal::CHANNEL_UNAVAILABLE])
        .refuses(NOT_CHANGED);
    let otp = [
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
    ];
    let first = Schema::object(otp.clone()).with("factor_id?", text());
    let confirmed = SignedAs::schema(User::schema())
        .with("factor_id", Schema::text())
        .with("recovery_codes?", Schema::list(&Schema::text()));
    let confirm = Operation::post("Takes the first code of an authenticator")
        .takes(first)
        .gives(200, confirmed)
        .signed_in()
        .refuses([Refusal::OTP_REQUIRED])
        .refuses(NOT_CHANGED)
        .refuses(NOT_VERIFIED);
    let shown = Schema::object(otp)
        .with("recovery_code?", text())
        .with("attempt_id?", text());
    let verify = Operation::post("Takes the code of an authenticator, or a recovery code")
        .takes(shown)
        .gives(200, SignedAs::schema(User::schema()))
        .signed_in()
        .refuses([Refusal::OTP_REQUIRED, Refusal::INVALID_ATTEMPT_ID])
        .refuses(NOT_VERIFIED);
    Api::new()
        .operation("/api/v1/2fa/totp/enrol", enrol, self::enrol)
        .operation("/api/v1/2fa/totp/confirm", confirm, self::confirm)
        .operation("/api/v1/2fa/totp/verify", verify, self::verify)
}

pub(crate) async fn enrol(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    wanted: Option<Strict<Wanted>>,
) -> Result<Json<Enrolled>, Declined> {
    let Strict(wanted) = wanted.unwrap_or_default();
    let user = second_factor::user(&app, &session).await?;
    let account = OtpAccount::new(ISSUER, &user.email).map_err(|_| Refusal::CHANNEL_UNAVAILABLE)?;
    let enrolment = match name(&wanted.name)? {
        Some(name) => Enrolment::totp(account).named(name),
        None => Enrolment::totp(account),
    };
    let pending = app
        .verifier
        .enrol_factor(enrolment, &session.proven(), &context)
        .await?;
    Ok(Json(Enrolled {
        factor_id: pending.id().to_string(),
        name: pending.name().to_string(),
        secret: pending.secret().to_base32().expose().to_owned(),
        otpauth_uri: pending.uri().to_text().expose().to_owned(),
        qr_svg: pending.uri().to_qr().ok().map(|code| code.to_svg()),
        expires_at: Rfc3339::from(pending.expires_at()).to_string(),
    }))
}

fn name(member: &Member) -> Result<Option<FactorName>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(name) => FactorName::new(name)
            .map(Some)
            .map_err(|_| Refusal::INVALID_FACTOR_NAME),
        Given::Wrong => Err(Refusal::INVALID_FACTOR_NAME),
    }
}

/// The body of a confirmation; `code` is another name of `otp`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct First {
    factor_id: Member,
    #[serde(alias = "code")]
    otp: Member,
}

/// A factor that counts from now on, the recovery codes where there were none, and the tokens of a
/// session that has shown it.
#[derive(Serialize)]
pub(crate) struct Confirmed {
    factor_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Codes>,
    #[serde(flatten)]
    signed_in: SignedAs,
}

pub(crate) async fn confirm(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    Strict(first): Strict<First>,
) -> Result<Json<Confirmed>, Declined> {
    let typed = member::typed(&first.otp).ok_or(Refusal::OTP_REQUIRED)?;
    let factor = meant(&app, &session, &first.factor_id).await?;
    let shown = app
        .verifier
        .confirm_factor(session.subject(), factor, typed, &context)
        .await?;
    let proven = session.proven().and(&shown);
    let proven = proven.map_err(|_| Refusal::INVALID_OTP)?;
    let recovery_codes = recovery_codes::first(&app, &proven, &context).await;
    let signed_in = stronger(&app, &session, &shown, &context).await?;
    Ok(Json(Confirmed {
        factor_id: factor.to_string(),
        recovery_codes,
        signed_in,
    }))
}

/// Says which enrolment is meant: the one that is named, else the newest that waits. Where there is
/// none, one that nobody has: it takes the way of a wrong code.
async fn meant(app: &App, session: &Session, named: &Member) -> Result<FactorId, Declined> {
    let named = match named.given() {
        Given::Text(id) => id.parse().ok(),
        Given::Wrong => None,
        Given::Nothing => {
            let factors = app
                .verifier
                .list_factors(session.tenant(), session.subject())
                .await?;
            let mut waiting = factors.iter().rev();
            let newest = waiting.find(|factor| factor.state() == FactorState::Pending);
            newest.map(|factor| factor.id)
        }
    };
    match named {
        Some(id) => Ok(id),
        None => FactorId::generate(&OsRandom).map_err(|_| Refusal::UNAVAILABLE.into()),
    }
}

/// The body of a try: the code of an authenticator, or a recovery code in its place.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Shown {
    #[serde(alias = "code")]
    otp: Member,
    recovery_code: Member,
    attempt_id: Member,
}

pub(crate) async fn verify(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    Strict(shown): Strict<Shown>,
) -> Result<Json<SignedAs>, Declined> {
    // Taken as everywhere, and of no use: whose answer is lost types the next code.
    member::attempt_id(&shown.attempt_id)?;
    let (verifier, subject) = (&app.verifier, session.subject());
    let typed = member::typed(&shown.otp);
    let recovery = member::typed(&shown.recovery_code);
    let factor = match (typed, recovery) {
        (Some(code), None) => verifier.verify_totp(subject, code, &context).await?,
        (None, Some(code)) => verifier.verify_recovery(subject, code, &context).await?,
        (None, None) => return Err(Refusal::OTP_REQUIRED.into()),
        (Some(_), Some(_)) => return Err(Refusal::MALFORMED.into()),
    };
    stronger(&app, &session, &factor, &context).await.map(Json)
}
