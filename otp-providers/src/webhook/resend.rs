use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_PAD_INDIFFERENT};
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, ReplayKey, Report};
use otp_core::secret::SecretBytes;
use serde_json::Value;
use subtle::{Choice, ConstantTimeEq};

use super::freshness::{self, Tolerance};
use super::secret::InvalidSecret;
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, async_trait, event, json, mac,
};

const NAME: &str = "resend";
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];
const STANDARD_WEBHOOKS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// A signing secret of Svix and Standard Webhooks: `whsec_` and base64. `Debug` is redacted.
#[derive(Clone)]
pub struct SvixSecret(SecretBytes);

impl SvixSecret {
    /// Reads a secret, with or without its `whsec_`.
    ///
    /// # Errors
    /// [`InvalidSecret`] where it is not base64, or of nothing.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        match STANDARD_PAD_INDIFFERENT.decode(text) {
            Ok(key) if !key.is_empty() => Ok(Self(SecretBytes::new(key))),
            _ => Err(InvalidSecret),
        }
    }
}

impl fmt::Debug for SvixSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SvixSecret(redacted)")
    }
}

/// Reads Resend's webhooks, signed by Svix (Standard Webhooks, symmetric scheme `v1`).
///
/// The signature covers id, time and raw body; a header may hold several, of which one must fit.
/// The replay key is the id, which stays the same when Svix repeats an event.
///
/// Source: Standard Webhooks 1.1, verifying signatures; Resend's page on event types.
#[derive(Clone, Debug)]
pub struct ResendWebhook {
    secrets: Vec<SvixSecret>,
    tolerance: Tolerance,
}

impl ResendWebhook {
    /// Takes the endpoint's signing secret.
    #[must_use]
    pub fn new(secret: SvixSecret) -> Self {
        Self {
            secrets: vec![secret],
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Takes another secret, the next one of a rotation.
    #[must_use]
    pub fn or_secret(mut self, secret: SvixSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes; a repeat is signed anew.
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
        self.believed(request, now).map(drop)
    }

    /// Gives the id that the signature covers.
    fn believed<'a>(
        &self,
        request: &WebhookRequest<'a>,
        now: Timestamp,
    ) -> Result<&'a str, WebhookError> {
        // The three of one set: mixed, a part could come from another message.
        let [id, timestamp, signatures] = match request.header(SVIX[0])? {
            Some(_) => SVIX,
            None => STANDARD_WEBHOOKS,
        };
        let id = request.signed_header(id)?;
        let timestamp = request.signed_header(timestamp)?;
        let signatures = request.signed_header(signatures)?;
        // A dot divides what is signed, so the id must have none.
        if id.is_empty() || id.contains('.') {
            return Err(WebhookError::Unsigned);
        }
        let signed = freshness::seconds(timestamp).ok_or(WebhookError::Unsigned)?;
        let mut fits = Choice::from(0);
        for secret in &self.secrets {
            let parts = [
                id.as_bytes(),
                b".",
                timestamp.as_bytes(),
                b".",
                request.body,
            ];
            let expected = STANDARD.encode(mac::hmac_sha256(secret.0.expose(), &parts)?);
            for signature in signatures.split(' ').take(16) {
                let given = signature.strip_prefix("v1,").unwrap_or_default();
                fits |= expected.as_bytes().ct_eq(given.as_bytes());
            }
        }
        if !bool::from(fits) {
            return Err(WebhookError::BadSignature);
        }
        self.tolerance.check(signed, now)?;
        Ok(id)
    }
}

#[async_trait]
impl Webhook for ResendWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let replay = ReplayKey::new(NAME, &[self.believed(request, now)?]);
        let body = json::parse(request.body, "body")?;
        let word = json::required(&body, "type")?;
        let at = json::text(&body, "created_at")?;
        let at = at.and_then(crate::rfc3339::parse).unwrap_or(now);
        let data = body.get("data").unwrap_or(&Value::Null);
        let bounce = data.get("bounce").unwrap_or(&Value::Null);
        let bounce = json::text(bounce, "type")?;
        let state = match word {
            "email.scheduled" => DeliveryState::Queued,
            "email.sent" | "email.delivery_delayed" => DeliveryState::Sent,
            "email.delivered" => DeliveryState::Delivered,
            "email.complained" => DeliveryState::Complained,
            "email.bounced" if matches!(bounce, Some("Transient" | "Undetermined")) => {
                DeliveryState::Failed(DeliveryErrorKind::Unavailable)
            }
            "email.bounced" | "email.suppressed" => {
                DeliveryState::Failed(DeliveryErrorKind::Unreachable)
            }
            "email.failed" => DeliveryState::Failed(DeliveryErrorKind::Invalid),
            other => {
                let topic = match other {
                    "email.opened" | "email.clicked" => Topic::Engagement,
                    _ => Topic::Other,
                };
                let mut notice = Notice::new(NAME, other, at, topic, &[]);
                notice.replay = replay;
                return Ok(notice.into_answer());
            }
        };
        let id = json::required(data, "email_id")?;
        let report = Report::new(NAME, id, word, state, at).with_replay(replay);
        Ok(event::report(report.with_code(bounce.unwrap_or_default())))
    }
}
