//! Acme Messaging: `POST /v1/messages` with a bearer key, JSON `{"to","text","ref"}`.
//!
//! | reply | means |
//! |---|---|
//! | 202 `{"id"}` | accepted |
//! | 400 | the number cannot be reached |
//! | 401, 403 | the key is refused |
//! | 429 with `Retry-After` | too fast; nothing was done |
//! | 5xx | unknown: it may have been sent |

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderValue};
use otp_kit::async_trait;
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::delivery::{DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt};
use otp_kit::destination::Channel;
use otp_kit::providers::Classified;
use otp_kit::providers::http::{
    BaseUrl, HttpRequest, HttpResponse, HttpTransport, ReqwestTransport,
};
use otp_kit::secret::SecretString;
use serde::{Deserialize, Serialize};

const NAME: &str = "acme";

/// Collects what Acme needs; the key comes first, because nothing works without it.
pub(crate) struct AcmeBuilder {
    key: SecretString,
    base_url: Option<BaseUrl>,
    deadline: Duration,
}

impl AcmeBuilder {
    /// Talks to another address; HTTPS, or plain HTTP on this machine.
    pub(crate) fn base_url(mut self, url: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        self.base_url = Some(BaseUrl::parse(url)?);
        Ok(self)
    }

    /// Gives a send this long. Default: ten seconds.
    #[cfg(test)]
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Builds the provider.
    pub(crate) fn build(self) -> Result<Acme, Box<dyn Error + Send + Sync>> {
        let base = match self.base_url {
            Some(base) => base,
            None => BaseUrl::parse("https://api.acme.example")?,
        };
        let transport = ReqwestTransport::builder().timeout(self.deadline).build()?;
        Ok(Acme {
            key: self.key,
            base,
            transport: Arc::new(transport),
        })
    }
}

/// Sends text messages through Acme.
pub(crate) struct Acme {
    key: SecretString,
    base: BaseUrl,
    transport: Arc<dyn HttpTransport>,
}

impl Acme {
    /// Starts with the key of the account.
    pub(crate) fn builder(key: &str) -> AcmeBuilder {
        AcmeBuilder {
            key: SecretString::new(key.to_owned()),
            base_url: None,
            deadline: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Acme(..)")
    }
}

#[async_trait]
impl DeliveryProvider for Acme {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let phone = match (message.channel(), message.destination().as_phone()) {
            (Channel::Sms, Some(phone)) => phone,
            _ => return Err(DeliveryError::new(DeliveryErrorKind::Invalid, NAME).not_sent()),
        };
        let body = Body {
            to: phone.e164(),
            text: message.text(),
            // Acme drops a second message with the same reference: its idempotency key.
            r#ref: message.id().as_str(),
        };
        let body = serde_json::to_vec(&body)
            .map_err(|_| DeliveryError::new(DeliveryErrorKind::Invalid, NAME).not_sent())?;
        let endpoint = self.base.endpoint(&["v1", "messages"]);
        let request = HttpRequest::post(endpoint, "application/json", body)
            .with_header(AUTHORIZATION, self.bearer()?);
        let response = self
            .transport
            .send(request)
            .await
            .map_err(|error| error.into_delivery_error(NAME))?;
        accepted(&response)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    to: &'a str,
    text: &'a str,
    r#ref: &'a str,
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

impl Acme {
    fn bearer(&self) -> Result<HeaderValue, DeliveryError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", self.key.expose()))
            .map_err(|_| DeliveryError::new(DeliveryErrorKind::Unauthorized, NAME).not_sent())?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }
}

/// Reads what Acme answered.
fn accepted(response: &HttpResponse) -> Result<Receipt, DeliveryError> {
    match response.status().as_u16() {
        202 => serde_json::from_slice(response.body())
            .map(|Accepted { id }| Receipt::accepted(NAME).with_reference(&id))
            .map_err(|_| DeliveryError::new(DeliveryErrorKind::Protocol, NAME)),
        400 => Err(DeliveryError::new(DeliveryErrorKind::Unreachable, NAME)),
        status => {
            let error = Classified::by_status(status).into_error(NAME);
            Err(match response.retry_after(SystemClock.now()) {
                Some(wait) => error.with_retry_after(wait),
                None => error,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use otp_kit::testing::provider::{ProviderFixture, Reply, Setup};

    use super::*;

    fn build(setup: &Setup) -> Result<Acme, Box<dyn Error + Send + Sync>> {
        let builder = Acme::builder("a-very-secret-key").base_url(&setup.base_url)?;
        builder.deadline(setup.deadline).build()
    }

    fn fixture() -> ProviderFixture {
        ProviderFixture::new(build, Reply::new(202).json(r#"{"id":"acme-1"}"#))
            .reference("acme-1")
            .secret("a-very-secret-key")
            .refusal(
                "a number nobody has",
                Reply::new(400),
                DeliveryErrorKind::Unreachable,
            )
            .refusal(
                "a bad key",
                Reply::new(401),
                DeliveryErrorKind::Unauthorized,
            )
            .refusal("too fast", Reply::new(429), DeliveryErrorKind::Throttled)
            .refusal("down", Reply::new(503), DeliveryErrorKind::Unavailable)
            .refusal(
                "an answer of no sense",
                Reply::new(202),
                DeliveryErrorKind::Protocol,
            )
    }

    otp_kit::provider_conformance!(fixture);
}
