#![doc = include_str!("../docs/ses.md")]

mod event;
mod mail;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::HeaderName;
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_core::destination::{Channel, EmailAddress};
use serde::Deserialize;

use crate::Classified;
use crate::aws::{self, AwsCredentialSource, Signer};
use crate::config::{self, ConfigError};
use crate::http::{Endpoint, HttpRequest, HttpResponse};
use crate::wire::{self, Settings, Wire, wire_settings};

pub use self::event::{SesEvent, classify_event};

const NAME: &str = "ses";
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Gathers the settings of a [`Ses`]; see [`Ses::builder`].
#[must_use]
pub struct SesBuilder {
    credentials: Arc<dyn AwsCredentialSource>,
    region: String,
    from: EmailAddress,
    from_name: Option<String>,
    configuration_set: Option<String>,
    wire: Settings,
}

impl SesBuilder {
    /// Sets the name that mail programs show for the sender. Default: none.
    pub fn from_name(mut self, name: impl Into<String>) -> Self {
        self.from_name = Some(name.into());
        self
    }

    /// Sets the configuration set that publishes this mail's events. Default: the identity's.
    pub fn configuration_set(mut self, name: impl Into<String>) -> Self {
        self.configuration_set = Some(name.into());
        self
    }

    wire_settings!("`https://email.{region}.amazonaws.com`");

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<Ses, ConfigError> {
        let signer = Signer::new(self.credentials, &self.region, "ses")?;
        let from_name = self.from_name.map(config::checked_name).transpose()?;
        let wire = self.wire.open(&aws::api("email", &self.region))?;
        Ok(Ses {
            endpoint: wire.endpoint(&["v2", "email", "outbound-emails"]),
            from: mail::mailbox(from_name.as_deref(), &self.from),
            configuration_set: self.configuration_set.map(checked_set).transpose()?,
            signer,
            wire,
        })
    }
}

impl fmt::Debug for SesBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SesBuilder").finish_non_exhaustive()
    }
}

/// Sends e-mail through Amazon SES v2.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::destination::EmailAddress;
/// use otp_providers::aws::AwsCredentials;
/// use otp_providers::ses::Ses;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let ses = Ses::builder(
///     Arc::new(AwsCredentials::new("AKIDEXAMPLE", "a-secret-access-key")?),
///     "eu-west-1",
///     EmailAddress::parse("no-reply@example.com")?,
/// )
/// .from_name("Example")
/// .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
/// .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ses {
    endpoint: Endpoint,
    from: String,
    configuration_set: Option<String>,
    signer: Signer,
    wire: Wire,
}

impl Ses {
    /// Starts with credentials that may do `ses:SendEmail`, the region, and a verified sender.
    pub fn builder(
        credentials: Arc<dyn AwsCredentialSource>,
        region: impl Into<String>,
        from: EmailAddress,
    ) -> SesBuilder {
        SesBuilder {
            credentials,
            region: region.into(),
            from,
            from_name: None,
            configuration_set: None,
            wire: Settings::new(),
        }
    }

    fn request(&self, to: &EmailAddress, message: &Message) -> Result<HttpRequest, DeliveryError> {
        let mail = mail::Mail::new(&self.from, self.configuration_set.as_deref(), to, message);
        let body = serde_json::to_vec(&mail).map_err(|_| wire::unfit(NAME))?;
        let request = HttpRequest::post(self.endpoint.clone(), "application/json", body);
        self.signer.sign(NAME, request, self.wire.now())
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        if reply.status().is_success() {
            let accepted: Accepted =
                serde_json::from_slice(reply.body()).map_err(|_| wire::nonsense(NAME))?;
            return wire::receipt(NAME, &accepted.message_id);
        }
        let named = reply.headers().get(&ERROR_TYPE);
        let named = named.and_then(|name| name.to_str().ok());
        let read = classify_api(reply.status().as_u16(), named, reply.body());
        Err(self.wire.refusal(NAME, read, reply))
    }
}

impl fmt::Debug for Ses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ses").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Ses {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = message.destination().as_email();
        let to = to
            .filter(|_| message.channel() == Channel::Email)
            .ok_or_else(|| wire::unfit(NAME))?;
        let request = self.request(to, message)?;
        self.read(&self.wire.send(NAME, request).await?)
    }
}

/// Reads a refusal of the API: the error's name decides the kind, the HTTP status the rest.
///
/// The name is the header `x-amzn-ErrorType`, or `__type` in the body, with or without the word
/// `Exception` and whatever stands around it. A name that is not in the table leaves the status to
/// decide. Only a 4xx is surely not sent.
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::ses::classify_api;
///
/// let refused = classify_api(400, Some("SendingPausedException"), b"{}");
/// assert_eq!(refused.kind, DeliveryErrorKind::Unauthorized);
/// ```
#[must_use]
pub fn classify_api(http_status: u16, error_type: Option<&str>, body: &[u8]) -> Classified {
    let read = Classified::by_status(http_status);
    if http_status < 400 {
        return read;
    }
    let in_body = || serde_json::from_slice::<Refusal>(body).ok()?.kind;
    let Some(name) = error_type.map(str::to_owned).or_else(in_body) else {
        return read;
    };
    match named(&name) {
        Some((code, kind)) => Classified {
            kind,
            code: code.to_owned(),
            ..read
        },
        None => read,
    }
}

/// Finds an error by its name, which may have a namespace before and an address after it.
fn named(name: &str) -> Option<(&'static str, DeliveryErrorKind)> {
    let name = name.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    let name = name.strip_suffix("Exception").unwrap_or(name);
    ERRORS.iter().find(|(known, _)| *known == name).copied()
}

const ERRORS: [(&str, DeliveryErrorKind); 23] = {
    use DeliveryErrorKind as Kind;
    [
        ("TooManyRequests", Kind::Throttled),
        ("Throttling", Kind::Throttled),
        ("LimitExceeded", Kind::Unauthorized),
        ("AccountSuspended", Kind::Unauthorized),
        ("SendingPaused", Kind::Unauthorized),
        ("AccessDenied", Kind::Unauthorized),
        ("ExpiredToken", Kind::Unauthorized),
        ("IncompleteSignature", Kind::Unauthorized),
        ("InvalidClientTokenId", Kind::Unauthorized),
        ("InvalidSignature", Kind::Unauthorized),
        ("MissingAuthenticationToken", Kind::Unauthorized),
        ("NotAuthorized", Kind::Unauthorized),
        ("OptInRequired", Kind::Unauthorized),
        ("RequestExpired", Kind::Unauthorized),
        ("SignatureDoesNotMatch", Kind::Unauthorized),
        ("UnrecognizedClient", Kind::Unauthorized),
        ("MessageRejected", Kind::Invalid),
        ("MailFromDomainNotVerified", Kind::Invalid),
        ("BadRequest", Kind::Invalid),
        ("NotFound", Kind::Invalid),
        ("InternalServiceError", Kind::Unavailable),
        ("InternalFailure", Kind::Unavailable),
        ("ServiceUnavailable", Kind::Unavailable),
    ]
};

#[derive(Deserialize)]
struct Accepted {
    #[serde(rename = "MessageId")]
    message_id: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type")]
    kind: Option<String>,
}

fn checked_set(name: String) -> Result<String, ConfigError> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if fits {
        Ok(name)
    } else {
        Err(ConfigError::TemplateName)
    }
}

#[cfg(test)]
mod tests;
