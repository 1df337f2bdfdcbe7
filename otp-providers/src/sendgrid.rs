#![doc = include_str!("../docs/sendgrid.md")]

mod event;
mod mail;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use otp_core::clock::{Clock, SystemClock};
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_core::destination::{Channel, EmailAddress};
use otp_core::secret::SecretString;
use serde::Deserialize;

use crate::config::ConfigError;
use crate::http::{BaseUrl, Endpoint, HttpRequest, HttpResponse, HttpTransport};
use crate::{Classified, config};

pub use self::event::{SendGridEvent, classify_event};

const NAME: &str = "sendgrid";
const API: &str = "https://api.sendgrid.com";
const EU_API: &str = "https://api.eu.sendgrid.com";
const MESSAGE_ID: HeaderName = HeaderName::from_static("x-message-id");
const LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// Gathers the settings of a [`SendGrid`]; see [`SendGrid::builder`].
#[must_use]
pub struct SendGridBuilder {
    api_key: SecretString,
    from: EmailAddress,
    from_name: Option<String>,
    region: &'static str,
    base_url: Option<BaseUrl>,
    transport: Option<Arc<dyn HttpTransport>>,
    clock: Arc<dyn Clock>,
}

impl SendGridBuilder {
    /// Sets the name that mail programs show for the sender. Default: none.
    pub fn from_name(mut self, name: impl Into<String>) -> Self {
        self.from_name = Some(name.into());
        self
    }

    /// Sends through the European region, for subusers that are pinned to it.
    pub fn eu(mut self) -> Self {
        self.region = EU_API;
        self
    }

    /// Sets where the API is, over [`eu`](Self::eu). Default: `https://api.sendgrid.com`.
    pub fn base_url(mut self, base: BaseUrl) -> Self {
        self.base_url = Some(base);
        self
    }

    /// Sets the HTTP transport. Default: a `ReqwestTransport` of its own, with the feature
    /// `reqwest`.
    pub fn transport(mut self, transport: Arc<dyn HttpTransport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Sets the clock that resets in replies are measured by, where a reply has no `Date`.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<SendGrid, ConfigError> {
        config::check_credential(&self.api_key)?;
        let bearer = SecretString::new(format!("Bearer {}", self.api_key.expose()));
        let base = match self.base_url {
            Some(base) => base,
            None => config::default_base(self.region)?,
        };
        Ok(SendGrid {
            endpoint: base.endpoint(&["v3", "mail", "send"]),
            authorization: config::secret_header(&bearer)?,
            from: self.from,
            from_name: self.from_name.map(config::checked_name).transpose()?,
            transport: config::transport_or_default(self.transport)?,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for SendGridBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendGridBuilder").finish_non_exhaustive()
    }
}

/// Sends e-mail through `SendGrid`'s v3 API.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::destination::EmailAddress;
/// use otp_providers::sendgrid::SendGrid;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let sendgrid = SendGrid::builder("SG.the-key", EmailAddress::parse("no-reply@example.com")?)
///     .from_name("Example")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SendGrid {
    endpoint: Endpoint,
    authorization: HeaderValue,
    from: EmailAddress,
    from_name: Option<String>,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
}

impl SendGrid {
    /// Starts with an API key that may send mail, and the verified sender.
    pub fn builder(api_key: impl Into<SecretString>, from: EmailAddress) -> SendGridBuilder {
        SendGridBuilder {
            api_key: api_key.into(),
            from,
            from_name: None,
            region: API,
            base_url: None,
            transport: None,
            clock: Arc::new(SystemClock),
        }
    }

    fn request(&self, to: &EmailAddress, message: &Message) -> Result<HttpRequest, DeliveryError> {
        let mail = mail::Mail::new(&self.from, self.from_name.as_deref(), to, message);
        // Strings alone always serialise; the error exists for the type's sake.
        let body = serde_json::to_vec(&mail)
            .map_err(|_| DeliveryError::new(DeliveryErrorKind::Invalid, NAME).not_sent())?;
        Ok(
            HttpRequest::post(self.endpoint.clone(), "application/json", body)
                .with_header(AUTHORIZATION, self.authorization.clone())
                .with_header(ACCEPT, HeaderValue::from_static("application/json")),
        )
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        match reply.status().as_u16() {
            202 => {
                let receipt = Receipt::accepted(NAME);
                let id = reply.headers().get(&MESSAGE_ID);
                Ok(match id.and_then(|id| id.to_str().ok()) {
                    Some(id) => receipt.with_reference(id),
                    None => receipt,
                })
            }
            // A 200 is the sandbox's: nothing goes out. It is never asked for here.
            status => {
                let now = self.clock.now();
                let throttled = status == 429;
                let wait = reply.retry_after(now).or_else(|| {
                    let reset = || reply.reset_after(&LIMIT_RESET, now);
                    throttled.then(reset).flatten()
                });
                let error = classify_api(status, reply.body()).into_error(NAME);
                Err(match wait {
                    Some(wait) => error.with_retry_after(wait),
                    None => error,
                })
            }
        }
    }
}

impl fmt::Debug for SendGrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendGrid").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for SendGrid {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = match (message.channel(), message.destination().as_email()) {
            (Channel::Email, Some(to)) => to,
            _ => return Err(DeliveryError::new(DeliveryErrorKind::Invalid, NAME).not_sent()),
        };
        let reply = self
            .transport
            .send(self.request(to, message)?)
            .await
            .map_err(|error| error.into_delivery_error(NAME))?;
        self.read(&reply)
    }
}

/// Reads a refusal of the API by its HTTP status, since `SendGrid`'s errors have no codes.
///
/// A 400 that names the recipient's address as the faulty field is `Unreachable`. Bodies that are
/// not `SendGrid`'s JSON (a 413 may be HTML) leave the status alone to decide. Only a 4xx is surely
/// not sent.
#[must_use]
pub fn classify_api(http_status: u16, body: &[u8]) -> Classified {
    let read = Classified::by_status(http_status);
    if http_status == 400 && names_recipient(body) {
        return Classified {
            kind: DeliveryErrorKind::Unreachable,
            ..read
        };
    }
    read
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    field: Option<String>,
}

fn names_recipient(body: &[u8]) -> bool {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return false;
    };
    !refusal.errors.is_empty()
        && refusal.errors.iter().all(|fault| {
            let field = fault.field.as_deref().unwrap_or_default();
            field.starts_with("personalizations.") && field.ends_with(".email")
        })
}

#[cfg(test)]
mod tests;
