#![doc = include_str!("../docs/captcha.md")]

mod builder;
mod expected;
mod reply;
mod vendor;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use http::header::{ACCEPT, HeaderValue};
use otp_core::check::{CaptchaQuestion, CaptchaVerdict, CaptchaVerifier, CheckError};
use otp_core::secret::SecretString;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

pub use builder::SiteVerifyBuilder;
pub use expected::Expected;
pub use reply::{Outcome, classify_siteverify};
pub use vendor::Vendor;

use crate::http::{Endpoint, HttpRequest, HttpTransport};

/// Whether the vendor learns the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    Told,
    Kept,
}

/// Checks tokens of hCaptcha, Turnstile or reCAPTCHA with their vendor.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::captcha::{SiteVerify, Vendor};
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let captcha = SiteVerify::builder(Vendor::Turnstile, "the-secret")
///     .hostname("login.example.com")
///     .action("send-otp")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct SiteVerify {
    vendor: Vendor,
    secret: SecretString,
    site_key: Option<String>,
    expected: Expected,
    address: Address,
    endpoint: Endpoint,
    transport: Arc<dyn HttpTransport>,
}

impl SiteVerify {
    /// Starts with a vendor and the site's secret.
    pub fn builder(vendor: Vendor, secret: impl Into<SecretString>) -> SiteVerifyBuilder {
        SiteVerifyBuilder::new(vendor, secret.into())
    }

    /// Says whose tokens it checks.
    #[must_use]
    pub fn vendor(&self) -> Vendor {
        self.vendor
    }

    fn request(&self, question: &CaptchaQuestion<'_>) -> HttpRequest {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("secret", self.secret.expose());
        form.append_pair("response", question.token.expose());
        if let (Address::Told, Some(address)) = (self.address, question.address) {
            form.append_pair("remoteip", &address.to_canonical().to_string());
        }
        if let Some(site_key) = &self.site_key {
            form.append_pair("sitekey", site_key);
        }
        if self.vendor.repeats() {
            form.append_pair("idempotency_key", &uuid_of(question.token.expose()));
        }
        const FORM: &str = "application/x-www-form-urlencoded";
        HttpRequest::post(self.endpoint.clone(), FORM, form.finish())
            .with_header(ACCEPT, HeaderValue::from_static("application/json"))
    }

    async fn ask(&self, question: &CaptchaQuestion<'_>) -> Result<Outcome, CheckError> {
        let sent = self.transport.send(self.request(question)).await;
        let reply = sent.map_err(CheckError::unavailable)?;
        Ok(classify_siteverify(
            self.vendor,
            reply.status().as_u16(),
            reply.body(),
            &self.expected,
            question.now,
        ))
    }
}

impl fmt::Debug for SiteVerify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteVerify")
            .field("vendor", &self.vendor)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl CaptchaVerifier for SiteVerify {
    fn name(&self) -> &str {
        self.vendor.name()
    }

    async fn verify(&self, question: &CaptchaQuestion<'_>) -> Result<CaptchaVerdict, CheckError> {
        let mut outcome = self.ask(question).await?;
        if outcome == Outcome::Unavailable && self.vendor.repeats() {
            outcome = self.ask(question).await?;
        }
        match outcome {
            Outcome::Verdict(verdict) => Ok(verdict),
            Outcome::Misconfigured => Err(CheckError::Misconfigured(
                "the vendor refuses the secret or the request",
            )),
            Outcome::Unavailable => Err(CheckError::unavailable("the vendor gave no verdict")),
        }
    }
}

/// Names a token for a repeated question: a UUID (RFC 9562 section 5.8) of its hash.
fn uuid_of(token: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"otp-kit captcha repeat v1\0")
        .chain_update(token.as_bytes())
        .finalize();
    let head: [u8; 16] = digest.first_chunk::<16>().copied().unwrap_or_default();
    let version = 0x8 << 76;
    let variant = 0b10 << 62;
    let free = !(0xf << 76 | 0b11 << 62);
    let bits = u128::from_be_bytes(head) & free | version | variant;
    let hex = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
    parts.join("-")
}

#[cfg(test)]
mod tests;
