#[cfg(any(feature = "plivo", feature = "twilio", feature = "vonage"))]
use url::Url;

use crate::config::ConfigError;
#[cfg(any(feature = "plivo", feature = "sns", feature = "vonage"))]
use otp_core::delivery::Message;

#[cfg(any(feature = "plivo", feature = "twilio", feature = "vonage"))]
const LONGEST_CALLBACK: usize = 4000;

/// Who a text message comes from: an E.164 number, a short code, or an alphanumeric id.
pub(crate) struct SenderId(String);

impl SenderId {
    pub(crate) fn parse(text: String) -> Result<Self, ConfigError> {
        if Self::fits(&text) {
            Ok(Self(text))
        } else {
            Err(ConfigError::Sender)
        }
    }

    /// Says whether a text is a sender of text messages.
    pub(crate) fn fits(text: &str) -> bool {
        is_e164(text) || is_short_code(text) || is_sender_id(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Gives the sender that a message asks for, where vendors of text messages know its kind.
#[cfg(any(feature = "plivo", feature = "sns", feature = "vonage"))]
pub(crate) fn asked(message: &Message) -> Option<&str> {
    let asked = message.sender()?.as_str();
    SenderId::fits(asked).then_some(asked)
}

/// Checks the address that a vendor reports to.
#[cfg(any(feature = "plivo", feature = "twilio", feature = "vonage"))]
pub(crate) fn callback(text: String) -> Result<String, ConfigError> {
    let url = Url::parse(&text).map_err(|_| ConfigError::StatusCallback)?;
    let host = url.host_str().unwrap_or_default();
    let fits = matches!(url.scheme(), "https" | "http")
        && !host.is_empty()
        && !host.contains('_')
        && text.len() <= LONGEST_CALLBACK;
    if fits {
        Ok(text)
    } else {
        Err(ConfigError::StatusCallback)
    }
}

/// A shape only: vendors' test senders (Twilio's +1 500 555 ...) are no valid numbers.
pub(crate) fn is_e164(text: &str) -> bool {
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
            assert!(SenderId::parse(fine.to_owned()).is_ok(), "{fine}");
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
            assert!(SenderId::parse(bad.to_owned()).is_err(), "{bad:?}");
        }
    }
}
