use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, Report};

use super::freshness::{self, Tolerance};
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, WebhookSecret, async_trait,
    event, json, mac,
};

const NAME: &str = "telegram-gateway";
const TIMESTAMP: &str = "x-request-timestamp";
const SIGNATURE: &str = "x-request-signature";

/// Reads reports of Telegram's Gateway.
///
/// The signature covers the time and the raw body, under the hash of the API token. The replay key
/// is the request and its status. What a report says of a code's verification is for nobody to
/// believe: a check asks the Gateway.
///
/// Source: Telegram Gateway API, report delivery.
#[derive(Clone, Debug)]
pub struct TelegramGatewayWebhook {
    tokens: Vec<WebhookSecret>,
    tolerance: Tolerance,
}

impl TelegramGatewayWebhook {
    /// Takes the Gateway's API token.
    #[must_use]
    pub fn new(token: WebhookSecret) -> Self {
        Self {
            tokens: vec![token],
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Takes another token, the next one of a rotation.
    #[must_use]
    pub fn or_token(mut self, token: WebhookSecret) -> Self {
        self.tokens.push(token);
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes.
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
        let timestamp = request.signed_header(TIMESTAMP)?;
        let signature = request.signed_header(SIGNATURE)?;
        let signed = freshness::seconds(timestamp).ok_or(WebhookError::Unsigned)?;
        mac::any_fits(&self.tokens, &[signature], |token| {
            let parts = [timestamp.as_bytes(), b"\n", request.body];
            Ok(vec![mac::hex(&mac::hmac_sha256(
                &mac::sha256(token),
                &parts,
            )?)])
        })?;
        self.tolerance.check(signed, now)
    }
}

#[async_trait]
impl Webhook for TelegramGatewayWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        self.verify(request, now)?;
        let body = json::parse(request.body, "body")?;
        let id = json::required(&body, "request_id")?;
        let Some(delivery) = body.get("delivery_status").filter(|value| !value.is_null()) else {
            let notice = Notice::new(NAME, "verification", now, Topic::Other, &[id]);
            return Ok(notice.into_answer());
        };
        let word = json::required(delivery, "status")?;
        let at = delivery
            .get("updated_at")
            .and_then(serde_json::Value::as_u64);
        let at = at.and_then(freshness::from_seconds).unwrap_or(now);
        let state = match word {
            "sent" => DeliveryState::Sent,
            "delivered" => DeliveryState::Delivered,
            "read" => DeliveryState::Read,
            "expired" => DeliveryState::Failed(DeliveryErrorKind::Timeout),
            "revoked" => DeliveryState::Cancelled,
            other => {
                let notice = Notice::new(NAME, other, at, Topic::Other, &[id, other]);
                return Ok(notice.into_answer());
            }
        };
        Ok(event::report(Report::new(NAME, id, word, state, at)))
    }
}
