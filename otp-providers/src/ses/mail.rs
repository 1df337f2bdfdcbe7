use otp_core::delivery::Message;
use otp_core::destination::EmailAddress;
use serde::Serialize;

/// The body of `SendEmail`: one message to one person.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Mail<'a> {
    from_email_address: &'a str,
    destination: Destination<'a>,
    content: Content<'a>,
    email_tags: [NameValue<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Destination<'a> {
    to_addresses: [&'a str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Content<'a> {
    simple: Simple<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Simple<'a> {
    subject: Part<'a>,
    body: Body<'a>,
    headers: [NameValue<'a>; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    text: Part<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<Part<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Part<'a> {
    data: &'a str,
    charset: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NameValue<'a> {
    name: &'static str,
    value: &'a str,
}

impl<'a> Mail<'a> {
    pub(super) fn new(
        from: &'a str,
        configuration_set: Option<&'a str>,
        to: &'a EmailAddress,
        message: &'a Message,
    ) -> Self {
        let part = |data| Part {
            data,
            charset: "UTF-8",
        };
        Self {
            from_email_address: from,
            destination: Destination {
                to_addresses: [to.address()],
            },
            content: Content {
                simple: Simple {
                    subject: part(message.subject().unwrap_or("Your code")),
                    body: Body {
                        text: part(message.text()),
                        html: message.html().map(part),
                    },
                    // RFC 3834, and Exchange's own word for it: no vacation notices in answer.
                    headers: [
                        NameValue {
                            name: "Auto-Submitted",
                            value: "auto-generated",
                        },
                        NameValue {
                            name: "X-Auto-Response-Suppress",
                            value: "All",
                        },
                    ],
                },
            },
            email_tags: [NameValue {
                name: "otpkit_message_id",
                value: message.id().as_str(),
            }],
            configuration_set_name: configuration_set,
        }
    }
}

/// Writes a mailbox (RFC 5322 section 3.4): ASCII names quoted, others as one encoded word each
/// (RFC 2047), which is what SES asks for.
pub(super) fn mailbox(name: Option<&str>, address: &EmailAddress) -> String {
    let address = address.address();
    let Some(name) = name else {
        return address.to_owned();
    };
    if name.is_ascii() {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{address}>");
    }
    let words: Vec<String> = chunks(name)
        .iter()
        .map(|chunk| encoded_word(chunk))
        .collect();
    format!("{} <{address}>", words.join(" "))
}

/// Cuts a text between characters so that an encoded word of each piece stays within 75 characters.
fn chunks(name: &str) -> Vec<String> {
    let mut chunks = vec![String::new()];
    for character in name.chars() {
        match chunks.last_mut() {
            Some(last) if last.len() + character.len_utf8() <= 20 => last.push(character),
            _ => chunks.push(character.to_string()),
        }
    }
    chunks
}

/// Writes the Q encoding with only letters and digits as themselves.
fn encoded_word(text: &str) -> String {
    let mut word = "=?UTF-8?Q?".to_owned();
    for byte in text.bytes() {
        match byte {
            b' ' => word.push('_'),
            _ if byte.is_ascii_alphanumeric() => word.push(char::from(byte)),
            _ => word.push_str(&format!("={byte:02X}")),
        }
    }
    word.push_str("?=");
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_or_encoded_and_ends_no_header() {
        let from = EmailAddress::parse("no-reply@example.com").expect("an address");
        assert_eq!(mailbox(None, &from), "no-reply@example.com");
        assert_eq!(
            mailbox(Some(r#"Acme, "Inc" \"#), &from),
            r#""Acme, \"Inc\" \\" <no-reply@example.com>"#
        );
        assert_eq!(
            mailbox(Some("Käse"), &from),
            "=?UTF-8?Q?K=C3=A4se?= <no-reply@example.com>"
        );
        let long = mailbox(Some(&"é".repeat(30)), &from);
        assert!(long.split(' ').all(|word| word.len() <= 75), "{long}");
    }
}
