#![doc = include_str!("../docs/sns.md")]

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_core::destination::{Channel, PhoneNumber};
use url::form_urlencoded;

use crate::Classified;
use crate::aws::{self, AwsCredentialSource, Signer};
use crate::config::ConfigError;
use crate::http::{Endpoint, HttpRequest, HttpResponse};
use crate::sender::{self, SenderId, is_e164};
use crate::wire::{self, Settings, Wire, wire_settings};

const NAME: &str = "sns";

/// Gathers the settings of an [`Sns`]; see [`Sns::builder`].
#[must_use]
pub struct SnsBuilder {
    credentials: Arc<dyn AwsCredentialSource>,
    region: String,
    from: Option<String>,
    wire: Settings,
}

impl SnsBuilder {
    /// Sets the sender: an E.164 number of the account, or an alphanumeric sender id. Default:
    /// one that Amazon chooses.
    pub fn from(mut self, sender: impl Into<String>) -> Self {
        self.from = Some(sender.into());
        self
    }

    wire_settings!("`https://sns.{region}.amazonaws.com`");

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<Sns, ConfigError> {
        let signer = Signer::new(self.credentials, &self.region, "sns")?;
        let wire = self.wire.open(&aws::api("sns", &self.region))?;
        Ok(Sns {
            endpoint: wire.endpoint(&[""]),
            from: self.from.map(SenderId::parse).transpose()?,
            signer,
            wire,
        })
    }
}

impl fmt::Debug for SnsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnsBuilder").finish_non_exhaustive()
    }
}

/// Sends text messages through Amazon SNS.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::aws::AwsCredentials;
/// use otp_providers::sns::Sns;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let credentials = AwsCredentials::new("AKIDEXAMPLE", "a-secret-access-key")?;
/// let sns = Sns::builder(Arc::new(credentials), "eu-west-1")
///     .from("EXAMPLE")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct Sns {
    endpoint: Endpoint,
    from: Option<SenderId>,
    signer: Signer,
    wire: Wire,
}

impl Sns {
    /// Starts with credentials that may do `sns:Publish`, and the region.
    pub fn builder(
        credentials: Arc<dyn AwsCredentialSource>,
        region: impl Into<String>,
    ) -> SnsBuilder {
        SnsBuilder {
            credentials,
            region: region.into(),
            from: None,
            wire: Settings::new(),
        }
    }

    fn request(&self, to: &PhoneNumber, message: &Message) -> Result<HttpRequest, DeliveryError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", "Publish")
            .append_pair("Version", "2010-03-31")
            .append_pair("PhoneNumber", to.e164())
            .append_pair("Message", message.text());
        let own = self.from.as_ref().map(SenderId::as_str);
        let sender = sender::asked(message).or(own).map(|from| match from {
            number if is_e164(number) => ("AWS.MM.SMS.OriginationNumber", number),
            id => ("AWS.SNS.SMS.SenderID", id),
        });
        let attributes = [("AWS.SNS.SMS.SMSType", "Transactional")];
        for (entry, (name, value)) in (1..).zip(attributes.into_iter().chain(sender)) {
            let key = |part: &str| format!("MessageAttributes.entry.{entry}.{part}");
            form.append_pair(&key("Name"), name)
                .append_pair(&key("Value.DataType"), "String")
                .append_pair(&key("Value.StringValue"), value);
        }
        let request = HttpRequest::post(
            self.endpoint.clone(),
            "application/x-www-form-urlencoded; charset=utf-8",
            form.finish(),
        );
        self.signer.sign(NAME, request, self.wire.now())
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        if reply.status().is_success() {
            let id = element(reply.body(), "MessageId").ok_or_else(|| wire::nonsense(NAME))?;
            return wire::receipt(NAME, id);
        }
        let read = classify_api(reply.status().as_u16(), reply.body());
        Err(self.wire.refusal(NAME, read, reply))
    }
}

impl fmt::Debug for Sns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sns").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for Sns {
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

/// Reads a refusal of the API: the error's `Code` decides the kind, the HTTP status the rest.
///
/// A body that is not Amazon's XML, and a code that is not in the table, leave the status to
/// decide. Only a 4xx is surely not sent.
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::sns::classify_api;
///
/// let body = b"<ErrorResponse><Error><Code>OptedOut</Code></Error></ErrorResponse>";
/// assert_eq!(classify_api(400, body).kind, DeliveryErrorKind::OptedOut);
/// ```
#[must_use]
pub fn classify_api(http_status: u16, body: &[u8]) -> Classified {
    let read = Classified::by_status(http_status);
    if http_status < 400 {
        return read;
    }
    let code = element(body, "Code");
    let known = code.and_then(|code| {
        let code = code.strip_suffix("Exception").unwrap_or(code);
        ERRORS.iter().find(|(known, _)| *known == code)
    });
    match known {
        Some((code, kind)) => Classified {
            kind: *kind,
            code: (*code).to_owned(),
            ..read
        },
        None => read,
    }
}

const ERRORS: [(&str, DeliveryErrorKind); 20] = {
    use DeliveryErrorKind as Kind;
    [
        ("OptedOut", Kind::OptedOut),
        ("Throttled", Kind::Throttled),
        ("Throttling", Kind::Throttled),
        ("AuthorizationError", Kind::Unauthorized),
        ("AccessDenied", Kind::Unauthorized),
        ("ExpiredToken", Kind::Unauthorized),
        ("IncompleteSignature", Kind::Unauthorized),
        ("InvalidClientTokenId", Kind::Unauthorized),
        ("MissingAuthenticationToken", Kind::Unauthorized),
        ("OptInRequired", Kind::Unauthorized),
        ("RequestExpired", Kind::Unauthorized),
        ("SignatureDoesNotMatch", Kind::Unauthorized),
        ("UserError", Kind::Unauthorized),
        ("InvalidParameter", Kind::Invalid),
        ("ParameterValueInvalid", Kind::Invalid),
        ("ValidationError", Kind::Invalid),
        ("EndpointDisabled", Kind::Invalid),
        ("NotFound", Kind::Invalid),
        ("InternalError", Kind::Unavailable),
        ("ServiceUnavailable", Kind::Unavailable),
    ]
};

/// Gives the text of the first element of a name. Amazon's replies hold no such text elsewhere
/// than in its place, and what is taken from it is an id or a code of the table.
fn element<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    let (inside, _) = after.split_once(&format!("</{name}>"))?;
    Some(inside.trim())
}

#[cfg(test)]
mod tests;
