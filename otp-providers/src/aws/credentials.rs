use std::fmt;

use otp_core::secret::SecretString;

use crate::config::{self, ConfigError};

/// Session tokens grow with what they allow.
const LONGEST_TOKEN: usize = 4096;

/// An access key, and the session token that a temporary one has. `Debug` shows none of it.
#[derive(Clone)]
pub struct AwsCredentials {
    access_key_id: String,
    secret: SecretString,
    session_token: Option<SecretString>,
}

impl AwsCredentials {
    /// Takes a long-lived key of an IAM user that may do nothing but send.
    ///
    /// # Errors
    /// [`ConfigError`] where a part is empty or holds what no header carries.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<SecretString>,
    ) -> Result<Self, ConfigError> {
        let access_key_id = access_key_id.into();
        let fits = (4..=128).contains(&access_key_id.len())
            && access_key_id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric());
        if !fits {
            return Err(ConfigError::VendorId);
        }
        let secret = secret_access_key.into();
        config::check_credential(&secret)?;
        Ok(Self {
            access_key_id,
            secret,
            session_token: None,
        })
    }

    /// Adds the session token of a temporary key.
    ///
    /// # Errors
    /// [`ConfigError::Credential`] where it is empty or holds what no header carries.
    pub fn with_session_token(
        mut self,
        token: impl Into<SecretString>,
    ) -> Result<Self, ConfigError> {
        let token = token.into();
        config::check_token(&token, LONGEST_TOKEN)?;
        self.session_token = Some(token);
        Ok(self)
    }

    pub(super) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(super) fn session_token(&self) -> Option<&SecretString> {
        self.session_token.as_ref()
    }
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCredentials(redacted)")
    }
}

/// Gives the credentials that hold now; asked once for each message.
///
/// A host whose credentials change (a role's, a container's) keeps the current ones in memory and
/// renews them on its own; this call must not wait. A fixed pair is a source of itself.
pub trait AwsCredentialSource: fmt::Debug + Send + Sync + 'static {
    /// Gives the current credentials, or `None` where there are none; then nothing is sent, and
    /// the error is `Unauthorized`.
    fn credentials(&self) -> Option<AwsCredentials>;
}

impl AwsCredentialSource for AwsCredentials {
    fn credentials(&self) -> Option<AwsCredentials> {
        Some(self.clone())
    }
}
