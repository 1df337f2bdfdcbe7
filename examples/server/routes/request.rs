//! `POST /api/auth/otp/request`: sends a code.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::IdempotencyKey;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::delivery::Locale;
use otp_kit::destination::Channel;
use otp_kit::verifier::{Issue, Issued};
use serde::{Deserialize, Serialize};

use super::{address, captcha};
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use crate::time::Rfc3339;

/// The body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Start {
    phone: Member,
    email: Member,
    channel: Member,
    locale: Member,
    purpose: Member,
    captcha_token: Member,
    #[serde(rename = "h-captcha-response")]
    h_captcha: Member,
    #[serde(rename = "cf-turnstile-response")]
    turnstile: Member,
    #[serde(rename = "g-recaptcha-response")]
    recaptcha: Member,
}

/// The answer; for every number and address alike.
#[derive(Serialize)]
pub(crate) struct Started {
    status: &'static str,
    challenge_id: String,
    resend_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_link: Option<String>,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let channels = Schema::word(Channel::ALL.map(Channel::name));
    let body = Schema::object([
        ("phone?", Schema::phone().or_null()),
        ("email?", Schema::email().or_null()),
        ("channel?", channels.or_null()),
        ("locale?", Schema::text().or_null()),
        ("purpose?", Schema::text().or_null()),
        ("captcha_token?", Schema::text().or_null()),
        ("h-captcha-response?", Schema::text().or_null()),
        ("cf-turnstile-response?", Schema::text().or_null()),
        ("g-recaptcha-response?", Schema::text().or_null()),
    ]);
    let start = Operation::post("Sends a code")
        .takes(body)
        .header("Idempotency-Key", Schema::text())
        .gives(200, Started::schema())
        .refuses([
            Refusal::PHONE_REQUIRED,
            Refusal::INVALID_PHONE,
            Refusal::INVALID_EMAIL,
            Refusal::TWO_ADDRESSES,
            Refusal::UNKNOWN_PURPOSE,
            Refusal::UNKNOWN_CHANNEL,
            Refusal::INVALID_LOCALE,
        ])
        .refuses(NOT_ISSUED);
    Api::new().operation("/api/auth/otp/request", start, handle)
}

/// What any start may answer.
pub(super) const NOT_ISSUED: [Refusal; 14] = [
    Refusal::CHANNEL_UNAVAILABLE,
    Refusal::CHANNEL_MISMATCH,
    Refusal::UNSUPPORTED_DESTINATION,
    Refusal::INVALID_IDEMPOTENCY_KEY,
    Refusal::IDEMPOTENCY_CONFLICT,
    Refusal::CAPTCHA_REQUIRED,
    Refusal::CAPTCHA_FAILED,
    Refusal::BLOCKED,
    Refusal::DISABLED,
    Refusal::THROTTLED,
    Refusal::LOCKED,
    Refusal::BUSY,
    Refusal::SEND_FAILED,
    Refusal::UNAVAILABLE,
];

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Client(context): Client,
    key: Option<IdempotencyKey>,
    Strict(start): Strict<Start>,
) -> Result<Json<Started>, Declined> {
    let destination = address::read(&start.phone, &start.email, Refusal::PHONE_REQUIRED)?;
    let purpose = address::purpose(&app, &start.purpose)?;
    let tokens = [
        &start.captcha_token,
        &start.h_captcha,
        &start.turnstile,
        &start.recaptcha,
    ];
    let context = match captcha::token(tokens)? {
        Some(token) => context.captcha_token(token),
        None => context,
    };
    let mut issue = Issue::to(destination)
        .for_purpose(purpose.as_str())
        .from(context);
    if let Some(channel) = channel(&start.channel)? {
        issue = issue.over(channel);
    }
    if let Some(locale) = locale(&start.locale)? {
        issue = issue.in_locale(locale);
    }
    if let Some(key) = &key {
        issue = issue.idempotency_key(key.as_str());
    }
    let issued = app.verifier.issue(issue).await?;
    Ok(Json(Started::of(&app, &issued)))
}

impl Started {
    pub(super) fn schema() -> Schema {
        Schema::object([
            ("status", Schema::word(["ok"])),
            ("challenge_id", Schema::text()),
            ("resend_at", Schema::time()),
            ("expires_at", Schema::time()),
            ("preview_code?", Schema::text().about("in development")),
            ("preview_link?", Schema::text().about("in development")),
        ])
    }

    pub(super) fn of(app: &App, issued: &Issued) -> Self {
        Self {
            status: "ok",
            challenge_id: issued.challenge_id.to_string(),
            resend_at: Rfc3339::from(issued.resend_at).to_string(),
            expires_at: Rfc3339::from(issued.expires_at).to_string(),
            preview_code: app.outbox.code_of(issued),
            preview_link: app.outbox.link_of(issued),
        }
    }
}

pub(super) fn channel(member: &Member) -> Result<Option<Channel>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(name) => name.parse().map(Some).map_err(|_| Refusal::UNKNOWN_CHANNEL),
        Given::Wrong => Err(Refusal::UNKNOWN_CHANNEL),
    }
}

pub(super) fn locale(member: &Member) -> Result<Option<Locale>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(tag) => Locale::new(tag)
            .map(Some)
            .map_err(|_| Refusal::INVALID_LOCALE),
        Given::Wrong => Err(Refusal::INVALID_LOCALE),
    }
}
