use std::time::SystemTime;

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use otp_core::clock::Timestamp;
use otp_core::delivery::Message;
use otp_core::destination::EmailAddress;
use otp_core::secret::SecretBytes;

/// RFC 3834, and Exchange's own word for it: no vacation notices in answer.
const AUTOMATIC: [(&str, &str); 2] = [
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "All"),
];

/// Takes an address that every server carries; others need SMTPUTF8.
pub(super) fn address(email: &EmailAddress) -> Option<Address> {
    let address = email.address();
    let ascii = address.is_ascii() && !address.bytes().any(|byte| byte.is_ascii_control());
    address.parse().ok().filter(|_| ascii)
}

/// Writes the mail, text and HTML as alternatives, in ASCII all through; `None` where it cannot be
/// written.
pub(super) fn compose(
    from: &Mailbox,
    to: &Address,
    id: &str,
    message: &Message,
    now: Timestamp,
) -> Option<SecretBytes> {
    let mut mail = lettre::Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(message.subject().unwrap_or("Your code"))
        .date(SystemTime::from(now))
        .message_id(Some(format!("<{id}>")));
    for (name, value) in AUTOMATIC {
        let name = HeaderName::new_from_ascii(name.to_owned()).ok()?;
        mail = mail.raw_header(HeaderValue::new(name, value.to_owned()));
    }
    let text = SinglePart::plain(message.text().to_owned());
    let mail = match message.html() {
        Some(html) => {
            let html = SinglePart::html(html.to_owned());
            mail.multipart(MultiPart::alternative().singlepart(text).singlepart(html))
        }
        None => mail.singlepart(text),
    };
    let written = SecretBytes::new(mail.ok()?.formatted());
    written.expose().is_ascii().then_some(written)
}
