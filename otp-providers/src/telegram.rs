#![doc = include_str!("../docs/telegram.md")]

mod errors;
mod verify;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use otp_core::delivery::{
    DeliveryError, DeliveryErrorKind, DeliveryProvider, DispatchCertainty, Message, Receipt,
    SenderId,
};
use otp_core::destination::{Channel, PhoneNumber};
use otp_core::secret::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Classified;
use crate::config::{self, ConfigError};
use crate::http::{Endpoint, HttpRequest, HttpResponse};
use crate::wire::{self, Settings, Wire, wire_settings};

pub use self::verify::TelegramVerify;

const NAME: &str = "telegram-gateway";
const API: &str = "https://gatewayapi.telegram.org";
const LONGEST_CALLBACK: usize = 256;

/// Gathers the settings of a [`TelegramGateway`]; see [`TelegramGateway::builder`].
#[must_use]
pub struct TelegramGatewayBuilder {
    token: SecretString,
    sender: Option<String>,
    callback: Option<String>,
    wire: Settings,
}

impl TelegramGatewayBuilder {
    /// Sets the channel that the message comes from: the user name of a verified channel of the
    /// account's owner, without `@`. Default: Telegram's own.
    pub fn sender_username(mut self, name: impl Into<String>) -> Self {
        self.sender = Some(name.into());
        self
    }

    /// Sets where Telegram reports what became of a message: an `https` address of up to 256
    /// bytes. Default: nowhere.
    pub fn status_callback(mut self, url: impl Into<String>) -> Self {
        self.callback = Some(url.into());
        self
    }

    wire_settings!("`https://gatewayapi.telegram.org`");

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<TelegramGateway, ConfigError> {
        config::check_credential(&self.token)?;
        let wire = self.wire.open(API)?;
        Ok(TelegramGateway {
            send: wire.endpoint(&["sendVerificationMessage"]),
            ability: wire.endpoint(&["checkSendAbility"]),
            authorization: config::bearer_header(&self.token)?,
            sender: self.sender.map(checked_username).transpose()?,
            callback: self.callback.map(checked_callback).transpose()?,
            wire,
        })
    }
}

impl fmt::Debug for TelegramGatewayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramGatewayBuilder")
            .finish_non_exhaustive()
    }
}

/// Sends our own code in Telegram through its Gateway API.
///
/// The words are Telegram's; of the message only the code (4 to 8 digits) and the number are used.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::telegram::TelegramGateway;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let telegram = TelegramGateway::builder("the-gateway-token")
///     .status_callback("https://example.com/hooks/telegram")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct TelegramGateway {
    send: Endpoint,
    ability: Endpoint,
    authorization: HeaderValue,
    sender: Option<String>,
    callback: Option<String>,
    wire: Wire,
}

impl TelegramGateway {
    /// Starts with the token of the Gateway account (not a bot's).
    pub fn builder(token: impl Into<SecretString>) -> TelegramGatewayBuilder {
        TelegramGatewayBuilder {
            token: token.into(),
            sender: None,
            callback: None,
            wire: Settings::new(),
        }
    }

    /// Asks whether a number can get a code in Telegram, without sending one.
    ///
    /// Telegram charges for this as for a message. Nothing reaches the person.
    ///
    /// # Errors
    /// [`DeliveryError`]: `Unreachable` where it cannot; otherwise as
    /// [`deliver`](DeliveryProvider::deliver), and always surely not sent.
    pub async fn check_send_ability(&self, phone: &PhoneNumber) -> Result<(), DeliveryError> {
        let body = Ability {
            phone_number: phone.e164(),
        };
        let request = self.post(&self.ability, &body)?;
        let asked = async { self.read(NAME, &self.wire.send(NAME, request).await?) };
        let asked: Result<State, _> = asked.await;
        asked.map(drop).map_err(DeliveryError::not_sent)
    }

    fn post(&self, to: &Endpoint, body: &impl Serialize) -> Result<HttpRequest, DeliveryError> {
        let body = serde_json::to_vec(body).map_err(|_| wire::unfit(NAME))?;
        Ok(HttpRequest::post(to.clone(), "application/json", body)
            .with_header(AUTHORIZATION, self.authorization.clone())
            .with_header(ACCEPT, HeaderValue::from_static("application/json")))
    }

    /// Reads what the Gateway did, or the error that it gave to `name`.
    fn read<T>(&self, name: &str, reply: &HttpResponse) -> Result<T, DeliveryError>
    where
        T: DeserializeOwned,
    {
        let answer: Option<Answer<T>> = serde_json::from_slice(reply.body()).ok();
        match answer {
            Some(Answer {
                ok: true,
                result: Some(result),
            }) if reply.status().is_success() => Ok(result),
            _ => {
                let read = classify_api(reply.status().as_u16(), reply.body());
                Err(self.wire.refusal(name, read, reply))
            }
        }
    }
}

impl fmt::Debug for TelegramGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramGateway").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for TelegramGateway {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Telegram]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = wire::phone(NAME, Channel::Telegram, message)?;
        let code = message.code().expose();
        if !(4..=8).contains(&code.len()) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wire::unfit(NAME));
        }
        let asked = message.sender().map(SenderId::as_str);
        let asked = asked.filter(|name| is_username(name));
        let body = Sending {
            phone_number: to.e164(),
            what: What::Code(code),
            ttl: ttl(message.expires_in()),
            payload: message.id().as_str(),
            sender_username: asked.or(self.sender.as_deref()),
            callback_url: self.callback.as_deref(),
        };
        let request = self.post(&self.send, &body)?;
        let state: State = self.read(NAME, &self.wire.send(NAME, request).await?)?;
        wire::receipt(NAME, &state.request_id)
    }
}

/// Reads a refusal: `{"ok":false,"error":"TEXT"}`, which the Gateway answers with any HTTP status.
///
/// The text decides the kind; one that is not in the table is `Invalid` where the status says
/// success, since the Gateway refused, and the status decides otherwise. What the Gateway refused
/// is surely not sent, but for its own failures; so is any 4xx other than 408.
///
/// # Examples
/// ```
/// use otp_core::delivery::{DeliveryErrorKind, DispatchCertainty};
/// use otp_providers::telegram::classify_api;
///
/// let refused = classify_api(200, br#"{"ok":false,"error":"PHONE_NUMBER_INVALID"}"#);
/// assert_eq!(refused.kind, DeliveryErrorKind::Unreachable);
/// assert_eq!(refused.certainty, DispatchCertainty::NotSent);
/// ```
#[must_use]
pub fn classify_api(http_status: u16, body: &[u8]) -> Classified {
    let read = Classified::by_status(http_status);
    let Some(text) = refusal(body) else {
        return read;
    };
    let known = errors::known(&text);
    match (known, http_status) {
        (Some((code, kind)), _) => Classified {
            kind,
            certainty: match kind {
                DeliveryErrorKind::Unavailable => DispatchCertainty::Unknown,
                _ if http_status >= 500 => DispatchCertainty::Unknown,
                _ => DispatchCertainty::NotSent,
            },
            code: code.to_owned(),
        },
        (None, 200..=299) => Classified {
            kind: DeliveryErrorKind::Invalid,
            certainty: DispatchCertainty::NotSent,
            ..read
        },
        (None, _) => read,
    }
}

#[derive(Serialize)]
struct Sending<'a> {
    phone_number: &'a str,
    #[serde(flatten)]
    what: What<'a>,
    ttl: u64,
    payload: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
}

/// Our code, or how long one of Telegram's own is to be.
#[derive(Serialize)]
enum What<'a> {
    #[serde(rename = "code")]
    Code(&'a str),
    #[serde(rename = "code_length")]
    Length(u8),
}

#[derive(Serialize)]
struct Ability<'a> {
    phone_number: &'a str,
}

#[derive(Deserialize)]
struct Answer<T> {
    ok: bool,
    result: Option<T>,
}

#[derive(Deserialize)]
struct State {
    request_id: String,
}

#[derive(Deserialize)]
struct Refusal {
    ok: bool,
    error: String,
}

fn refusal(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    (!refusal.ok).then_some(refusal.error)
}

/// Telegram refunds what it could not hand over in this many seconds: 30 to 3600.
fn ttl(expires_in: Duration) -> u64 {
    expires_in.as_secs().clamp(30, 3_600)
}

fn is_username(name: &str) -> bool {
    (4..=32).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn checked_username(name: String) -> Result<String, ConfigError> {
    if is_username(&name) {
        Ok(name)
    } else {
        Err(ConfigError::Sender)
    }
}

fn checked_callback(text: String) -> Result<String, ConfigError> {
    let url = Url::parse(&text).map_err(|_| ConfigError::StatusCallback)?;
    if url.scheme() == "https" && url.has_host() && text.len() <= LONGEST_CALLBACK {
        Ok(text)
    } else {
        Err(ConfigError::StatusCallback)
    }
}

#[cfg(test)]
mod tests;
