#![doc = include_str!("../docs/twilio.md")]

mod auth;
mod codes;
mod sender;
mod verify_check;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use otp_core::clock::{Clock, SystemClock};
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_core::destination::Channel;
use serde::Deserialize;
use url::form_urlencoded;

use crate::config::ConfigError;
use crate::http::{BaseUrl, Endpoint, HttpRequest, HttpResponse, HttpTransport};
use crate::{Classified, config, sender as senders};

pub use self::auth::TwilioAuth;
pub(crate) use self::auth::is_sid;
use self::sender::Sender;
pub use self::verify_check::{CheckAsked, CheckVerdict, classify_check};

const NAME: &str = "twilio";
const WHATSAPP_NAME: &str = "twilio-whatsapp";
const API: &str = "https://api.twilio.com";

/// Gathers the settings of a [`Twilio`]; see [`Twilio::builder`].
#[must_use]
pub struct TwilioBuilder {
    account_sid: String,
    auth: TwilioAuth,
    from: Option<String>,
    messaging_service: Option<String>,
    content: Option<String>,
    status_callback: Option<String>,
    base_url: Option<BaseUrl>,
    transport: Option<Arc<dyn HttpTransport>>,
    clock: Arc<dyn Clock>,
}

impl TwilioBuilder {
    /// Sets the sender: an E.164 number, a short code, or an alphanumeric sender id.
    pub fn from(mut self, sender: impl Into<String>) -> Self {
        self.from = Some(sender.into());
        self
    }

    /// Lets a messaging service (`MG` and 32 hexadecimal digits) choose the sender.
    pub fn messaging_service(mut self, sid: impl Into<String>) -> Self {
        self.messaging_service = Some(sid.into());
        self
    }

    /// Sends over WhatsApp instead: the content template (`HX` and 32 hexadecimal digits) of type
    /// `whatsapp/authentication`, whose one variable is the code. The sender is then a number that
    /// is registered for WhatsApp, or a service with one, and the provider serves WhatsApp alone.
    pub fn whatsapp_template(mut self, content_sid: impl Into<String>) -> Self {
        self.content = Some(content_sid.into());
        self
    }

    /// Sets where Twilio reports what became of a message. Default: what the account or the
    /// service is set to.
    pub fn status_callback(mut self, url: impl Into<String>) -> Self {
        self.status_callback = Some(url.into());
        self
    }

    /// Sets where the API is: an edge of Twilio's, or a stand-in. Default:
    /// `https://api.twilio.com`.
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

    /// Sets the clock that dates in replies are measured by, where a reply has no `Date`.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<Twilio, ConfigError> {
        if !is_sid(&self.account_sid, "AC") {
            return Err(ConfigError::AccountSid);
        }
        self.auth.check()?;
        let sender = Sender::new(self.from, self.messaging_service, self.content)?;
        let callback = self.status_callback.map(senders::callback).transpose()?;
        let base = match self.base_url {
            Some(base) => base,
            None => config::default_base(API)?,
        };
        Ok(Twilio {
            endpoint: base.endpoint(&[
                "2010-04-01",
                "Accounts",
                &self.account_sid,
                "Messages.json",
            ]),
            authorization: self.auth.header(&self.account_sid)?,
            sender,
            callback,
            transport: config::transport_or_default(self.transport)?,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for TwilioBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioBuilder").finish_non_exhaustive()
    }
}

/// Sends text messages, or WhatsApp templates, through Twilio Programmable Messaging.
///
/// One provider serves one channel: `twilio` for text messages, and `twilio-whatsapp` where a
/// [template](TwilioBuilder::whatsapp_template) is set.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::twilio::{Twilio, TwilioAuth};
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let twilio = Twilio::builder(
///     "AC00000000000000000000000000000000",
///     TwilioAuth::api_key("SK00000000000000000000000000000000", "the-secret-of-the-key"),
/// )
/// .messaging_service("MG00000000000000000000000000000000")
/// .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
/// .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct Twilio {
    endpoint: Endpoint,
    authorization: HeaderValue,
    sender: Sender,
    callback: Option<String>,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
}

impl Twilio {
    /// Starts with the account's SID (`AC` and 32 hexadecimal digits) and a credential of it.
    pub fn builder(account_sid: impl Into<String>, auth: TwilioAuth) -> TwilioBuilder {
        TwilioBuilder {
            account_sid: account_sid.into(),
            auth,
            from: None,
            messaging_service: None,
            content: None,
            status_callback: None,
            base_url: None,
            transport: None,
            clock: Arc::new(SystemClock),
        }
    }

    fn request(&self, to: &str, message: &Message) -> HttpRequest {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("To", to);
        let (field, sender) = self.sender.field(message);
        form.append_pair(field, &sender);
        match self.sender.content(message) {
            Some(content) => {
                // A code is letters and digits, so nothing in it needs escaping.
                let variables = format!(r#"{{"1":"{}"}}"#, message.code().expose());
                form.append_pair("ContentSid", content)
                    .append_pair("ContentVariables", &variables)
            }
            None => form.append_pair("Body", message.text()),
        };
        form.append_pair(
            "ValidityPeriod",
            &validity(message.expires_in()).to_string(),
        );
        if let Some(callback) = &self.callback {
            form.append_pair("StatusCallback", callback);
        }
        HttpRequest::post(
            self.endpoint.clone(),
            "application/x-www-form-urlencoded",
            form.finish(),
        )
        .with_header(AUTHORIZATION, self.authorization.clone())
        .with_header(ACCEPT, HeaderValue::from_static("application/json"))
    }

    /// Names the provider and its channel, and what stands before a number there. The two are
    /// told apart in events, since one may fail while the other works.
    const fn names(&self) -> (&'static str, Channel, &'static str) {
        match self.sender {
            Sender::WhatsApp { .. } => (WHATSAPP_NAME, Channel::WhatsApp, "whatsapp:"),
            _ => (NAME, Channel::Sms, ""),
        }
    }

    fn read(&self, reply: &HttpResponse, to: &str) -> Result<Receipt, DeliveryError> {
        let (name, ..) = self.names();
        let status = reply.status().as_u16();
        if !reply.status().is_success() {
            let error = classify_api(status, reply.body()).into_error(name);
            return Err(match reply.retry_after(self.clock.now()) {
                Some(wait) => error.with_retry_after(wait),
                None => error,
            });
        }
        let protocol = || DeliveryError::new(DeliveryErrorKind::Protocol, name).maybe_sent();
        let accepted: Accepted = serde_json::from_slice(reply.body()).map_err(|_| protocol())?;
        if accepted.to != to || !is_message_sid(&accepted.sid) {
            return Err(protocol());
        }
        match (
            accepted.status.as_deref(),
            accepted.error_code.and_then(own_code),
        ) {
            // Twilio made the message and refused it in one step; it never left.
            (Some("failed"), code) => {
                let kind = code.map_or(DeliveryErrorKind::Unavailable, classify_status);
                let error = DeliveryError::new(kind, name).not_sent();
                Err(match code {
                    Some(code) => error.with_code(&code.to_string()),
                    None => error,
                })
            }
            _ => Ok(Receipt::accepted(name).with_reference(&accepted.sid)),
        }
    }
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twilio").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Twilio {
    fn name(&self) -> &str {
        self.names().0
    }

    fn channels(&self) -> &[Channel] {
        match self.sender {
            Sender::WhatsApp { .. } => &[Channel::WhatsApp],
            _ => &[Channel::Sms],
        }
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let (name, channel, prefix) = self.names();
        let phone = message.destination().as_phone();
        let phone = phone
            .filter(|_| message.channel() == channel)
            .ok_or_else(|| DeliveryError::new(DeliveryErrorKind::Invalid, name).not_sent())?;
        let to = format!("{prefix}{}", phone.e164());
        let reply = self.transport.send(self.request(&to, message)).await;
        self.read(
            &reply.map_err(|error| error.into_delivery_error(name))?,
            &to,
        )
    }
}

/// Reads a refusal of the API: Twilio's code decides the kind, the HTTP status the rest.
///
/// Both forms of error body are read, the classic one and RFC 9457 problem details; a body that is
/// neither (a proxy's HTML, nothing at all) leaves the status alone to decide. So does a code that
/// is not in the table. Only a 4xx is surely not sent.
///
/// # Examples
/// ```
/// use otp_core::delivery::{DeliveryErrorKind, DispatchCertainty};
/// use otp_providers::twilio::classify_api;
///
/// let refused = classify_api(400, br#"{"code":21610,"status":400}"#);
/// assert_eq!(refused.kind, DeliveryErrorKind::OptedOut);
/// assert_eq!(refused.certainty, DispatchCertainty::NotSent);
/// ```
#[must_use]
pub fn classify_api(http_status: u16, body: &[u8]) -> Classified {
    let by_status = Classified::by_status(http_status);
    if http_status < 400 {
        return by_status;
    }
    let Some(code) = error_code(body) else {
        return by_status;
    };
    Classified {
        kind: codes::kind(code).unwrap_or(by_status.kind),
        certainty: by_status.certainty,
        code: code.to_string(),
    }
}

/// Reads the `ErrorCode` of a status callback or of a message resource: the message was accepted,
/// and this is what became of it. A code that is not in the table is `Unavailable`, as Twilio's
/// own 30008 (unknown error) is.
#[must_use]
pub fn classify_status(code: u32) -> DeliveryErrorKind {
    codes::kind(code).unwrap_or(DeliveryErrorKind::Unavailable)
}

#[derive(Deserialize)]
struct Accepted {
    sid: String,
    to: String,
    status: Option<String>,
    error_code: Option<u32>,
}

fn error_code(body: &[u8]) -> Option<u32> {
    let problem: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = problem
        .get("code")
        .or_else(|| problem.get("errors")?.get(0)?.get("code"))?;
    let code = match code {
        serde_json::Value::Number(number) => number.as_u64()?.try_into().ok()?,
        serde_json::Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    own_code(code)
}

/// Twilio's codes have five digits. Anything else is not one, and could be a quote of ours.
fn own_code(code: u32) -> Option<u32> {
    (10_000..=99_999).contains(&code).then_some(code)
}

fn is_message_sid(sid: &str) -> bool {
    is_sid(sid, "SM") || is_sid(sid, "MM")
}

/// Twilio drops what it could not hand over in this many seconds: 1 to 36000.
fn validity(expires_in: Duration) -> u64 {
    expires_in.as_secs().clamp(1, 36_000)
}

#[cfg(test)]
mod tests;
