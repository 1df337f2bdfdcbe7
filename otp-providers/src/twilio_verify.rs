#![doc = include_str!("../docs/twilio_verify.md")]

mod locale;
mod reply;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use otp_core::challenge::CodeFormat;
use otp_core::clock::{Clock, SystemClock};
use otp_core::delivery::{
    Checked, DeliveryError, DeliveryErrorKind, Reference, Started, VerificationCheck,
    VerificationProvider, VerificationStart,
};
use otp_core::destination::{Channel, Destination};
use url::form_urlencoded;

use self::reply::Begun;
use crate::config::{self, ConfigError};
use crate::http::{BaseUrl, Endpoint, HttpRequest, HttpResponse, HttpTransport};
use crate::twilio::{CheckAsked, CheckVerdict, TwilioAuth, classify_api, classify_check, is_sid};

const NAME: &str = "twilio-verify";
const API: &str = "https://verify.twilio.com";
/// Twilio's own default.
const CODE: CodeFormat = CodeFormat::SIX_DIGITS;

/// Gathers the settings of a [`TwilioVerify`]; see [`TwilioVerify::builder`].
#[must_use]
pub struct TwilioVerifyBuilder {
    account_sid: String,
    auth: TwilioAuth,
    service_sid: String,
    format: CodeFormat,
    channels: Vec<Channel>,
    base_url: Option<BaseUrl>,
    transport: Option<Arc<dyn HttpTransport>>,
    clock: Arc<dyn Clock>,
}

impl TwilioVerifyBuilder {
    /// Sets what the service's codes look like, where its code length is another than six. Twilio
    /// makes codes of 4 to 10 digits; fewer than six cannot be written down.
    pub fn code(mut self, format: CodeFormat) -> Self {
        self.format = format;
        self
    }

    /// Serves e-mail too; the service needs an e-mail integration for it.
    pub fn with_email(mut self) -> Self {
        if !self.channels.contains(&Channel::Email) {
            self.channels.push(Channel::Email);
        }
        self
    }

    /// Sets where the API is: a stand-in, say. Default: `https://verify.twilio.com`.
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
    pub fn build(self) -> Result<TwilioVerify, ConfigError> {
        if !is_sid(&self.account_sid, "AC") {
            return Err(ConfigError::AccountSid);
        }
        if !is_sid(&self.service_sid, "VA") {
            return Err(ConfigError::VerifyServiceSid);
        }
        self.auth.check()?;
        Ok(TwilioVerify {
            base: match self.base_url {
                Some(base) => base,
                None => config::default_base(API)?,
            },
            authorization: self.auth.header(&self.account_sid)?,
            service: self.service_sid,
            format: self.format,
            channels: self.channels,
            transport: config::transport_or_default(self.transport)?,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for TwilioVerifyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioVerifyBuilder")
            .finish_non_exhaustive()
    }
}

/// Has Twilio Verify make, send and check codes: text messages, calls, WhatsApp, and e-mail where
/// it is [set up](TwilioVerifyBuilder::with_email).
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::delivery::Route;
/// use otp_core::destination::Channel;
/// use otp_providers::twilio::TwilioAuth;
/// use otp_providers::twilio_verify::TwilioVerify;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let verify = TwilioVerify::builder(
///     "AC00000000000000000000000000000000",
///     TwilioAuth::api_key("SK00000000000000000000000000000000", "the-secret-of-the-key"),
///     "VA00000000000000000000000000000000",
/// )
/// .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
/// .build()?;
/// assert!(Route::managed(verify).check(Channel::Sms).is_ok());
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct TwilioVerify {
    base: BaseUrl,
    authorization: HeaderValue,
    service: String,
    format: CodeFormat,
    channels: Vec<Channel>,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
}

impl TwilioVerify {
    /// Starts with the account's SID (`AC` and 32 hexadecimal digits), a credential of it, and the
    /// Verify service's SID (`VA` and 32 hexadecimal digits).
    pub fn builder(
        account_sid: impl Into<String>,
        auth: TwilioAuth,
        service_sid: impl Into<String>,
    ) -> TwilioVerifyBuilder {
        TwilioVerifyBuilder {
            account_sid: account_sid.into(),
            auth,
            service_sid: service_sid.into(),
            format: CODE,
            channels: vec![Channel::Sms, Channel::Voice, Channel::WhatsApp],
            base_url: None,
            transport: None,
            clock: Arc::new(SystemClock),
        }
    }

    fn endpoint(&self, resource: &[&str]) -> Endpoint {
        let service = ["v2", "Services", self.service.as_str()];
        self.base.endpoint(&[&service, resource].concat())
    }

    async fn post(
        &self,
        resource: &[&str],
        fields: &[(&str, &str)],
    ) -> Result<HttpResponse, DeliveryError> {
        let request = HttpRequest::post(
            self.endpoint(resource),
            "application/x-www-form-urlencoded",
            form(fields),
        )
        .with_header(AUTHORIZATION, self.authorization.clone())
        .with_header(ACCEPT, HeaderValue::from_static("application/json"));
        let sent = self.transport.send(request).await;
        sent.map_err(|error| error.into_delivery_error(NAME))
    }

    fn refusal(&self, reply: &HttpResponse) -> DeliveryError {
        let read = classify_api(reply.status().as_u16(), reply.body());
        let error = read.into_error(NAME);
        match reply.retry_after(self.clock.now()) {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    /// Asks for a code to be sent, once.
    async fn send(&self, start: &VerificationStart<'_>) -> Result<Begun, DeliveryError> {
        let to = address(start.to);
        let channel = named(start.channel)
            .filter(|_| self.channels.contains(&start.channel))
            .filter(|_| start.channel.fits(start.to).is_ok());
        let channel = channel
            .ok_or_else(|| DeliveryError::new(DeliveryErrorKind::Invalid, NAME).not_sent())?;
        let mut fields = vec![("To", to), ("Channel", channel)];
        if let Some(locale) = locale::known(start.locale) {
            fields.push(("Locale", locale));
        }
        let reply = self.post(&["Verifications"], &fields).await?;
        if !reply.status().is_success() {
            return Err(self.refusal(&reply));
        }
        Begun::read(reply.body(), to, &self.service).ok_or_else(nonsense)
    }
}

impl fmt::Debug for TwilioVerify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioVerify").finish_non_exhaustive()
    }
}

#[async_trait]
impl VerificationProvider for TwilioVerify {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    fn format(&self) -> CodeFormat {
        self.format
    }

    async fn start(&self, start: &VerificationStart<'_>) -> Result<Started, DeliveryError> {
        for reference in start.replaces {
            // One that Twilio does not end now is found in the way below.
            drop(self.cancel(reference).await);
        }
        let begun = self.send(start).await?;
        if begun.is_new() || start.continues == Some(&begun.reference) {
            return Ok(Started::new(begun.reference));
        }
        // Twilio keeps one verification an address, and sent the code of another challenge again.
        // That code must not be right for this one.
        self.cancel(&begun.reference)
            .await
            .map_err(DeliveryError::maybe_sent)?;
        let begun = self.send(start).await.map_err(DeliveryError::maybe_sent)?;
        if begun.is_new() {
            Ok(Started::new(begun.reference))
        } else {
            Err(nonsense())
        }
    }

    async fn check(&self, check: &VerificationCheck<'_>) -> Result<Checked, DeliveryError> {
        let to = address(check.to);
        let reference = check.reference.as_str();
        let fields = [
            ("To", to),
            ("VerificationSid", reference),
            ("Code", check.code.expose()),
        ];
        let reply = self.post(&["VerificationCheck"], &fields).await?;
        let asked = CheckAsked {
            to: Some(to),
            verification_sid: Some(reference),
            service_sid: Some(&self.service),
        };
        match classify_check(reply.status().as_u16(), reply.body(), &asked) {
            CheckVerdict::Approved => Ok(Checked::Approved),
            CheckVerdict::Rejected => Ok(Checked::Wrong),
            CheckVerdict::Gone => Ok(Checked::Gone),
            CheckVerdict::Blocked => Err(DeliveryError::new(DeliveryErrorKind::Protected, NAME)),
            CheckVerdict::Retryable | CheckVerdict::Permanent => Err(self.refusal(&reply)),
            CheckVerdict::Untrusted => Err(nonsense()),
        }
    }

    async fn cancel(&self, reference: &Reference) -> Result<(), DeliveryError> {
        let resource = ["Verifications", reference.as_str()];
        let reply = self.post(&resource, &[("Status", "canceled")]).await?;
        match reply.status().as_u16() {
            200..=299 | 404 => Ok(()),
            _ => Err(self.refusal(&reply)),
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    form.finish()
}

/// Gives the address as Twilio takes it, and gives it back.
fn address(to: &Destination) -> &str {
    to.expose()
}

const fn named(channel: Channel) -> Option<&'static str> {
    Some(match channel {
        Channel::Sms => "sms",
        Channel::Voice => "call",
        Channel::WhatsApp => "whatsapp",
        Channel::Email => "email",
        _ => return None,
    })
}

/// The reply is none that Twilio documents, or about something else.
fn nonsense() -> DeliveryError {
    DeliveryError::new(DeliveryErrorKind::Protocol, NAME).maybe_sent()
}

#[cfg(test)]
mod tests;
