use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryErrorKind, DeliveryState, ReplayKey, Report};
use serde_json::Value;

use super::freshness::{self, Tolerance};
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, WebhookSecret, async_trait,
    event, json, mac,
};

const NAME: &str = "mailgun";
/// Seconds since 1970 have ten digits until the year 2286.
const DIGITS: usize = 10;
const LONGEST_TOKEN: usize = 128;

/// The `signature` of a Mailgun webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailgunSignature<'a> {
    /// Seconds since 1970, in digits.
    pub timestamp: &'a str,
    /// Fifty random letters and digits.
    pub token: &'a str,
    /// Hexadecimal HMAC-SHA-256 of time and token.
    pub signature: &'a str,
}

/// Reads Mailgun's webhooks, signed in their `signature` object.
///
/// # Security
/// The signature covers time and token only, **not the event**: whoever sees one webhook can send
/// another event with its signature until the time is too old. So the replay key is the token, the
/// time must be near now, and a host acts on a report only where the token is seen for the first
/// time. Serve the endpoint over TLS only.
///
/// Source: Mailgun's page on securing webhooks.
#[derive(Clone, Debug)]
pub struct MailgunWebhook {
    keys: Vec<WebhookSecret>,
    tolerance: Tolerance,
}

impl MailgunWebhook {
    /// Takes the account's HTTP webhook signing key.
    #[must_use]
    pub fn new(signing_key: WebhookSecret) -> Self {
        Self {
            keys: vec![signing_key],
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Takes another signing key, the next one of a rotation.
    #[must_use]
    pub fn or_signing_key(mut self, key: WebhookSecret) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes. Mailgun repeats what was
    /// refused for up to 8 hours.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Tolerance::new(tolerance);
        self
    }

    /// Checks a signature and its time.
    ///
    /// # Errors
    /// [`WebhookError`] where it cannot be believed.
    pub fn verify(
        &self,
        signature: &MailgunSignature<'_>,
        now: Timestamp,
    ) -> Result<(), WebhookError> {
        let MailgunSignature {
            timestamp,
            token,
            signature,
        } = *signature;
        // No delimiter is signed: with a time of fixed length none of its digits can move.
        let fits = timestamp.len() == DIGITS
            && (1..=LONGEST_TOKEN).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_graphic());
        let signed = freshness::seconds(timestamp).filter(|_| fits);
        let signed = signed.ok_or(WebhookError::Unsigned)?;
        mac::any_fits(&self.keys, &[signature], |key| {
            let made = mac::hmac_sha256(key, &[timestamp.as_bytes(), token.as_bytes()])?;
            Ok(vec![mac::hex(&made)])
        })?;
        self.tolerance.check(signed, now)
    }
}

#[async_trait]
impl Webhook for MailgunWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let body = json::parse(request.body, "body")?;
        let signature = body.get("signature").ok_or(WebhookError::Unsigned)?;
        let part = |key| json::text(signature, key)?.ok_or(WebhookError::Unsigned);
        let signature = MailgunSignature {
            timestamp: part("timestamp")?,
            token: part("token")?,
            signature: part("signature")?,
        };
        self.verify(&signature, now)?;
        let replay = ReplayKey::new(NAME, &[signature.token]);
        let event = body
            .get("event-data")
            .ok_or(WebhookError::Malformed("event-data"))?;
        let word = json::required(event, "event")?;
        let at = event.get("timestamp").and_then(Value::as_f64);
        let at = at.and_then(moment).unwrap_or(now);
        let Some(state) = state(event, word)? else {
            let topic = match word {
                "opened" | "clicked" => Topic::Engagement,
                _ => Topic::Other,
            };
            let mut notice = Notice::new(NAME, word, at, topic, &[]);
            notice.replay = replay;
            return Ok(notice.into_answer());
        };
        let part = |value: &'_ Value, key: &str| value.get(key).cloned().unwrap_or(Value::Null);
        let headers = part(&part(event, "message"), "headers");
        let id = json::required(&headers, "message-id")?;
        let report = Report::new(NAME, id, word, state, at).with_replay(replay);
        let code = json::scalar(&part(event, "delivery-status"), "code")?;
        let code = code.filter(|_| state.failure().is_some());
        Ok(event::report(match code {
            Some(code) => report.with_code(&code),
            None => report,
        }))
    }
}

fn state(event: &Value, word: &str) -> Result<Option<DeliveryState>, WebhookError> {
    let kind = match (json::text(event, "severity")?, json::text(event, "reason")?) {
        (_, Some("suppress-unsubscribe" | "suppress-complaint")) => DeliveryErrorKind::OptedOut,
        (Some("permanent"), _) => DeliveryErrorKind::Unreachable,
        _ => DeliveryErrorKind::Unavailable,
    };
    Ok(Some(match word {
        "accepted" => DeliveryState::Queued,
        "delivered" => DeliveryState::Delivered,
        // A temporary failure is tried again by Mailgun itself.
        "failed" if kind == DeliveryErrorKind::Unavailable => DeliveryState::Sent,
        "failed" => DeliveryState::Failed(kind),
        "rejected" => DeliveryState::Failed(DeliveryErrorKind::Invalid),
        "complained" | "unsubscribed" => DeliveryState::Complained,
        _ => return Ok(None),
    }))
}

/// Reads seconds with a fraction.
fn moment(seconds: f64) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Timestamp::UNIX_EPOCH.checked_add(since)
}
