//! `POST /browser/api/v1/identity/auth/otp/initiate` and `.../magic-link/initiate`: sends a code to
//! a user who is named, and says nothing of whether there is such a user.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::IdempotencyKey;
use otp_kit::destination::Channel;
use otp_kit::request::Purpose;
use otp_kit::verifier::{Dispatch, Issue};
use serde::Deserialize;

use super::captcha;
use super::request::Started;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};

/// The longest id that a user of this server has.
const LONGEST: usize = 64;

/// The body.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Named {
    user_id: Member,
    captcha_token: Member,
    #[serde(rename = "h-captcha-response")]
    h_captcha: Member,
    #[serde(rename = "cf-turnstile-response")]
    turnstile: Member,
    #[serde(rename = "g-recaptcha-response")]
    recaptcha: Member,
}

/// Sends it to the user's phone.
pub(crate) async fn by_phone(
    State(app): State<Arc<App>>,
    client: Client,
    key: Option<IdempotencyKey>,
    Strict(named): Strict<Named>,
) -> Result<Json<Started>, Declined> {
    start(&app, Channel::Sms, client, key, &named).await
}

/// Sends it to the user's e-mail address.
pub(crate) async fn by_email(
    State(app): State<Arc<App>>,
    client: Client,
    key: Option<IdempotencyKey>,
    Strict(named): Strict<Named>,
) -> Result<Json<Started>, Declined> {
    start(&app, Channel::Email, client, key, &named).await
}

/// Starts for the user's address, or for nobody: both are looked up, counted and answered alike,
/// before any message is sent. Where codes are shown the answer waits for its code.
async fn start(
    app: &App,
    channel: Channel,
    Client(context): Client,
    key: Option<IdempotencyKey>,
    named: &Named,
) -> Result<Json<Started>, Declined> {
    let id = named.user_id()?;
    let tokens = [
        &named.captcha_token,
        &named.h_captcha,
        &named.turnstile,
        &named.recaptcha,
    ];
    let context = match captcha::token(tokens)? {
        Some(token) => context.captcha_token(token),
        None => context,
    };
    let address = app.users.address(id, channel).await;
    let addressed = match address.map_err(|_| Refusal::UNAVAILABLE)? {
        Some(address) => Issue::to(address),
        // Of nobody each channel is counted apart, as the addresses of somebody are.
        None => Issue::decoy(&format!("{} of {id}", channel.name()), channel),
    };
    let dispatch = match app.outbox.is_showing() {
        true => Dispatch::Await,
        false => Dispatch::Background,
    };
    let mut issue = addressed
        .for_purpose(Purpose::LOGIN.as_str())
        .over(channel)
        .dispatch(dispatch)
        .from(context);
    if let Some(key) = &key {
        issue = issue.idempotency_key(key.as_str());
    }
    let issued = app.verifier.issue(issue).await?;
    Ok(Json(Started::of(app, &issued)))
}

impl Named {
    fn user_id(&self) -> Result<&str, Refusal> {
        match self.user_id.given() {
            Given::Nothing => Err(Refusal::USER_REQUIRED),
            Given::Text(id) if id.len() <= LONGEST && !id.contains(char::is_control) => Ok(id),
            Given::Text(_) | Given::Wrong => Err(Refusal::INVALID_USER),
        }
    }
}
