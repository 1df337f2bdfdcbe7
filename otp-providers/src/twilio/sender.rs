use super::auth::is_sid;
use crate::config::ConfigError;
use crate::sender::{SenderId, is_e164};

/// Who a message comes from, and so on which channel it goes.
pub(super) enum Sender {
    /// A text message of a number, a short code, or a sender id.
    From(SenderId),
    /// A text message of a messaging service, which chooses.
    Service(String),
    /// A WhatsApp template.
    WhatsApp { from: WhatsAppFrom, content: String },
}

/// Who a WhatsApp message comes from.
pub(super) enum WhatsAppFrom {
    /// `whatsapp:` and a number.
    Number(String),
    /// A messaging service with a WhatsApp sender.
    Service(String),
}

impl Sender {
    /// Reads the settings: one of a sender and a service, and perhaps a template.
    pub(super) fn new(
        from: Option<String>,
        service: Option<String>,
        content: Option<String>,
    ) -> Result<Self, ConfigError> {
        let content = content.map(|sid| checked(sid, "HX", ConfigError::TemplateName));
        let service = service.map(|sid| checked(sid, "MG", ConfigError::MessagingServiceSid));
        match (from, service, content.transpose()?) {
            (None, None, _) => Err(ConfigError::SenderMissing),
            (Some(_), Some(_), _) => Err(ConfigError::TwoSenders),
            (Some(from), None, None) => Ok(Self::From(SenderId::parse(from)?)),
            (None, Some(sid), None) => Ok(Self::Service(sid?)),
            (Some(from), None, Some(content)) => {
                let number = from.strip_prefix("whatsapp:").unwrap_or(&from);
                if !is_e164(number) {
                    return Err(ConfigError::Sender);
                }
                let from = WhatsAppFrom::Number(format!("whatsapp:{number}"));
                Ok(Self::WhatsApp { from, content })
            }
            (None, Some(sid), Some(content)) => {
                let from = WhatsAppFrom::Service(sid?);
                Ok(Self::WhatsApp { from, content })
            }
        }
    }
}

fn checked(sid: String, letters: &str, error: ConfigError) -> Result<String, ConfigError> {
    if is_sid(&sid, letters) {
        Ok(sid)
    } else {
        Err(error)
    }
}
