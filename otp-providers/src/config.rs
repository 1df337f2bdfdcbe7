use std::error::Error;

use thiserror::Error;

#[cfg(any(feature = "twilio", feature = "sendgrid"))]
use {
    crate::http::{BaseUrl, HttpTransport},
    http::HeaderValue,
    otp_core::secret::SecretString,
    std::sync::Arc,
};

/// Says what is wrong with an adapter's configuration. It never holds a credential.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The account's id is malformed.
    #[error("an account sid is AC and 32 hexadecimal digits")]
    AccountSid,
    /// The API key's id is malformed.
    #[error("an api key sid is SK and 32 hexadecimal digits")]
    ApiKeySid,
    /// The secret is empty or holds characters that no header carries.
    #[error("a credential is 1 to 512 visible ascii characters")]
    Credential,
    /// Nobody is named as the sender.
    #[error("a sender is missing: set a sender or a messaging service")]
    SenderMissing,
    /// Both a sender and a messaging service are named.
    #[error("set either a sender or a messaging service, not both")]
    TwoSenders,
    /// The sender is neither a number, nor a short code, nor a sender id.
    #[error(
        "a sender is an e.164 number, a short code of 3 to 8 digits, or an id of up to 11 characters with a letter"
    )]
    Sender,
    /// The messaging service's id is malformed.
    #[error("a messaging service sid is MG and 32 hexadecimal digits")]
    MessagingServiceSid,
    /// The callback is not an absolute web address that the vendor would call.
    #[error(
        "a status callback is an absolute http or https url of up to 4000 characters without underscores in its host"
    )]
    StatusCallback,
    /// The sender's display name is empty, too long, or holds control characters.
    #[error("a sender name is 1 to 100 visible characters")]
    FromName,
    /// No transport was given, and no default one is compiled in.
    #[error("a transport is missing: give one, or enable the feature reqwest")]
    TransportMissing,
    /// The default transport could not be made.
    #[error("the http client could not be made")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
}

/// Reads an address that the adapter itself names.
#[cfg(any(feature = "twilio", feature = "sendgrid"))]
pub(crate) fn default_base(url: &str) -> Result<BaseUrl, ConfigError> {
    BaseUrl::parse(url).map_err(|error| ConfigError::Transport(error.into()))
}

/// Takes the transport that was given, or makes the default one.
#[cfg(any(feature = "twilio", feature = "sendgrid"))]
pub(crate) fn transport_or_default(
    given: Option<Arc<dyn HttpTransport>>,
) -> Result<Arc<dyn HttpTransport>, ConfigError> {
    match given {
        Some(transport) => Ok(transport),
        None => default_transport(),
    }
}

#[cfg(all(feature = "reqwest", any(feature = "twilio", feature = "sendgrid")))]
fn default_transport() -> Result<Arc<dyn HttpTransport>, ConfigError> {
    match crate::http::ReqwestTransport::new() {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(ConfigError::Transport(error.into())),
    }
}

#[cfg(all(
    not(feature = "reqwest"),
    any(feature = "twilio", feature = "sendgrid")
))]
fn default_transport() -> Result<Arc<dyn HttpTransport>, ConfigError> {
    Err(ConfigError::TransportMissing)
}

/// Checks that a secret can travel in a header.
#[cfg(any(feature = "twilio", feature = "sendgrid"))]
pub(crate) fn check_credential(secret: &SecretString) -> Result<(), ConfigError> {
    let text = secret.expose();
    let fits = (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        Err(ConfigError::Credential)
    }
}

/// Makes a header that `Debug` and the HTTP/2 header tables keep to themselves.
#[cfg(any(feature = "twilio", feature = "sendgrid"))]
pub(crate) fn secret_header(value: &SecretString) -> Result<HeaderValue, ConfigError> {
    let mut header = HeaderValue::from_str(value.expose()).map_err(|_| ConfigError::Credential)?;
    header.set_sensitive(true);
    Ok(header)
}
