use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

/// A code that a text message binds to a web origin, by its last line `@host #code`.
///
/// # Examples
/// ```
/// use otp_core::delivery::OriginBoundCode;
///
/// let bound = OriginBoundCode::parse("Your code is 123456.\n\n@example.com #123456").unwrap();
/// assert_eq!((bound.host(), bound.embedded_host()), ("example.com", None));
/// assert_eq!(bound.code(), "123456");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct OriginBoundCode {
    host: String,
    code: String,
    embedded: Option<String>,
}

impl OriginBoundCode {
    /// Reads a message as a browser does (WICG, origin-bound one-time codes delivered via SMS,
    /// parsing): `None` where its last line is not of the form. What follows is ignored.
    #[must_use]
    pub fn parse(message: &str) -> Option<Self> {
        let line = message.rsplit(['\n', '\r']).next()?;
        let (host, rest) = token(line, '@')?;
        let (code, rest) = token(rest.strip_prefix(' ')?, '#')?;
        let embedded = rest.strip_prefix(' ').and_then(|rest| token(rest, '@'));
        Some(Self {
            host: host.to_owned(),
            code: code.to_owned(),
            embedded: embedded.map(|(host, _)| host.to_owned()),
        })
    }

    /// Gives the host that the code is for; its scheme is `https`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Gives the host of the frame in it that takes the code, where one does.
    #[must_use]
    pub fn embedded_host(&self) -> Option<&str> {
        self.embedded.as_deref()
    }

    /// Shows the code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Debug for OriginBoundCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OriginBoundCode")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// Takes what follows a marker up to white space; it is not empty.
fn token(text: &str, marker: char) -> Option<(&str, &str)> {
    let text = text.strip_prefix(marker)?;
    let blank = |c: char| matches!(c, ' ' | '\t' | '\x0c');
    let end = text.find(blank).unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(end)?;
    (!token.is_empty()).then_some((token, rest))
}

/// Makes the hash by which Android's SMS Retriever finds an app's messages: 11 letters, digits,
/// `+` and `/`, of the package's name and the DER of the certificate that signs the app.
///
/// It is no secret. It stands anywhere in a message of at most 140 bytes; before the last line,
/// where that binds the code to an origin too.
///
/// Source: Android's SMS Retriever guide, computing your app's hash string.
///
/// # Examples
/// ```
/// use otp_core::delivery::sms_retriever_hash;
///
/// assert_eq!(sms_retriever_hash("com.example.app", b"certificate").len(), 11);
/// ```
#[must_use]
pub fn sms_retriever_hash(package: &str, certificate_der: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(package.as_bytes());
    hash.update(b" ");
    for byte in certificate_der {
        hash.update(format!("{byte:02x}"));
    }
    let mut text = STANDARD_NO_PAD.encode(hash.finalize());
    text.truncate(11);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &str) -> Option<(String, String, Option<String>)> {
        OriginBoundCode::parse(message).map(|bound| (bound.host, bound.code, bound.embedded))
    }

    #[test]
    fn the_last_line_binds_a_code_to_a_host_and_a_frame() {
        let bound = |embedded: Option<&str>| {
            Some((
                "a.example".to_owned(),
                "12-x".to_owned(),
                embedded.map(str::to_owned),
            ))
        };
        for (message, embedded) in [
            ("@a.example #12-x", None),
            ("@b.example #1\n@a.example #12-x", None),
            ("words\r\n@a.example #12-x", None),
            ("@a.example #12-x @b.example", Some("b.example")),
            ("@a.example #12-x @b.example more", Some("b.example")),
            ("@a.example #12-x more @b.example", None),
            ("@a.example #12-x  @b.example", None),
            ("@a.example #12-x @", None),
            ("@a.example #12-x\tmore", None),
        ] {
            assert_eq!(read(message), bound(embedded), "{message:?}");
        }
    }

    #[test]
    fn any_other_last_line_binds_nothing() {
        for message in [
            "",
            "@",
            "@a.example",
            "@a.example ",
            "@a.example #",
            "@ #12",
            "@a.example  #12",
            "@a.example\t#12",
            "@a.example#12",
            " @a.example #12",
            "x @a.example #12",
            "#12 @a.example",
            "@a.example code #12",
            "@a.example #12\n",
            "@a.example #12\r\n",
        ] {
            assert_eq!(read(message), None, "{message:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_code() {
        let bound = OriginBoundCode::parse("@a.example #canary").expect("bound");
        assert!(!format!("{bound:?}").contains("canary"));
    }

    #[test]
    fn the_retriever_hash_depends_on_package_and_certificate() {
        let hash = sms_retriever_hash("com.example", &[0, 255]);
        assert_ne!(hash, sms_retriever_hash("com.example", &[0, 254]));
        assert_ne!(hash, sms_retriever_hash("com.example2", &[0, 255]));
        // printf 'com.example 00ff' | openssl dgst -sha256 -binary | base64
        assert_eq!(hash, "wWhxcjg0D0+");
    }
}
