use std::time::Duration;

use http::Method;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, ReplayKey, Report, TemplateState};
use serde_json::Value;

use super::event::short;
use super::url_text::UrlText;
use super::{
    Answer, Event, Notice, TemplateUpdate, Topic, Webhook, WebhookError, WebhookRequest,
    WebhookSecret, async_trait, form, freshness, json, mac,
};
use crate::whatsapp::classify_status;

const NAME: &str = "whatsapp";
const SIGNATURE: &str = "x-hub-signature-256";
const LONGEST_CHALLENGE: usize = 1024;
/// Meta repeats what was not answered with 200 for up to seven days.
const LIFE: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// Reads webhooks of `WhatsApp`'s Cloud API, signed with `X-Hub-Signature-256`.
///
/// The signature covers the raw body, whose non-ASCII letters Meta escapes, so a body that was
/// parsed and written again does not fit. There is no signed time: the replay key is the message
/// and its status, for eight days. `message_template_status_update` is a [`Topic::Template`]. The
/// handshake, a GET, is [`Answer::Echo`].
///
/// Source: Meta's pages on Graph API webhooks and on the Cloud API's webhooks.
#[derive(Clone, Debug)]
pub struct WhatsAppWebhook {
    app_secrets: Vec<WebhookSecret>,
    verify_token: WebhookSecret,
}

impl WhatsAppWebhook {
    /// Takes the app's secret, and the verify token that the host made up for the handshake.
    #[must_use]
    pub fn new(app_secret: WebhookSecret, verify_token: WebhookSecret) -> Self {
        Self {
            app_secrets: vec![app_secret],
            verify_token,
        }
    }

    /// Takes another app secret, the next one of a rotation.
    #[must_use]
    pub fn or_app_secret(mut self, secret: WebhookSecret) -> Self {
        self.app_secrets.push(secret);
        self
    }

    /// Checks the signature and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub fn verify(&self, request: &WebhookRequest<'_>) -> Result<(), WebhookError> {
        let signature = request.signed_header(SIGNATURE)?;
        let signature = signature
            .strip_prefix("sha256=")
            .ok_or(WebhookError::Unsigned)?;
        mac::any_fits(&self.app_secrets, &[signature], |secret| {
            Ok(vec![mac::hex(&mac::hmac_sha256(secret, &[request.body])?)])
        })
    }

    fn handshake(&self, request: &WebhookRequest<'_>) -> Result<Answer, WebhookError> {
        let refused = |_| WebhookError::HandshakeRefused;
        let url = UrlText::split(request.url).ok_or(WebhookError::HandshakeRefused)?;
        let query = form::pairs(url.query().unwrap_or_default().as_bytes())?;
        let token = form::required(&query, "hub.verify_token").map_err(refused)?;
        mac::any_fits([&self.verify_token], &[token], |expected| {
            let expected = std::str::from_utf8(expected).unwrap_or_default();
            Ok(vec![expected.to_owned()])
        })
        .map_err(refused)?;
        let mode = form::required(&query, "hub.mode").map_err(refused)?;
        let challenge = form::required(&query, "hub.challenge").map_err(refused)?;
        let fits = challenge.len() <= LONGEST_CHALLENGE && !challenge.contains(char::is_control);
        if mode == "subscribe" && fits {
            Ok(Answer::Echo(challenge.to_owned()))
        } else {
            Err(WebhookError::HandshakeRefused)
        }
    }
}

#[async_trait]
impl Webhook for WhatsAppWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        if request.method == Method::GET {
            return self.handshake(request);
        }
        self.verify(request)?;
        let body = json::parse(request.body, "body")?;
        let mut events = Vec::new();
        let entries = body.get("entry").and_then(Value::as_array);
        for entry in entries.ok_or(WebhookError::Malformed("entry"))? {
            for change in json::list(entry, "changes")? {
                read_change(change, now, &mut events)?;
            }
        }
        Ok(Answer::Events(events))
    }
}

fn read_change(change: &Value, now: Timestamp, out: &mut Vec<Event>) -> Result<(), WebhookError> {
    let field = json::required(change, "field")?;
    let value = change
        .get("value")
        .ok_or(WebhookError::Malformed("value"))?;
    match field {
        "messages" => {
            for status in json::list(value, "statuses")? {
                out.push(read_status(status, now)?);
            }
            for message in json::list(value, "messages")? {
                let id = json::required(message, "id")?;
                let word = json::text(message, "type")?.unwrap_or("message");
                out.push(notice(word, now, Topic::Engagement, &["message", id]));
            }
        }
        "message_template_status_update" => out.push(read_template(value, now)?),
        "account_update" | "account_alerts" | "phone_number_quality_update" => {
            let word = json::text(value, "event")?.unwrap_or(field);
            let content = mac::hex(&mac::sha256(value.to_string().as_bytes()));
            out.push(notice(word, now, Topic::Account, &[field, &content]));
        }
        other => {
            let content = mac::hex(&mac::sha256(value.to_string().as_bytes()));
            out.push(notice(other, now, Topic::Other, &[other, &content]));
        }
    }
    Ok(())
}

fn read_status(status: &Value, now: Timestamp) -> Result<Event, WebhookError> {
    let id = json::required(status, "id")?;
    let word = json::required(status, "status")?;
    let at = match json::scalar(status, "timestamp")? {
        Some(at) => freshness::seconds(&at).ok_or(WebhookError::Malformed("timestamp"))?,
        None => now,
    };
    let code = match json::list(status, "errors")?.first() {
        Some(error) => json::scalar(error, "code")?,
        None => None,
    };
    let state = match word {
        "sent" => DeliveryState::Sent,
        "delivered" => DeliveryState::Delivered,
        "read" => DeliveryState::Read,
        "failed" => DeliveryState::Failed(match &code {
            Some(code) => {
                classify_status(code.parse().map_err(|_| WebhookError::Malformed("code"))?)
            }
            None => DeliveryErrorKind::Unavailable,
        }),
        other => return Ok(notice(other, at, Topic::Other, &[id, other])),
    };
    let report = Report::new(NAME, id, word, state, at)
        .with_replay(ReplayKey::new(NAME, &[id, word]).with_life(LIFE));
    Ok(Event::Report(match code {
        Some(code) => report.with_code(&code),
        None => report,
    }))
}

fn read_template(value: &Value, now: Timestamp) -> Result<Event, WebhookError> {
    let word = json::required(value, "event")?;
    let name = json::required(value, "message_template_name")?;
    let language = json::text(value, "message_template_language")?.unwrap_or_default();
    let reason = json::text(value, "reason")?.filter(|reason| *reason != "NONE");
    let id = json::scalar(value, "message_template_id")?.unwrap_or_default();
    let update = TemplateUpdate {
        name: short(name),
        language: short(language),
        state: template_state(word),
        reason: reason.map(short),
    };
    // A template may pause again tomorrow: only the same words within a day are a repeat.
    let mut event = Notice::new(NAME, word, now, Topic::Template(update), &[&id, name, word]);
    event.replay = ReplayKey::new(NAME, &[&id, name, language, word]);
    Ok(Event::Notice(event))
}

/// Reads Meta's word for a template's state. `FLAGGED` is a warning: it may still be sent.
fn template_state(word: &str) -> Option<TemplateState> {
    match word {
        "APPROVED" | "REINSTATED" => Some(TemplateState::Approved),
        "PENDING" | "IN_APPEAL" => Some(TemplateState::Pending),
        "REJECTED" => Some(TemplateState::Rejected),
        "PAUSED" | "LIMIT_EXCEEDED" => Some(TemplateState::Paused),
        "DISABLED" | "PENDING_DELETION" | "DELETED" | "ARCHIVED" => Some(TemplateState::Disabled),
        _ => None,
    }
}

fn notice(word: &str, at: Timestamp, topic: Topic, id: &[&str]) -> Event {
    let mut notice = Notice::new(NAME, word, at, topic, id);
    notice.replay = notice.replay.with_life(LIFE);
    Event::Notice(notice)
}
