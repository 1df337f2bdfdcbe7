mod sms;
mod token;

use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, ReplayKey, Report};

pub use self::sms::{VonageSignatureMethod, VonageSmsWebhook};
use self::token::Claims;
use super::freshness::Tolerance;
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, WebhookSecret, async_trait,
    event, json, mac,
};

const NAME: &str = "vonage";

/// Reads signed webhooks of Vonage's Messages API: a token in `Authorization`, HS256 by the
/// signature secret, with the time of signing and the hash of the body.
///
/// The algorithm is HS256 whatever the token says of itself. The vendor's own library checks the
/// signature only; here the hash of the body and the time are checked too. The replay key is the
/// token's `jti`. A few of Vonage's callbacks come unsigned and are refused.
///
/// Source: Vonage's pages on signing messages; RFC 7515, RFC 7519.
#[derive(Clone, Debug)]
pub struct VonageWebhook {
    secrets: Vec<WebhookSecret>,
    tolerance: Tolerance,
}

impl VonageWebhook {
    /// Takes the account's signature secret.
    #[must_use]
    pub fn new(secret: WebhookSecret) -> Self {
        Self {
            secrets: vec![secret],
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Takes another secret, the next one of a rotation.
    #[must_use]
    pub fn or_secret(mut self, secret: WebhookSecret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Tolerance::new(tolerance);
        self
    }

    /// Checks the token, its time and the hash of the body, and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub fn verify(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<(), WebhookError> {
        self.claims(request, now).map(drop)
    }

    fn claims(&self, request: &WebhookRequest<'_>, now: Timestamp) -> Result<Claims, WebhookError> {
        let authorization = request.signed_header("authorization")?;
        let (scheme, token) = authorization
            .split_once(' ')
            .ok_or(WebhookError::Unsigned)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(WebhookError::Unsigned);
        }
        let claims = token::open(token, &self.secrets)?;
        mac::same(&mac::hex(&mac::sha256(request.body)), &claims.payload_hash)?;
        self.tolerance.check(claims.issued_at, now)?;
        match claims.expires_at {
            Some(end) if end <= now => Err(WebhookError::Stale),
            _ => Ok(claims),
        }
    }
}

#[async_trait]
impl Webhook for VonageWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let claims = self.claims(request, now)?;
        let body = json::parse(request.body, "body")?;
        let id = json::required(&body, "message_uuid")?;
        let status = json::required(&body, "status")?;
        let at = json::text(&body, "timestamp")?;
        let at = at.and_then(crate::rfc3339::parse).unwrap_or(now);
        let code = match body.get("error") {
            Some(error) => json::scalar(error, "title")?,
            None => None,
        };
        let replay = match &claims.id {
            Some(id) => ReplayKey::new(NAME, &[id]),
            None => ReplayKey::new(NAME, &[id, status]),
        };
        let state = match status {
            "submitted" => DeliveryState::Sent,
            "delivered" => DeliveryState::Delivered,
            "read" => DeliveryState::Read,
            "undeliverable" => DeliveryState::Failed(DeliveryErrorKind::Unreachable),
            "rejected" => DeliveryState::Failed(DeliveryErrorKind::Invalid),
            other => {
                let mut notice = Notice::new(NAME, other, at, Topic::Other, &[]);
                notice.replay = replay;
                return Ok(notice.into_answer());
            }
        };
        let report = Report::new(NAME, id, status, state, at).with_replay(replay);
        Ok(event::report(match code {
            Some(code) => report.with_code(&code),
            None => report,
        }))
    }
}
