use std::fmt;

use thiserror::Error;

use crate::delivery::sms_format::sms_retriever_hash;

/// Who is speaking in a message: the product's name, the web origin that a code belongs to, and
/// the Android app that may read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brand {
    name: String,
    origin: Option<String>,
    app: Option<AppHash>,
}

/// Says why a brand was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidBrand {
    /// The name is empty, over 30 characters, or holds characters that nobody sees.
    #[error("a brand is 1 to 30 visible characters")]
    Name,
    /// The origin is not a bare host name.
    #[error("an origin is a bare host name such as example.com")]
    Origin,
    /// The hash of the app is not eleven characters of Base64.
    #[error("the hash of an app is eleven characters of base64")]
    AppHash,
}

impl Brand {
    /// Names the product as messages show it.
    ///
    /// # Errors
    /// [`InvalidBrand::Name`] where it is empty, longer than 30 characters, or holds control
    /// characters or such as change the direction of what follows.
    pub fn new(name: &str) -> Result<Self, InvalidBrand> {
        let fits = !name.trim().is_empty()
            && name.chars().count() <= 30
            && !name.chars().any(|c| c.is_control() || is_unseen(c));
        if fits {
            Ok(Self {
                name: name.to_owned(),
                ..Self::default()
            })
        } else {
            Err(InvalidBrand::Name)
        }
    }

    /// Binds codes in text messages to a web origin, so that a browser fills them in there only:
    /// the last line becomes `@host #code` (WICG origin-bound one-time codes).
    ///
    /// # Errors
    /// [`InvalidBrand::Origin`] where `host` is not a bare host name.
    pub fn with_origin(mut self, host: &str) -> Result<Self, InvalidBrand> {
        let fits = (1..=253).contains(&host.len())
            && host.contains('.')
            && host
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-'));
        if fits {
            self.origin = Some(host.to_owned());
            Ok(self)
        } else {
            Err(InvalidBrand::Origin)
        }
    }

    /// Lets an Android app read its codes out of text messages without a permission: its hash
    /// stands in a line of its own, the last one, or the one before `@host #code` where an origin
    /// is bound too. Android looks for it anywhere, browsers look at the last line only, so both
    /// work. Android takes such a message up to 140 bytes, and shipped words keep to that.
    ///
    /// Source: Android's SMS Retriever guide.
    #[must_use]
    pub fn with_app(mut self, hash: AppHash) -> Self {
        self.app = Some(hash);
        self
    }

    /// Gives the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the origin, where one is bound.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Gives the hash of the Android app, where one reads the messages.
    #[must_use]
    pub fn app(&self) -> Option<&AppHash> {
        self.app.as_ref()
    }
}

/// The hash by which Android's SMS Retriever knows an app's messages. It is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppHash(String);

impl AppHash {
    /// Takes a hash as Android's helper prints it.
    ///
    /// # Errors
    /// [`InvalidBrand::AppHash`] where it is not eleven letters, digits, `+` and `/`.
    ///
    /// # Examples
    /// ```
    /// use otp_core::delivery::{AppHash, Brand};
    ///
    /// let brand = Brand::new("Acme")?.with_app(AppHash::new("FA+9qCX9VSu")?);
    /// assert_eq!(brand.app().map(AppHash::as_str), Some("FA+9qCX9VSu"));
    /// assert!(AppHash::new("FA+9").is_err());
    /// # Ok::<(), otp_core::delivery::InvalidBrand>(())
    /// ```
    pub fn new(hash: &str) -> Result<Self, InvalidBrand> {
        let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
        if hash.len() == 11 && hash.chars().all(base64) {
            Ok(Self(hash.to_owned()))
        } else {
            Err(InvalidBrand::AppHash)
        }
    }

    /// Makes the hash of a package and the DER of the certificate that signs the app; see
    /// [`sms_retriever_hash`].
    #[must_use]
    pub fn of_app(package: &str, certificate_der: &[u8]) -> Self {
        Self(sms_retriever_hash(package, certificate_der))
    }

    /// Gives the eleven characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AppHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Finds characters that show nothing and change how what follows is read.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_and_origins_cannot_break_out_of_a_message() {
        for bad in [
            "",
            " ",
            "a\r\nBcc: x",
            &"x".repeat(31),
            "a\u{202e}b",
            "a\u{2066}",
            "a\u{200b}",
        ] {
            assert_eq!(Brand::new(bad), Err(InvalidBrand::Name), "{bad:?}");
        }
        for bad in [
            "",
            "localhost",
            "https://example.com",
            "example.com/x",
            "EXAMPLE.com",
        ] {
            assert!(Brand::default().with_origin(bad).is_err(), "{bad:?}");
        }
        for bad in [
            "",
            "FA+9qCX9VS",
            "FA+9qCX9VSuu",
            "FA+9qCX9VS ",
            "FA+9qCX9\nSu",
        ] {
            assert_eq!(AppHash::new(bad), Err(InvalidBrand::AppHash), "{bad:?}");
        }
    }
}
