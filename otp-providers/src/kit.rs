//! What the adapters' own tests share.

#[cfg(feature = "_wire")]
mod read;

use std::time::Duration;

use otp_core::challenge::{Code, CodeFormat};
use otp_core::delivery::{Locale, Message, MessageId, SenderId, TemplateId};
use otp_core::destination::{Channel, Destination, EmailAddress, PhoneNumber};

#[cfg(any(feature = "generic", feature = "sns", feature = "vonage"))]
pub(crate) use self::read::form;
#[cfg(feature = "_wire")]
pub(crate) use self::read::{assert_read, json};

pub(crate) const PHONE: &str = "+14155550123";
pub(crate) const EMAIL: &str = "someone@example.org";
pub(crate) const TEXT: &str = "904173 is your code & no one's + else.";

pub(crate) fn code() -> Code {
    Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits")
}

fn message(channel: Channel, to: Destination, life: Duration, locale: &str) -> Message {
    Message::builder(
        MessageId::new("challenge-1"),
        channel,
        to,
        TEXT.to_owned(),
        code(),
    )
    .locale(Locale::new(locale).expect("a tag"))
    .subject("Your code")
    .html("<p>904173</p>".to_owned())
    .expires_in(life)
    .build()
}

pub(crate) fn to_phone(channel: Channel, seconds: u64) -> Message {
    in_locale(channel, seconds, "en")
}

pub(crate) fn in_locale(channel: Channel, seconds: u64, locale: &str) -> Message {
    let phone = PhoneNumber::parse(PHONE).expect("a number");
    message(channel, phone.into(), Duration::from_secs(seconds), locale)
}

pub(crate) fn to_email() -> Message {
    let email = EmailAddress::parse(EMAIL).expect("an address");
    message(Channel::Email, email.into(), Duration::from_secs(300), "en")
}

/// A message whose country has a sender and a template of its own.
#[cfg(any(feature = "_wire", feature = "twilio"))]
pub(crate) fn asking(channel: Channel, sender: &str, template: &str) -> Message {
    let phone = PhoneNumber::parse(PHONE).expect("a number");
    let id = MessageId::new("challenge-1");
    Message::builder(id, channel, phone.into(), TEXT.to_owned(), code())
        .sender(SenderId::new(sender).expect("a sender"))
        .template(TemplateId::new(template).expect("a template"))
        .build()
}
