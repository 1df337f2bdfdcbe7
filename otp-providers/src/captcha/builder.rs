use std::fmt;
use std::sync::Arc;

use otp_core::secret::SecretString;

use super::{Address, Expected, SiteVerify, Vendor};
use crate::config::{self, ConfigError};
use crate::http::{BaseUrl, HttpTransport};

/// Gathers the settings of a [`SiteVerify`]; see [`SiteVerify::builder`].
#[must_use]
pub struct SiteVerifyBuilder {
    vendor: Vendor,
    secret: SecretString,
    site_key: Option<String>,
    expected: Expected,
    address: Address,
    base_url: Option<BaseUrl>,
    transport: Option<Arc<dyn HttpTransport>>,
}

impl SiteVerifyBuilder {
    pub(super) fn new(vendor: Vendor, secret: SecretString) -> Self {
        Self {
            vendor,
            secret,
            site_key: None,
            expected: Expected::default(),
            address: Address::Told,
            base_url: None,
            transport: None,
        }
    }

    /// Adds a host whose pages show the widget; one at least.
    pub fn hostname(mut self, hostname: &str) -> Self {
        self.expected.also_on(hostname);
        self
    }

    /// Expects an action: Turnstile and reCAPTCHA v3 have them, and v3 must have one.
    pub fn action(mut self, action: &str) -> Self {
        self.expected = self.expected.action(action);
        self
    }

    /// Sets the least score of reCAPTCHA v3, from 0 to 1. Default: 0.5.
    pub fn min_score(mut self, score: f64) -> Self {
        self.expected = self.expected.min_score(score);
        self
    }

    /// Sets how old the challenge may be. Default: ten minutes.
    pub fn longest_age(mut self, age: std::time::Duration) -> Self {
        self.expected = self.expected.longest_age(age);
        self
    }

    /// Names the site, for hCaptcha: a token of another site of the same account then fails.
    pub fn site_key(mut self, key: impl Into<String>) -> Self {
        self.site_key = Some(key.into());
        self
    }

    /// Does not tell the vendor the client's address. Default: it is told, and takes it into
    /// account.
    pub fn without_address(mut self) -> Self {
        self.address = Address::Kept;
        self
    }

    /// Sets where the API is: a stand-in, say. Default: the vendor's own.
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

    /// Checks the settings and makes the verifier. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<SiteVerify, ConfigError> {
        config::check_credential(&self.secret)?;
        let hostnames = self.expected.hostnames();
        if hostnames.is_empty() || !hostnames.iter().all(|name| is_hostname(name)) {
            return Err(ConfigError::CaptchaHostname);
        }
        let named = self.expected.names_action();
        let fits = match (self.vendor, named) {
            (Vendor::ReCaptchaV3, None) => false,
            (vendor, Some(action)) => vendor.has_actions() && is_action(action),
            (_, None) => true,
        };
        if !fits {
            return Err(ConfigError::CaptchaAction);
        }
        if let Some(floor) = self.expected.floor()
            && !(self.vendor.scores() && (0.0..=1.0).contains(&floor))
        {
            return Err(ConfigError::CaptchaScore);
        }
        if let Some(key) = &self.site_key
            && !(self.vendor == Vendor::HCaptcha && is_action(key))
        {
            return Err(ConfigError::VendorId);
        }
        let base = match self.base_url {
            Some(base) => base,
            None => config::default_base(self.vendor.api())?,
        };
        Ok(SiteVerify {
            vendor: self.vendor,
            secret: self.secret,
            site_key: self.site_key,
            expected: self.expected,
            address: self.address,
            endpoint: base.endpoint(self.vendor.path()),
            transport: config::transport_or_default(self.transport)?,
        })
    }
}

impl fmt::Debug for SiteVerifyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteVerifyBuilder")
            .field("vendor", &self.vendor)
            .finish_non_exhaustive()
    }
}

fn is_hostname(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=253).contains(&name.len()) && name.bytes().all(fits)
}

fn is_action(action: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
    (1..=100).contains(&action.len()) && action.bytes().all(fits)
}
