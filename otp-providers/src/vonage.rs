#![doc = include_str!("../docs/vonage.md")]

mod codes;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use otp_core::delivery::{
    DeliveryError, DeliveryErrorKind, DeliveryProvider, DispatchCertainty, Message, Receipt,
    SmsEncoding, SmsLength,
};
use otp_core::destination::{Channel, PhoneNumber};
use otp_core::secret::SecretString;
use serde::Deserialize;
use url::form_urlencoded;

use crate::Classified;
use crate::config::{self, ConfigError};
use crate::http::{Endpoint, HttpRequest, HttpResponse};
use crate::sender::{self, SenderId};
use crate::wire::{self, Settings, Wire, wire_settings};

const NAME: &str = "vonage";
const API: &str = "https://rest.nexmo.com";

/// Gathers the settings of a [`Vonage`]; see [`Vonage::builder`].
#[must_use]
pub struct VonageBuilder {
    api_key: String,
    api_secret: SecretString,
    from: String,
    status_callback: Option<String>,
    wire: Settings,
}

impl VonageBuilder {
    /// Sets where Vonage reports what became of a message. Default: what the account is set to.
    pub fn status_callback(mut self, url: impl Into<String>) -> Self {
        self.status_callback = Some(url.into());
        self
    }

    wire_settings!("`https://rest.nexmo.com`");

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<Vonage, ConfigError> {
        let fits = (4..=32).contains(&self.api_key.len())
            && self
                .api_key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric());
        if !fits {
            return Err(ConfigError::VendorId);
        }
        config::check_credential(&self.api_secret)?;
        let wire = self.wire.open(API)?;
        Ok(Vonage {
            endpoint: wire.endpoint(&["sms", "json"]),
            authorization: config::basic_header(&self.api_key, &self.api_secret)?,
            from: SenderId::parse(self.from)?,
            callback: self.status_callback.map(sender::callback).transpose()?,
            wire,
        })
    }
}

impl fmt::Debug for VonageBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VonageBuilder").finish_non_exhaustive()
    }
}

/// Sends text messages through Vonage's SMS API.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::vonage::Vonage;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let vonage = Vonage::builder("abcd1234", "the-api-secret", "EXAMPLE")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct Vonage {
    endpoint: Endpoint,
    authorization: HeaderValue,
    from: SenderId,
    callback: Option<String>,
    wire: Wire,
}

impl Vonage {
    /// Starts with the account's API key and secret, and the sender: an E.164 number, a short
    /// code, or an alphanumeric id.
    pub fn builder(
        api_key: impl Into<String>,
        api_secret: impl Into<SecretString>,
        from: impl Into<String>,
    ) -> VonageBuilder {
        VonageBuilder {
            api_key: api_key.into(),
            api_secret: api_secret.into(),
            from: from.into(),
            status_callback: None,
            wire: Settings::new(),
        }
    }

    fn request(&self, to: &PhoneNumber, message: &Message) -> HttpRequest {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let from = sender::asked(message).unwrap_or(self.from.as_str());
        form.append_pair("from", bare(from))
            .append_pair("to", bare(to.e164()))
            .append_pair("text", message.text())
            // Without it, what GSM-7 has not arrives as question marks.
            .append_pair("type", coding(message.text()))
            .append_pair("ttl", &ttl(message.expires_in()).to_string())
            .append_pair("client-ref", message.id().as_str());
        if let Some(callback) = &self.callback {
            form.append_pair("callback", callback);
        }
        HttpRequest::post(
            self.endpoint.clone(),
            "application/x-www-form-urlencoded",
            form.finish(),
        )
        .with_header(AUTHORIZATION, self.authorization.clone())
        .with_header(ACCEPT, HeaderValue::from_static("application/json"))
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        let answer: Option<Answer> = serde_json::from_slice(reply.body()).ok();
        let parts = answer.map(|answer| answer.messages).unwrap_or_default();
        let accepted = reply.status().is_success()
            && !parts.is_empty()
            && parts.iter().all(|part| part.status == "0");
        match parts.first() {
            // A long text is several parts with an id each; the first one stands for all.
            Some(Part { message_id, .. }) if accepted => {
                let id = message_id.as_deref().unwrap_or_default();
                wire::receipt(NAME, id)
            }
            _ => {
                let read = classify_api(reply.status().as_u16(), reply.body());
                Err(self.wire.refusal(NAME, read, reply))
            }
        }
    }
}

impl fmt::Debug for Vonage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vonage").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Vonage {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = wire::phone(NAME, Channel::Sms, message)?;
        self.read(&self.wire.send(NAME, self.request(to, message)).await?)
    }
}

/// Reads a refusal, which the SMS API answers with HTTP 200 and a `status` for each part.
///
/// The first part that was refused decides the kind. A refusal is surely not sent, unless another
/// part was accepted, or the status is an internal error of Vonage's or none of the table. A body
/// that is not Vonage's leaves the HTTP status to decide.
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::vonage::classify_api;
///
/// let body = br#"{"message-count":"1","messages":[{"status":"1","error-text":"Throttled"}]}"#;
/// assert_eq!(classify_api(200, body).kind, DeliveryErrorKind::Throttled);
/// ```
#[must_use]
pub fn classify_api(http_status: u16, body: &[u8]) -> Classified {
    let read = Classified::by_status(http_status);
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return read;
    };
    let refused = answer.messages.iter().find(|part| part.status != "0");
    let code = refused.and_then(|part| part.status.parse().ok());
    let Some((code, kind)) = code.and_then(|code: u32| Some((code, codes::api(code)?))) else {
        return read;
    };
    let partly = answer.messages.iter().any(|part| part.status == "0");
    let certainty = match kind {
        DeliveryErrorKind::Unavailable => DispatchCertainty::Unknown,
        _ if partly || http_status >= 500 => DispatchCertainty::Unknown,
        _ => DispatchCertainty::NotSent,
    };
    Classified {
        kind,
        certainty,
        code: code.to_string(),
    }
}

/// Reads the `err-code` of a delivery receipt: the message was accepted, and this is what became
/// of it. A code that is not in the table is `Unavailable`, as Vonage's own 1 (unknown) is.
#[must_use]
pub fn classify_status(code: u32) -> DeliveryErrorKind {
    codes::receipt(code).unwrap_or(DeliveryErrorKind::Unavailable)
}

#[derive(Deserialize)]
struct Answer {
    messages: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    status: String,
    #[serde(rename = "message-id")]
    message_id: Option<String>,
}

/// Vonage wants numbers without the plus.
fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// Vonage drops what it could not hand over in this many milliseconds: 20 seconds to 7 days.
fn ttl(expires_in: Duration) -> u64 {
    expires_in.as_secs().clamp(20, 604_800).saturating_mul(1000)
}

/// Names the coding of a text: `text` where GSM-7 has all of it, else `unicode`.
fn coding(text: &str) -> &'static str {
    match SmsLength::of(text).encoding() {
        SmsEncoding::Gsm7 => "text",
        _ => "unicode",
    }
}

#[cfg(test)]
mod tests;
