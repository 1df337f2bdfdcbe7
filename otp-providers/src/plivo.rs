#![doc = include_str!("../docs/plivo.md")]

mod codes;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_core::destination::{Channel, PhoneNumber};
use otp_core::secret::SecretString;
use serde::{Deserialize, Serialize};

use crate::Classified;
use crate::config::{self, ConfigError};
use crate::http::{Endpoint, HttpRequest, HttpResponse};
use crate::sender::{self, SenderId};
use crate::wire::{self, Settings, Wire, wire_settings};

const NAME: &str = "plivo";
const API: &str = "https://api.plivo.com";

/// Gathers the settings of a [`Plivo`]; see [`Plivo::builder`].
#[must_use]
pub struct PlivoBuilder {
    auth_id: String,
    auth_token: SecretString,
    from: Option<String>,
    powerpack: Option<String>,
    status_callback: Option<String>,
    wire: Settings,
}

impl PlivoBuilder {
    /// Sets the sender: an E.164 number, a short code, or an alphanumeric sender id.
    pub fn from(mut self, sender: impl Into<String>) -> Self {
        self.from = Some(sender.into());
        self
    }

    /// Lets a powerpack (a UUID) choose the sender.
    pub fn powerpack(mut self, uuid: impl Into<String>) -> Self {
        self.powerpack = Some(uuid.into());
        self
    }

    /// Sets where Plivo reports what became of a message, by POST. Default: nowhere.
    pub fn status_callback(mut self, url: impl Into<String>) -> Self {
        self.status_callback = Some(url.into());
        self
    }

    wire_settings!("`https://api.plivo.com`");

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<Plivo, ConfigError> {
        if !is_auth_id(&self.auth_id) {
            return Err(ConfigError::VendorId);
        }
        config::check_credential(&self.auth_token)?;
        let sender = match (self.from, self.powerpack) {
            (None, None) => return Err(ConfigError::SenderMissing),
            (Some(_), Some(_)) => return Err(ConfigError::TwoSenders),
            (Some(from), None) => Sender::From(SenderId::parse(from)?),
            (None, Some(uuid)) if is_uuid(&uuid) => Sender::Powerpack(uuid),
            (None, Some(_)) => return Err(ConfigError::VendorId),
        };
        let callback = self.status_callback.map(sender::callback).transpose()?;
        let wire = self.wire.open(API)?;
        Ok(Plivo {
            // The path ends in a slash: without it Plivo answers a redirect.
            endpoint: wire.endpoint(&["v1", "Account", &self.auth_id, "Message", ""]),
            authorization: config::basic_header(&self.auth_id, &self.auth_token)?,
            sender,
            callback,
            wire,
        })
    }
}

impl fmt::Debug for PlivoBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlivoBuilder").finish_non_exhaustive()
    }
}

enum Sender {
    From(SenderId),
    Powerpack(String),
}

/// Sends text messages through Plivo.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::plivo::Plivo;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let plivo = Plivo::builder("MA000000000000000000", "the-auth-token")
///     .from("+14155550199")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct Plivo {
    endpoint: Endpoint,
    authorization: HeaderValue,
    sender: Sender,
    callback: Option<String>,
    wire: Wire,
}

impl Plivo {
    /// Starts with the account's auth id (`MA` or `SA` and 18 letters or digits) and auth token.
    pub fn builder(
        auth_id: impl Into<String>,
        auth_token: impl Into<SecretString>,
    ) -> PlivoBuilder {
        PlivoBuilder {
            auth_id: auth_id.into(),
            auth_token: auth_token.into(),
            from: None,
            powerpack: None,
            status_callback: None,
            wire: Settings::new(),
        }
    }

    fn request(&self, to: &PhoneNumber, message: &Message) -> Result<HttpRequest, DeliveryError> {
        let powerpack = message.sender().map(otp_core::delivery::SenderId::as_str);
        let powerpack = powerpack.filter(|uuid| is_uuid(uuid));
        let (src, powerpack_uuid) = match (sender::asked(message), powerpack, &self.sender) {
            (Some(from), _, _) => (Some(from), None),
            (None, Some(uuid), _) => (None, Some(uuid)),
            (None, None, Sender::From(from)) => (Some(from.as_str()), None),
            (None, None, Sender::Powerpack(uuid)) => (None, Some(uuid.as_str())),
        };
        let text = Text {
            src,
            powerpack_uuid,
            dst: to.e164(),
            text: message.text(),
            media: "sms",
            log: false,
            message_expiry: expiry(message.expires_in()),
            url: self.callback.as_deref(),
            method: self.callback.as_ref().map(|_| "POST"),
        };
        let body = serde_json::to_vec(&text).map_err(|_| wire::unfit(NAME))?;
        Ok(
            HttpRequest::post(self.endpoint.clone(), "application/json", body)
                .with_header(AUTHORIZATION, self.authorization.clone())
                .with_header(ACCEPT, HeaderValue::from_static("application/json")),
        )
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        if !reply.status().is_success() {
            let read = classify_api(reply.status().as_u16());
            return Err(self.wire.refusal(NAME, read, reply));
        }
        let accepted: Accepted =
            serde_json::from_slice(reply.body()).map_err(|_| wire::nonsense(NAME))?;
        match accepted.message_uuid.as_slice() {
            [uuid] => wire::receipt(NAME, uuid),
            _ => Err(wire::nonsense(NAME)),
        }
    }
}

impl fmt::Debug for Plivo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plivo").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Plivo {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = wire::phone(NAME, Channel::Sms, message)?;
        let request = self.request(to, message)?;
        self.read(&self.wire.send(NAME, request).await?)
    }
}

/// Reads a refusal of the API by its HTTP status, since Plivo's error bodies hold a text only.
///
/// A 402 (no credit) is `Unauthorized`: it pages whoever pays. Only a 4xx is surely not sent.
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::plivo::classify_api;
///
/// assert_eq!(classify_api(402).kind, DeliveryErrorKind::Unauthorized);
/// ```
#[must_use]
pub fn classify_api(http_status: u16) -> Classified {
    let read = Classified::by_status(http_status);
    match http_status {
        402 => Classified {
            kind: DeliveryErrorKind::Unauthorized,
            ..read
        },
        _ => read,
    }
}

/// Reads the `ErrorCode` of a status callback: the message was accepted, and this is what became
/// of it. A code that is not in the table is `Unavailable`, as Plivo's own 1000 (unknown) is.
#[must_use]
pub fn classify_status(code: u32) -> DeliveryErrorKind {
    codes::kind(code).unwrap_or(DeliveryErrorKind::Unavailable)
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    powerpack_uuid: Option<&'a str>,
    dst: &'a str,
    text: &'a str,
    #[serde(rename = "type")]
    media: &'static str,
    /// Plivo's console shows neither number nor text.
    log: bool,
    message_expiry: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
}

#[derive(Deserialize)]
struct Accepted {
    message_uuid: Vec<String>,
}

/// Plivo drops what it could not hand over in this many seconds: 5 to 10800.
fn expiry(expires_in: Duration) -> u64 {
    expires_in.as_secs().clamp(5, 10_800)
}

fn is_auth_id(text: &str) -> bool {
    text.len() == 20
        && (text.starts_with("MA") || text.starts_with("SA"))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_uuid(text: &str) -> bool {
    (32..=36).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests;
