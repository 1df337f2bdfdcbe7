#![doc = include_str!("../docs/generic.md")]

mod auth;
mod body;
mod describe;
mod problem;
mod reply;
mod template;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use http::header::{HeaderName, HeaderValue};
use otp_core::delivery::{DeliveryError, DeliveryProvider, Message, Receipt};
use otp_core::destination::Channel;
use otp_core::secret::SecretString;

use self::body::Body;
use self::reply::Reading;
use self::template::{Placeholder, Template};
use crate::http::{BaseUrl, HttpRequest, HttpResponse};
use crate::wire::{self, Settings, Wire, wire_settings};

pub use self::describe::{
    AuthDescription, BodyDescription, CertaintyName, ErrorRule, KindName, ReferenceDescription,
    ReplyMatch, VendorDescription,
};
pub use self::problem::InvalidVendor;

/// Gathers the settings of an [`HttpProvider`]; see [`HttpProvider::builder`].
#[must_use]
pub struct HttpProviderBuilder {
    vendor: VendorDescription,
    secrets: BTreeMap<String, SecretString>,
    wire: Settings,
}

impl HttpProviderBuilder {
    /// Gives a secret that the description names; in its place the description has
    /// `{secret:name}`.
    pub fn secret(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.secrets.insert(name.into(), value.into());
        self
    }

    wire_settings!("the description's `base_url`");

    /// Checks the description and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`InvalidVendor`] names the part of the description that is malformed, or the secret that
    /// is missing.
    pub fn build(mut self) -> Result<HttpProvider, InvalidVendor> {
        let vendor = self.vendor;
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if !(1..=32).contains(&vendor.name.len()) || !vendor.name.chars().all(slug) {
            return Err(InvalidVendor::Name);
        }
        let channels: Result<Vec<Channel>, _> =
            vendor.channels.iter().map(|name| name.parse()).collect();
        let channels = channels.map_err(|_| InvalidVendor::Channels)?;
        if channels.is_empty() {
            return Err(InvalidVendor::Channels);
        }
        if self.wire.base_url.is_none() {
            self.wire.base_url = Some(BaseUrl::parse(&vendor.base_url)?);
        }
        let secrets = &self.secrets;
        let path = template::path(&vendor.path, secrets)?;
        let mut headers = auth::headers(&vendor.headers, secrets)?;
        headers.extend(auth::authorization(vendor.auth.as_ref(), secrets)?);
        let body = Body::parse(vendor.body, secrets)?;
        if !body.holds(Placeholder::To)
            || !(body.holds(Placeholder::Code) || body.holds(Placeholder::Text))
        {
            return Err(InvalidVendor::BodyIncomplete);
        }
        Ok(HttpProvider {
            reading: Reading::parse(
                vendor.accepted,
                vendor.accepted_when,
                vendor.reference,
                vendor.errors,
            )?,
            // The base is set above, so that no default is needed.
            wire: self.wire.open(&vendor.base_url)?,
            name: vendor.name,
            channels,
            path,
            headers,
            body,
        })
    }
}

impl fmt::Debug for HttpProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProviderBuilder")
            .finish_non_exhaustive()
    }
}

/// Sends messages through a vendor that is described by data.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::generic::{HttpProvider, VendorDescription};
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let vendor: VendorDescription = serde_json::from_str(r#"{
///     "name": "acme-sms",
///     "channels": ["sms"],
///     "base_url": "https://api.acme.example",
///     "path": "/v2/accounts/{secret:account}/messages",
///     "auth": { "bearer": "token" },
///     "headers": { "Idempotency-Key": "{id}" },
///     "body": { "json": { "to": "{to}", "text": "{text}", "ttl": "{expires_in}" } },
///     "accepted": [201],
///     "reference": { "pointer": "/data/id" },
///     "errors": [
///         { "pointer": "/error/code", "equals": ["opted-out"], "kind": "opted_out" },
///         { "status": 409, "kind": "protocol", "certainty": "unknown" }
///     ]
/// }"#)?;
/// let acme = HttpProvider::builder(vendor)
///     .secret("account", "A-1")
///     .secret("token", "the-token")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HttpProvider {
    name: String,
    channels: Vec<Channel>,
    path: Vec<Template>,
    headers: Vec<(HeaderName, Header)>,
    body: Body,
    reading: Reading,
    wire: Wire,
}

/// A header's value: made once, or once for each message.
enum Header {
    Fixed(HeaderValue),
    Each(Template),
}

impl HttpProvider {
    /// Starts with the description of the vendor, as the host loaded it from JSON, YAML or TOML.
    pub fn builder(vendor: VendorDescription) -> HttpProviderBuilder {
        HttpProviderBuilder {
            vendor,
            secrets: BTreeMap::new(),
            wire: Settings::new(),
        }
    }

    fn request(&self, message: &Message) -> Result<HttpRequest, DeliveryError> {
        let unfit = || wire::unfit(&self.name);
        let path: Option<Vec<String>> = self.path.iter().map(|part| part.render(message)).collect();
        let path = path.ok_or_else(unfit)?;
        let segments: Vec<&str> = path.iter().map(String::as_str).collect();
        let (media, body) = self.body.render(message).ok_or_else(unfit)?;
        let mut request = HttpRequest::post(self.wire.endpoint(&segments), media, body);
        for (name, header) in &self.headers {
            let value = match header {
                Header::Fixed(value) => value.clone(),
                Header::Each(template) => {
                    let text = template.render(message).ok_or_else(unfit)?;
                    let mut value = HeaderValue::from_str(&text).map_err(|_| unfit())?;
                    value.set_sensitive(true);
                    value
                }
            };
            request = request.with_header(name.clone(), value);
        }
        Ok(request)
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        match self.reading.accepts(reply) {
            Ok(Some(reference)) => wire::receipt(&self.name, &reference),
            Ok(None) => Ok(Receipt::accepted(&self.name)),
            Err(read) => Err(self.wire.refusal(&self.name, read, reply)),
        }
    }
}

impl fmt::Debug for HttpProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProvider")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for HttpProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &self.channels
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let channel = message.channel();
        if !self.channels.contains(&channel) || channel.fits(message.destination()).is_err() {
            return Err(wire::unfit(&self.name));
        }
        let request = self.request(message)?;
        self.read(&self.wire.send(&self.name, request).await?)
    }
}

#[cfg(test)]
mod tests;
