use std::error::Error;

use thiserror::Error;

#[cfg(any(feature = "_wire", feature = "sendgrid", feature = "twilio"))]
use http::HeaderValue;
#[cfg(any(
    feature = "_wire",
    feature = "captcha",
    feature = "sendgrid",
    feature = "twilio"
))]
use {crate::http::BaseUrl, otp_core::secret::SecretString};
#[cfg(feature = "_adapter")]
use {crate::http::HttpTransport, std::sync::Arc};

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
    /// The vendor makes no codes of this shape.
    #[error("the vendor makes no codes of this shape")]
    CodeFormat,
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
    /// The Verify service's id is malformed.
    #[error("a verify service sid is VA and 32 hexadecimal digits")]
    VerifyServiceSid,
    /// The callback is not an absolute web address that the vendor would call.
    #[error(
        "a status callback is an absolute http or https url of up to 4000 characters without underscores in its host"
    )]
    StatusCallback,
    /// The sender's display name is empty, too long, or holds control characters.
    #[error("a sender name is 1 to 100 visible characters")]
    FromName,
    /// A vendor's id of an account, key, phone number or pool is malformed.
    #[error("an id of the vendor's is malformed")]
    VendorId,
    /// The name of a template, a template set or a tag is malformed.
    #[error("a template or set name is malformed")]
    TemplateName,
    /// The language of a template is no code such as `en_US`.
    #[error("a template language is a code such as en_US")]
    TemplateLanguage,
    /// The region is no name such as `eu-west-1`.
    #[error("a region is a name such as eu-west-1")]
    Region,
    /// The server's address is neither a host name nor an IP address, or its scheme is unknown.
    #[error(
        "a mail server is smtp://host or smtps://host, with a port where it is not the usual one"
    )]
    MailServer,
    /// Mail would leave in the clear.
    #[error("mail without tls is for loopback addresses only")]
    PlainMail,
    /// A mail address is not one that this protocol carries.
    #[error("a mail address is not one that smtp carries")]
    MailAddress,
    /// No host is named that shows the captcha, or one is no host name.
    #[error("a captcha needs the hosts that show it, names such as login.example.com")]
    CaptchaHostname,
    /// The captcha's action is missing, malformed, or the vendor has none.
    #[error(
        "a captcha's action is 1 to 100 letters, digits, _, - or /; recaptcha v3 needs one, hcaptcha and recaptcha v2 have none"
    )]
    CaptchaAction,
    /// The score is not one, or the vendor gives none.
    #[error("a captcha's least score is 0 to 1, and only recaptcha v3 gives scores")]
    CaptchaScore,
    /// No transport was given, and no default one is compiled in.
    #[error("a transport is missing: give one, or enable the feature reqwest")]
    TransportMissing,
    /// The default transport could not be made.
    #[error("the http client could not be made")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
}

/// Reads an address that the adapter itself names.
#[cfg(any(
    feature = "_wire",
    feature = "captcha",
    feature = "sendgrid",
    feature = "twilio"
))]
pub(crate) fn default_base(url: &str) -> Result<BaseUrl, ConfigError> {
    BaseUrl::parse(url).map_err(|error| ConfigError::Transport(error.into()))
}

/// Takes the transport that was given, or makes the default one.
#[cfg(feature = "_adapter")]
pub(crate) fn transport_or_default(
    given: Option<Arc<dyn HttpTransport>>,
) -> Result<Arc<dyn HttpTransport>, ConfigError> {
    match given {
        Some(transport) => Ok(transport),
        None => default_transport(),
    }
}

#[cfg(all(feature = "reqwest", feature = "_adapter"))]
fn default_transport() -> Result<Arc<dyn HttpTransport>, ConfigError> {
    match crate::http::ReqwestTransport::new() {
        Ok(transport) => Ok(Arc::new(transport)),
        Err(error) => Err(ConfigError::Transport(error.into())),
    }
}

#[cfg(all(not(feature = "reqwest"), feature = "_adapter"))]
fn default_transport() -> Result<Arc<dyn HttpTransport>, ConfigError> {
    Err(ConfigError::TransportMissing)
}

/// Checks that a secret can travel in a header.
#[cfg(any(
    feature = "captcha",
    feature = "plivo",
    feature = "sendgrid",
    feature = "ses",
    feature = "sns",
    feature = "telegram",
    feature = "twilio",
    feature = "vonage",
    feature = "whatsapp"
))]
pub(crate) fn check_credential(secret: &SecretString) -> Result<(), ConfigError> {
    check_token(secret, 512)
}

/// Checks that a token of at most so many bytes can travel in a header.
#[cfg(any(
    feature = "captcha",
    feature = "plivo",
    feature = "sendgrid",
    feature = "ses",
    feature = "sns",
    feature = "telegram",
    feature = "twilio",
    feature = "vonage",
    feature = "whatsapp"
))]
pub(crate) fn check_token(secret: &SecretString, longest: usize) -> Result<(), ConfigError> {
    let text = secret.expose();
    let fits =
        (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(())
    } else {
        Err(ConfigError::Credential)
    }
}

/// Makes a header that `Debug` and the HTTP/2 header tables keep to themselves.
#[cfg(any(feature = "_wire", feature = "sendgrid", feature = "twilio"))]
pub(crate) fn secret_header(value: &SecretString) -> Result<HeaderValue, ConfigError> {
    let mut header = HeaderValue::from_str(value.expose()).map_err(|_| ConfigError::Credential)?;
    header.set_sensitive(true);
    Ok(header)
}

/// Writes HTTP Basic (RFC 7617).
#[cfg(any(
    feature = "generic",
    feature = "plivo",
    feature = "twilio",
    feature = "vonage"
))]
pub(crate) fn basic_header(user: &str, secret: &SecretString) -> Result<HeaderValue, ConfigError> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let pair = SecretString::new(format!("{user}:{}", secret.expose()));
    secret_header(&SecretString::new(format!(
        "Basic {}",
        STANDARD.encode(pair.expose())
    )))
}

/// Writes a bearer token (RFC 6750).
#[cfg(any(feature = "generic", feature = "telegram", feature = "whatsapp"))]
pub(crate) fn bearer_header(token: &SecretString) -> Result<HeaderValue, ConfigError> {
    secret_header(&SecretString::new(format!("Bearer {}", token.expose())))
}

/// Checks the name that mail programs show for the sender.
#[cfg(any(feature = "sendgrid", feature = "ses", feature = "smtp"))]
pub(crate) fn checked_name(name: String) -> Result<String, ConfigError> {
    let fits = !name.trim().is_empty()
        && name.chars().count() <= 100
        && !name.chars().any(char::is_control);
    if fits {
        Ok(name)
    } else {
        Err(ConfigError::FromName)
    }
}
