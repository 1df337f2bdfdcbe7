use std::sync::Arc;

use otp_core::clock::{Clock, SystemClock, Timestamp};
#[cfg(any(
    feature = "plivo",
    feature = "sns",
    feature = "telegram",
    feature = "vonage",
    feature = "whatsapp"
))]
use otp_core::delivery::Message;
use otp_core::delivery::{DeliveryError, DeliveryErrorKind, Receipt};
#[cfg(any(
    feature = "plivo",
    feature = "sns",
    feature = "telegram",
    feature = "vonage",
    feature = "whatsapp"
))]
use otp_core::destination::{Channel, PhoneNumber};

use crate::Classified;
use crate::config::{self, ConfigError};
use crate::http::{BaseUrl, Endpoint, HttpRequest, HttpResponse, HttpTransport};

/// What every builder of an adapter over HTTP gathers.
pub(crate) struct Settings {
    pub(crate) base_url: Option<BaseUrl>,
    pub(crate) transport: Option<Arc<dyn HttpTransport>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Settings {
    pub(crate) fn new() -> Self {
        Self {
            base_url: None,
            transport: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Fills in the vendor's own address and the default transport.
    pub(crate) fn open(self, api: &str) -> Result<Wire, ConfigError> {
        Ok(Wire {
            base: match self.base_url {
                Some(base) => base,
                None => config::default_base(api)?,
            },
            transport: config::transport_or_default(self.transport)?,
            clock: self.clock,
        })
    }
}

/// Writes the builder's methods that every adapter over HTTP has; its settings are `self.wire`.
macro_rules! wire_settings {
    ($api:literal) => {
        #[doc = concat!("Sets where the API is: a stand-in, say. Default: ", $api, ".")]
        pub fn base_url(mut self, base: $crate::http::BaseUrl) -> Self {
            self.wire.base_url = Some(base);
            self
        }

        /// Sets the HTTP transport. Default: a `ReqwestTransport` of its own, with the feature
        /// `reqwest`.
        pub fn transport(
            mut self,
            transport: std::sync::Arc<dyn $crate::http::HttpTransport>,
        ) -> Self {
            self.wire.transport = Some(transport);
            self
        }

        /// Sets the clock. Default: the system's.
        pub fn clock(mut self, clock: std::sync::Arc<dyn otp_core::clock::Clock>) -> Self {
            self.wire.clock = clock;
            self
        }
    };
}
pub(crate) use wire_settings;

/// The way to a vendor: where it is, what carries requests there, and what time it is.
pub(crate) struct Wire {
    base: BaseUrl,
    transport: Arc<dyn HttpTransport>,
    clock: Arc<dyn Clock>,
}

impl Wire {
    pub(crate) fn endpoint(&self, segments: &[&str]) -> Endpoint {
        self.base.endpoint(segments)
    }

    #[cfg(any(feature = "ses", feature = "sns"))]
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn send(
        &self,
        provider: &str,
        request: HttpRequest,
    ) -> Result<HttpResponse, DeliveryError> {
        let sent = self.transport.send(request).await;
        sent.map_err(|error| error.into_delivery_error(provider))
    }

    /// Makes the error of a refusal, with the reply's hint of when to try again.
    pub(crate) fn refusal(
        &self,
        provider: &str,
        read: Classified,
        reply: &HttpResponse,
    ) -> DeliveryError {
        let error = read.into_error(provider);
        let now: Timestamp = self.clock.now();
        match reply.retry_after(now) {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}

/// Takes the number of a message for this channel; anything else was never sent.
#[cfg(any(
    feature = "plivo",
    feature = "sns",
    feature = "telegram",
    feature = "vonage",
    feature = "whatsapp"
))]
pub(crate) fn phone<'a>(
    provider: &str,
    channel: Channel,
    message: &'a Message,
) -> Result<&'a PhoneNumber, DeliveryError> {
    let phone = message.destination().as_phone();
    phone
        .filter(|_| message.channel() == channel)
        .ok_or_else(|| unfit(provider))
}

/// The message is not one for this vendor, and was not handed to it.
pub(crate) fn unfit(provider: &str) -> DeliveryError {
    DeliveryError::new(DeliveryErrorKind::Invalid, provider).not_sent()
}

/// The reply is none that the vendor documents; the message may be on its way.
pub(crate) fn nonsense(provider: &str) -> DeliveryError {
    DeliveryError::new(DeliveryErrorKind::Protocol, provider).maybe_sent()
}

/// Makes the receipt of a vendor's id; what is no id is no acceptance either.
pub(crate) fn receipt(provider: &str, id: &str) -> Result<Receipt, DeliveryError> {
    if (1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Receipt::accepted(provider).with_reference(id))
    } else {
        Err(nonsense(provider))
    }
}
