mod certificate;
mod fetch;
mod keys;
mod message;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryState, ReplayKey, Report};
use serde_json::Value;

use self::certificate::amazon_url;
pub use self::certificate::{
    CertificateSource, CertificateUnavailable, CertificateUrl, InvalidCertificateUrl,
};
pub use self::fetch::HttpCertificates;
use self::keys::Keys;
use self::message::{Kind, Message};
use super::freshness::Tolerance;
use super::{
    Answer, Notice, Topic, Webhook, WebhookError, WebhookRequest, async_trait, event, json,
};
use crate::ses::{SesEvent, classify_event};

const NAME: &str = "ses";

/// Reads events of Amazon SES as Amazon SNS posts them to an HTTPS subscription.
///
/// The signature is RSA (PKCS #1 v1.5) over some of the message's fields, by a certificate that
/// the message itself points at; so its address must be Amazon's, over HTTPS, before it is
/// fetched, and the topic must be ours. What was fetched is kept; an address that gave no certificate
/// is not asked again for a minute, one is asked at a time, and after eight in vain none for a
/// minute, since whoever knows the topic can name addresses. The confirmation of a subscription is [`Answer::Confirm`], and its address obeys the same rule. The replay key is the
/// `MessageId`.
///
/// Source: Amazon SNS developer guide, verifying signatures; Amazon SES developer guide, contents
/// of event publishing data and of notifications.
pub struct SesWebhook {
    topic: String,
    source: Arc<dyn CertificateSource>,
    keys: Keys,
    versions: Versions,
    tolerance: Tolerance,
}

#[derive(Clone, Copy)]
enum Versions {
    Both,
    Sha256Only,
}

impl SesWebhook {
    /// Takes the ARN of the topic, and what fetches certificates.
    #[must_use]
    pub fn new(topic_arn: impl Into<String>, source: Arc<dyn CertificateSource>) -> Self {
        Self {
            topic: topic_arn.into(),
            source,
            keys: Keys::default(),
            versions: Versions::Both,
            tolerance: Tolerance::DEFAULT,
        }
    }

    /// Refuses signatures of version 1, which are over SHA-1. A topic signs with version 2 once
    /// its `SignatureVersion` is set to 2.
    #[must_use]
    pub fn require_sha256(mut self) -> Self {
        self.versions = Versions::Sha256Only;
        self
    }

    /// Sets how far the signed time may be from now. Default: 5 minutes, which covers the three
    /// repeats of Amazon's own retry policy; a topic with a longer policy needs more.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Tolerance::new(tolerance);
        self
    }

    /// Checks the signature and its time and reads nothing else.
    ///
    /// # Errors
    /// [`WebhookError`] where the request cannot be believed.
    pub async fn verify(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<(), WebhookError> {
        self.message(request, now).await.map(drop)
    }

    async fn message(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Message, WebhookError> {
        let message = Message::parse(request.body)?;
        if message.topic != self.topic {
            return Err(WebhookError::BadSignature);
        }
        let url = CertificateUrl::parse(&message.certificate_url)
            .map_err(|_| WebhookError::BadSignature)?;
        let signed = crate::rfc3339::parse(&message.timestamp)
            .ok_or(WebhookError::Malformed("Timestamp"))?;
        // A request that is too old is not worth a fetch.
        self.tolerance.check(signed, now)?;
        let signature = STANDARD
            .decode(&message.signature)
            .map_err(|_| WebhookError::Unsigned)?;
        let key = self.keys.get(&url, self.source.as_ref(), now).await?;
        let text = message.signed_text();
        match (message.version.as_str(), self.versions) {
            ("2", _) => key.verify_sha256(text.as_bytes(), &signature)?,
            ("1", Versions::Both) => key.verify_sha1(text.as_bytes(), &signature)?,
            _ => return Err(WebhookError::BadSignature),
        }
        Ok(message)
    }
}

impl fmt::Debug for SesWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SesWebhook")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Webhook for SesWebhook {
    fn name(&self) -> &str {
        NAME
    }

    async fn read(
        &self,
        request: &WebhookRequest<'_>,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let message = self.message(request, now).await?;
        let replay = ReplayKey::new(NAME, &[&message.id]);
        match &message.kind {
            Kind::Notification { .. } => read_event(&message.text, replay, now),
            Kind::Subscription { url, .. } => amazon_url(url)
                .map(Answer::Confirm)
                .ok_or(WebhookError::Malformed("SubscribeURL")),
            Kind::Unsubscription { .. } => {
                let mut notice =
                    Notice::new(NAME, "UnsubscribeConfirmation", now, Topic::Account, &[]);
                notice.replay = replay;
                Ok(notice.into_answer())
            }
        }
    }
}

fn read_event(text: &str, replay: ReplayKey, now: Timestamp) -> Result<Answer, WebhookError> {
    let other = |word: &str, topic: Topic, replay: ReplayKey| {
        let mut notice = Notice::new(NAME, word, now, topic, &[]);
        notice.replay = replay;
        Ok(notice.into_answer())
    };
    // A topic may carry plain text too, such as the one that SES sends when it is connected.
    if !text.trim_start().starts_with('{') {
        return other("Message", Topic::Other, replay);
    }
    let body = json::parse(text.as_bytes(), "Message")?;
    let word = match json::text(&body, "eventType")? {
        Some(word) => word,
        None => match json::text(&body, "notificationType")? {
            Some(word) => word,
            None => return other("Message", Topic::Other, replay),
        },
    };
    let part = |name: &str| body.get(name).unwrap_or(&Value::Null);
    let bounce = part("bounce");
    let bounce_type = json::text(bounce, "bounceType")?;
    let bounce_sub_type = json::text(bounce, "bounceSubType")?;
    let failure = classify_event(&SesEvent {
        event: word,
        bounce_type,
        bounce_sub_type,
    });
    let state = match (word, failure) {
        ("Complaint", _) => DeliveryState::Complained,
        (_, Some(kind)) => DeliveryState::Failed(kind),
        ("Send" | "DeliveryDelay", None) => DeliveryState::Sent,
        ("Delivery", None) => DeliveryState::Delivered,
        ("Open" | "Click" | "Subscription", None) => return other(word, Topic::Engagement, replay),
        _ => return other(word, Topic::Other, replay),
    };
    let id = json::required(part("mail"), "messageId")?;
    let about = match word {
        "Bounce" => bounce,
        "Complaint" => part("complaint"),
        "Delivery" => part("delivery"),
        "DeliveryDelay" => part("deliveryDelay"),
        _ => &Value::Null,
    };
    let at = json::text(about, "timestamp")?;
    let at = at.and_then(crate::rfc3339::parse).unwrap_or(now);
    let report = Report::new(NAME, id, word, state, at).with_replay(replay);
    let code = [bounce_type, bounce_sub_type];
    let code: Vec<&str> = code.into_iter().flatten().collect();
    Ok(event::report(report.with_code(&code.join("/"))))
}
