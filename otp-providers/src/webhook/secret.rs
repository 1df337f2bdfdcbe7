use std::fmt;

use otp_core::secret::SecretString;
use thiserror::Error;

/// A secret that a vendor signs with. `Debug` is redacted.
#[derive(Clone)]
pub struct WebhookSecret(SecretString);

/// The text can be no secret: anybody could sign with an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a webhook secret is 1 to 512 characters without blanks around it")]
pub struct InvalidSecret;

impl WebhookSecret {
    /// Takes a secret.
    ///
    /// # Errors
    /// [`InvalidSecret`] where it is empty, longer than 512 bytes, or has blanks around it, which
    /// a secret picks up on its way through files.
    pub fn new(secret: impl Into<SecretString>) -> Result<Self, InvalidSecret> {
        let secret = secret.into();
        let text = secret.expose();
        if (1..=512).contains(&text.len()) && text.trim().len() == text.len() {
            Ok(Self(secret))
        } else {
            Err(InvalidSecret)
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_anybody_could_sign_with_is_refused_and_none_is_shown() {
        for bad in ["", " ", " key", "key\n", &"x".repeat(513)] {
            assert!(WebhookSecret::new(bad).is_err(), "{bad:?}");
        }
        let secret = WebhookSecret::new("canary").expect("a secret");
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
