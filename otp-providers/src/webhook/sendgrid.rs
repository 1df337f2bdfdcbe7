use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryState, ReplayKey, Report};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::Value;
use thiserror::Error;

use super::freshness::{self, Tolerance};
use super::{
    Answer, Event, Notice, Topic, Webhook, WebhookError, WebhookRequest, async_trait, json,
};
use crate::sendgrid::{SendGridEvent, classify_event};

const NAME: &str = "sendgrid";
const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

/// What stands before the point in a `SubjectPublicKeyInfo` of a P-256 key (RFC 5480 section 2).
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The public key of an Event Webhook, as `SendGrid` shows it. It is no secret.
#[derive(Clone, Debug)]
pub struct EventPublicKey(Vec<u8>);

/// The text is not a P-256 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a verification key is base64 of a p-256 subject public key info")]
pub struct InvalidPublicKey;

impl EventPublicKey {
    /// Reads base64 of a DER `SubjectPublicKeyInfo`; P-256 and an uncompressed point only.
    ///
    /// # Errors
    /// [`InvalidPublicKey`] for anything else.
    pub fn parse(base64: &str) -> Result<Self, InvalidPublicKey> {
        let der = STANDARD
            .decode(base64.trim())
            .map_err(|_| InvalidPublicKey)?;
        match der.strip_prefix(&P256) {
            Some(point) if point.len() == 65 && point.starts_with(&[4]) => Ok(Self(point.to_vec())),
            _ => Err(InvalidPublicKey),
        }
    }
}

/// Reads `SendGrid`'s Event Webhook, signed with ECDSA over P-256 and SHA-256.
///
/// The signature covers the time and the raw body with its last line break. A batch holds events
/// of many messages; each has a replay key of its own, its `sg_event_id`. Signatures can be
/// rewritten without the key, so they are never a replay key. Opened and clicked mails are notices.
///
/// Source: Twilio `SendGrid`'s pages on the Event Webhook and its security features.
#[derive(Clone, Debug)]
pub struct SendGridWebhook {
    keys: Vec<EventPublicKey>,
    tolerance: Tolerance,
}

impl SendGridWebhook {
    /// Takes the webhook's public key.
    #[must_use]
    pub fn new(key: EventPublicKey) -> Self {
        Self {
            keys: vec![key],
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Takes another key: of another webhook with the same URL, or the next of a rotation.
    #[must_use]
    pub fn or_key(mut self, key: EventPublicKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes. `SendGrid` repeats what
    /// was refused, or found nobody, for up to 24 hours, and does not say that it signs it anew: where
    /// late receipts shall count after an outage of ours, believe them as long. A repeat may have
    /// another `sg_event_id`; it changes nothing, because states only move forward. Events are
    /// remembered for 24 hours: beyond that a replay is taken for a late report, and changes as little.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Tolerance::new(tolerance);
        self
    }

    /// Checks the signature and its time and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub fn verify(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<(), WebhookError> {
        let signature = request.signed_header(SIGNATURE)?;
        let timestamp = request.signed_header(TIMESTAMP)?;
        // No delimiter is signed between time and body: with digits only, neither can grow into
        // the other, for no JSON list begins with a digit.
        let signed = freshness::seconds(timestamp).ok_or(WebhookError::Unsigned)?;
        let signature = STANDARD
            .decode(signature)
            .map_err(|_| WebhookError::Unsigned)?;
        let message = [timestamp.as_bytes(), request.body].concat();
        let fits = self.keys.iter().any(|key| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key.0)
                .verify(&message, &signature)
                .is_ok()
        });
        if !fits {
            return Err(WebhookError::BadSignature);
        }
        self.tolerance.check(signed, now)
    }
}

#[async_trait]
impl Webhook for SendGridWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        self.verify(request, now)?;
        match json::parse(request.body, "event list")? {
            Value::Array(events) => events
                .iter()
                .map(|event| read_event(event, now))
                .collect::<Result<_, _>>()
                .map(Answer::Events),
            _ => Err(WebhookError::Malformed("event list")),
        }
    }
}

fn read_event(event: &Value, now: Timestamp) -> Result<Event, WebhookError> {
    let word = json::required(event, "event")?;
    let at = match event.get("timestamp") {
        None => now,
        Some(seconds) => seconds
            .as_u64()
            .and_then(freshness::from_seconds)
            .ok_or(WebhookError::Malformed("timestamp"))?,
    };
    let message = json::text(event, "sg_message_id")?;
    let replay = match json::text(event, "sg_event_id")? {
        Some(id) => ReplayKey::new(NAME, &[id]),
        None => {
            let at = at.as_millis().to_string();
            ReplayKey::new(NAME, &[message.unwrap_or_default(), word, &at])
        }
    };
    let read = SendGridEvent {
        event: word,
        bounce_type: json::text(event, "type")?,
        bounce_classification: json::text(event, "bounce_classification")?,
        reason: json::text(event, "reason")?,
    };
    let state = match (word, classify_event(&read)) {
        ("spamreport" | "unsubscribe" | "group_unsubscribe", _) => DeliveryState::Complained,
        (_, Some(kind)) => DeliveryState::Failed(kind),
        ("processed" | "deferred", None) => DeliveryState::Queued,
        ("delivered", None) => DeliveryState::Delivered,
        (_, None) => {
            let topic = match word {
                "open" | "click" | "group_resubscribe" => Topic::Engagement,
                "account_status_change" => Topic::Account,
                _ => Topic::Other,
            };
            let mut notice = Notice::new(NAME, word, at, topic, &[]);
            notice.replay = replay;
            return Ok(Event::Notice(notice));
        }
    };
    // The answer to the send names the part before the first dot only.
    let message = message
        .and_then(|id| id.split('.').next())
        .filter(|id| !id.is_empty())
        .ok_or(WebhookError::Malformed("sg_message_id"))?;
    let report = Report::new(NAME, message, word, state, at).with_replay(replay);
    Ok(Event::Report(match json::scalar(event, "status")? {
        Some(code) => report.with_code(&code),
        None => report,
    }))
}
