use super::auth::is_sid;
use crate::config::ConfigError;

/// Who a text message comes from.
pub(super) enum Sender {
    /// A number, a short code, or a sender id.
    From(String),
    /// A messaging service, which chooses.
    Service(String),
}

impl Sender {
    pub(super) fn from_text(text: String) -> Result<Self, ConfigError> {
        if is_e164(&text) || is_short_code(&text) || is_sender_id(&text) {
            Ok(Self::From(text))
        } else {
            Err(ConfigError::Sender)
        }
    }

    pub(super) fn service(sid: String) -> Result<Self, ConfigError> {
        if is_sid(&sid, "MG") {
            Ok(Self::Service(sid))
        } else {
            Err(ConfigError::MessagingServiceSid)
        }
    }
}

/// A shape only: Twilio's magic test senders (+1 500 555 ...) are no valid numbers.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && all_digits(digits) && !digits.starts_with('0')
    })
}

fn is_short_code(text: &str) -> bool {
    (3..=8).contains(&text.len()) && all_digits(text)
}

fn is_sender_id(text: &str) -> bool {
    (1..=11).contains(&text.len())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b" +-_&".contains(&byte))
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_number_a_short_code_or_an_id() {
        for fine in ["+15005550006", "12345", "ACME", "Acme Pay-1"] {
            assert!(Sender::from_text(fine.to_owned()).is_ok(), "{fine}");
        }
        for bad in [
            "",
            "+",
            "+0123456789",
            "15005550006",
            "12",
            "Twelve chars",
            "A\r\nB",
            "é",
            "whatsapp:+1",
        ] {
            assert!(Sender::from_text(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
