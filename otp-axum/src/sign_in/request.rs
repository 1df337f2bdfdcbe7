use axum::Json;
use axum::extract::State;
use otp_core::destination::Channel;
use otp_core::verifier::{Issue, Issued};
use serde::{Deserialize, Serialize};

use super::{NOT_ISSUED, Parts, Shown, Users};
use crate::error::ApiError;
use crate::json::{Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::time::Rfc3339;
use crate::{Client, IdempotencyKey, Refusal, member};

/// The body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Start {
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

/// The answer to a start; for every number and address alike.
#[derive(Debug, Serialize)]
pub struct Started {
    status: &'static str,
    challenge_id: String,
    resend_at: String,
    expires_at: String,
    #[serde(flatten)]
    shown: Preview,
}

#[derive(Serialize)]
struct Preview {
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview_link: Option<String>,
}

impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl Started {
    /// Tells of what was begun.
    #[must_use]
    pub fn new(issued: &Issued, shown: Shown) -> Self {
        Self {
            status: "ok",
            challenge_id: issued.challenge_id.to_string(),
            resend_at: Rfc3339::from(issued.resend_at).to_string(),
            expires_at: Rfc3339::from(issued.expires_at).to_string(),
            shown: Preview {
                preview_code: shown.code,
                preview_link: shown.link,
            },
        }
    }

    /// Describes it.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::object([
            ("status", Schema::word(["ok"])),
            ("challenge_id", Schema::text()),
            ("resend_at", Schema::time()),
            ("expires_at", Schema::time()),
            ("preview_code?", Schema::text().about("in development")),
            ("preview_link?", Schema::text().about("in development")),
        ])
    }
}

pub(super) fn operation() -> Operation {
    let text = || Schema::text().or_null();
    let channels = Schema::word(Channel::ALL.map(Channel::name));
    let own = [
        ("phone?", Schema::phone().or_null()),
        ("email?", Schema::email().or_null()),
        ("channel?", channels.or_null()),
        ("locale?", text()),
        ("purpose?", text()),
    ];
    let body = Schema::object(own.into_iter().chain(member::captcha_members()));
    Operation::post("Sends a code")
        .takes(body)
        .header("Idempotency-Key", Schema::text_up_to(128))
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
        .refuses(NOT_ISSUED)
}

pub(super) async fn handle<U: Users>(
    State(parts): State<Parts<U>>,
    Client(context): Client,
    key: Option<IdempotencyKey>,
    StrictJson(start): StrictJson<Start>,
) -> Result<Json<Started>, ApiError> {
    let destination = member::destination(&start.phone, &start.email, Refusal::PHONE_REQUIRED)?;
    let purpose = member::purpose(&parts.verifier, &start.purpose)?;
    let tokens = [
        &start.captcha_token,
        &start.h_captcha,
        &start.turnstile,
        &start.recaptcha,
    ];
    let context = member::with_captcha(context, tokens)?;
    let mut issue = Issue::to(destination)
        .for_purpose(purpose.as_str())
        .from(context);
    if let Some(channel) = member::channel(&start.channel)? {
        issue = issue.over(channel);
    }
    if let Some(locale) = member::locale(&start.locale)? {
        issue = issue.in_locale(locale);
    }
    if let Some(key) = &key {
        issue = issue.idempotency_key(key.as_str());
    }
    let issued = parts.verifier.issue(issue).await?;
    let shown = parts.users.shown(&issued);
    Ok(Json(Started::new(&issued, shown)))
}
