use std::borrow::Cow;

use otp_core::delivery::{Message, TemplateId};

use super::auth::is_sid;
use crate::config::ConfigError;
use crate::sender::{SenderId, is_e164};

const FROM: &str = "From";
const SERVICE: &str = "MessagingServiceSid";

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

impl Sender {
    /// Gives the field and the value of who a message comes from: whom it asks for, where Twilio
    /// knows such on the channel, else the one that was set.
    pub(super) fn field<'a>(&'a self, message: &'a Message) -> (&'static str, Cow<'a, str>) {
        let asked = message.sender().map(otp_core::delivery::SenderId::as_str);
        let asked = asked.and_then(|asked| self.asked(asked));
        asked.unwrap_or_else(|| match self {
            Self::From(from) => (FROM, from.as_str().into()),
            Self::WhatsApp {
                from: WhatsAppFrom::Number(number),
                ..
            } => (FROM, number.into()),
            Self::Service(sid)
            | Self::WhatsApp {
                from: WhatsAppFrom::Service(sid),
                ..
            } => (SERVICE, sid.into()),
        })
    }

    fn asked<'a>(&self, asked: &'a str) -> Option<(&'static str, Cow<'a, str>)> {
        if is_sid(asked, "MG") {
            return Some((SERVICE, asked.into()));
        }
        match self {
            Self::WhatsApp { .. } => {
                let number = asked.strip_prefix("whatsapp:").unwrap_or(asked);
                is_e164(number).then(|| (FROM, format!("whatsapp:{number}").into()))
            }
            _ => SenderId::fits(asked).then(|| (FROM, asked.into())),
        }
    }

    /// Gives the template that a message is sent by, the one that it asks for before the one that
    /// was set; without one its own text is sent.
    pub(super) fn content<'a>(&'a self, message: &'a Message) -> Option<&'a str> {
        let asked = message.template().map(TemplateId::as_str);
        let own = match self {
            Self::WhatsApp { content, .. } => Some(content.as_str()),
            _ => None,
        };
        asked.filter(|sid| is_sid(sid, "HX")).or(own)
    }
}

fn checked(sid: String, letters: &str, error: ConfigError) -> Result<String, ConfigError> {
    if is_sid(&sid, letters) {
        Ok(sid)
    } else {
        Err(error)
    }
}
