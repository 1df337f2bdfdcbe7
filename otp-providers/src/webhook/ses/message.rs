use serde_json::Value;

use super::super::{WebhookError, json};

/// A message of Amazon SNS, not believed yet.
pub(super) struct Message {
    pub(super) kind: Kind,
    pub(super) id: String,
    pub(super) topic: String,
    pub(super) text: String,
    pub(super) timestamp: String,
    pub(super) version: String,
    pub(super) signature: String,
    pub(super) certificate_url: String,
}

pub(super) enum Kind {
    Notification { subject: Option<String> },
    Subscription { url: String, token: String },
    Unsubscription { url: String, token: String },
}

impl Message {
    pub(super) fn parse(body: &[u8]) -> Result<Self, WebhookError> {
        let body = json::parse(body, "message")?;
        let must = |key| field(&body, key)?.ok_or(WebhookError::Malformed(key));
        let kind = match must("Type")?.as_str() {
            "Notification" => Kind::Notification {
                subject: field(&body, "Subject")?,
            },
            "SubscriptionConfirmation" => Kind::Subscription {
                url: must("SubscribeURL")?,
                token: must("Token")?,
            },
            "UnsubscribeConfirmation" => Kind::Unsubscription {
                url: must("SubscribeURL")?,
                token: must("Token")?,
            },
            _ => return Err(WebhookError::Malformed("Type")),
        };
        Ok(Self {
            kind,
            id: must("MessageId")?,
            topic: must("TopicArn")?,
            text: must("Message")?,
            timestamp: must("Timestamp")?,
            version: must("SignatureVersion")?,
            signature: field(&body, "Signature")?.ok_or(WebhookError::Unsigned)?,
            certificate_url: field(&body, "SigningCertURL")?.ok_or(WebhookError::Unsigned)?,
        })
    }

    /// Writes what is signed: `name\nvalue\n` of the fields of its kind, in this order.
    pub(super) fn signed_text(&self) -> String {
        let mut out = String::new();
        let mut add = |name: &str, value: &str| {
            for part in [name, "\n", value, "\n"] {
                out.push_str(part);
            }
        };
        add("Message", &self.text);
        add("MessageId", &self.id);
        let name = match &self.kind {
            Kind::Notification { subject } => {
                if let Some(subject) = subject {
                    add("Subject", subject);
                }
                "Notification"
            }
            Kind::Subscription { url, .. } => {
                add("SubscribeURL", url);
                "SubscriptionConfirmation"
            }
            Kind::Unsubscription { url, .. } => {
                add("SubscribeURL", url);
                "UnsubscribeConfirmation"
            }
        };
        add("Timestamp", &self.timestamp);
        if let Kind::Subscription { token, .. } | Kind::Unsubscription { token, .. } = &self.kind {
            add("Token", token);
        }
        add("TopicArn", &self.topic);
        add("Type", name);
        out
    }
}

fn field(body: &Value, key: &'static str) -> Result<Option<String>, WebhookError> {
    Ok(json::text(body, key)?.map(str::to_owned))
}
