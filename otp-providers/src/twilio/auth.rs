use std::fmt;

use http::header::HeaderValue;
use otp_core::secret::SecretString;

use crate::config::{self, ConfigError};

/// A credential of a Twilio account. `Debug` shows which sort it is.
#[derive(Clone)]
pub struct TwilioAuth(Sort);

#[derive(Clone)]
enum Sort {
    Token(SecretString),
    ApiKey { sid: String, secret: SecretString },
}

impl TwilioAuth {
    /// Uses the account's own auth token. Twilio advises it for tests; it opens everything.
    #[must_use]
    pub fn token(token: impl Into<SecretString>) -> Self {
        Self(Sort::Token(token.into()))
    }

    /// Uses an API key (`SK` and 32 hexadecimal digits) and its secret: it can be revoked alone.
    #[must_use]
    pub fn api_key(sid: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self(Sort::ApiKey {
            sid: sid.into(),
            secret: secret.into(),
        })
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Sort::Token(token) => config::check_credential(token),
            Sort::ApiKey { sid, .. } if !is_sid(sid, "SK") => Err(ConfigError::ApiKeySid),
            Sort::ApiKey { secret, .. } => config::check_credential(secret),
        }
    }

    /// Writes HTTP Basic (RFC 7617).
    pub(crate) fn header(&self, account_sid: &str) -> Result<HeaderValue, ConfigError> {
        let (user, secret) = match &self.0 {
            Sort::Token(token) => (account_sid, token),
            Sort::ApiKey { sid, secret } => (sid.as_str(), secret),
        };
        config::basic_header(user, secret)
    }
}

impl fmt::Debug for TwilioAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Sort::Token(_) => "TwilioAuth(token, redacted)",
            Sort::ApiKey { .. } => "TwilioAuth(api key, redacted)",
        })
    }
}

/// Says whether the text is two letters and 32 hexadecimal digits, as all of Twilio's ids are.
pub(crate) fn is_sid(text: &str, letters: &str) -> bool {
    text.strip_prefix(letters)
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
