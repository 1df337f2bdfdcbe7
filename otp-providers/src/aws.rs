//! What the adapters of Amazon's services share: credentials, and Signature Version 4.
//!
//! Requests are signed here, without an SDK, and credentials come from the host: a fixed pair, or
//! an [`AwsCredentialSource`] that the host keeps fresh from its own chain (a role, a container, a
//! profile).

mod calendar;
mod credentials;
mod sigv4;

pub use self::credentials::{AwsCredentialSource, AwsCredentials};
pub use self::sigv4::{Signature, SigningInput, sign};

use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryError, DeliveryErrorKind};

use crate::config::{self, ConfigError};
use crate::http::HttpRequest;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Signs the requests of one service in one region.
pub(crate) struct Signer {
    source: Arc<dyn AwsCredentialSource>,
    region: String,
    service: &'static str,
}

impl Signer {
    pub(crate) fn new(
        source: Arc<dyn AwsCredentialSource>,
        region: &str,
        service: &'static str,
    ) -> Result<Self, ConfigError> {
        if !is_region(region) {
            return Err(ConfigError::Region);
        }
        Ok(Self {
            source,
            region: region.to_owned(),
            service,
        })
    }

    /// Adds the headers of the signature.
    pub(crate) fn sign(
        &self,
        provider: &str,
        request: HttpRequest,
        at: Timestamp,
    ) -> Result<HttpRequest, DeliveryError> {
        let refused = || DeliveryError::new(DeliveryErrorKind::Unauthorized, provider).not_sent();
        let credentials = self.source.credentials().ok_or_else(refused)?;
        let media = request.headers().get(CONTENT_TYPE);
        let media = media.and_then(|media| media.to_str().ok());
        let headers: Vec<(&str, &str)> = media
            .map(|media| ("content-type", media))
            .into_iter()
            .collect();
        let signature = sign(
            &SigningInput {
                method: request.method().as_str(),
                url: request.url(),
                headers: &headers,
                body: request.body(),
                region: &self.region,
                service: self.service,
            },
            &credentials,
            at,
        );
        let header = |text: &str| HeaderValue::from_str(text).map_err(|_| refused());
        let authorization =
            config::secret_header(signature.authorization()).map_err(|_| refused())?;
        let date = header(signature.date())?;
        let signed = request
            .with_header(ACCEPT, HeaderValue::from_static("application/json"))
            .with_header(DATE, date)
            .with_header(AUTHORIZATION, authorization);
        match credentials.session_token() {
            None => Ok(signed),
            Some(token) => {
                let token = config::secret_header(token).map_err(|_| refused())?;
                Ok(signed.with_header(TOKEN, token))
            }
        }
    }
}

/// A shape only: Amazon adds regions.
fn is_region(text: &str) -> bool {
    (4..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Amazon's domain of a region; China has one of its own.
pub(crate) fn api(service: &str, region: &str) -> String {
    let top = if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    };
    format!("https://{service}.{region}.{top}")
}
