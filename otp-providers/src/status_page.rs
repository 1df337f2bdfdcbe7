//! What vendors say of themselves, for vendors whose status page is a Statuspage.
//!
//! `GET /api/v2/status.json` ([reference](https://metastatuspage.com/api)); Twilio's, SendGrid's
//! and many another page is one. What it says is a hint for whoever reads the status at night, and
//! never a condition for sending: breakers go by what was seen here.

use std::fmt;
use std::sync::Arc;

use http::header::{ACCEPT, HeaderValue};
use otp_core::delivery::VendorState;
use serde::Deserialize;
use thiserror::Error;

use crate::config::{self, ConfigError};
use crate::http::{BaseUrl, Endpoint, HttpRequest, HttpTransport, TransportError};

/// A vendor's status page.
///
/// # Examples
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # async fn example(verifier: &otp_core::verifier::Verifier) -> Result<(), Box<dyn std::error::Error>> {
/// use otp_providers::http::BaseUrl;
/// use otp_providers::status_page::StatusPage;
///
/// let page = StatusPage::new(BaseUrl::parse(StatusPage::TWILIO)?)?;
/// // Once a minute, say, beside the requests.
/// verifier.routes().vendor_says("twilio", page.read().await?)?;
/// # Ok(()) }
/// ```
pub struct StatusPage {
    endpoint: Endpoint,
    transport: Arc<dyn HttpTransport>,
}

/// Nothing was learnt from a status page, good or bad.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StatusPageError {
    /// There was no reply.
    #[error("the status page did not answer")]
    Unreachable(#[source] TransportError),
    /// The reply is none that a status page gives.
    #[error("the status page answered with no indicator")]
    Unreadable,
}

impl StatusPage {
    /// Where Twilio's is.
    pub const TWILIO: &str = "https://status.twilio.com";
    /// Where SendGrid's is.
    pub const SENDGRID: &str = "https://status.sendgrid.com";

    /// Names a page, read through a `ReqwestTransport` of its own.
    ///
    /// # Errors
    /// [`ConfigError`] where there is no such transport: without the feature `reqwest`.
    pub fn new(base: BaseUrl) -> Result<Self, ConfigError> {
        let transport = config::transport_or_default(None)?;
        Ok(Self::through(base, transport))
    }

    /// Names a page, read through a transport.
    #[must_use]
    pub fn through(base: BaseUrl, transport: Arc<dyn HttpTransport>) -> Self {
        Self {
            endpoint: base.endpoint(&["api", "v2", "status.json"]),
            transport,
        }
    }

    /// Reads the page once. The transport bounds how long that takes.
    ///
    /// # Errors
    /// [`StatusPageError`]; then what was known before is what is known.
    pub async fn read(&self) -> Result<VendorState, StatusPageError> {
        let request = HttpRequest::get(self.endpoint.clone())
            .with_header(ACCEPT, HeaderValue::from_static("application/json"));
        let reply = self.transport.send(request).await;
        let reply = reply.map_err(StatusPageError::Unreachable)?;
        let page: Option<Page> = serde_json::from_slice(reply.body()).ok();
        page.filter(|_| reply.status().is_success())
            .and_then(|page| VendorState::from_name(&page.status.indicator))
            .ok_or(StatusPageError::Unreadable)
    }
}

impl fmt::Debug for StatusPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusPage").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Page {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    indicator: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ScriptedTransport;

    fn page(vendor: &ScriptedTransport) -> StatusPage {
        let base = BaseUrl::parse(StatusPage::TWILIO).expect("an address");
        StatusPage::through(base, Arc::new(vendor.clone()))
    }

    #[tokio::test]
    async fn the_indicator_is_read_and_nothing_else() {
        for state in VendorState::ALL {
            let body = format!(
                r#"{{"page":{{"name":"Twilio"}},"status":{{"indicator":"{state}","description":"d"}}}}"#
            );
            let vendor = ScriptedTransport::new().then(200, &body);
            assert_eq!(page(&vendor).read().await, Ok(state));
            let [request] = vendor.requests().try_into().expect("one request");
            assert_eq!(
                request.url().as_str(),
                "https://status.twilio.com/api/v2/status.json"
            );
        }
    }

    #[tokio::test]
    async fn a_page_that_says_nothing_says_nothing_good_either() {
        let fine = r#"{"status":{"indicator":"none"}}"#;
        for (status, body) in [
            (503, fine),
            (302, fine),
            (200, ""),
            (200, "<html>"),
            (200, r#"{"status":{"indicator":"fine"}}"#),
            (200, r#"{"indicator":"none"}"#),
        ] {
            let vendor = ScriptedTransport::new().then(status, body);
            let read = page(&vendor).read().await;
            assert_eq!(read, Err(StatusPageError::Unreadable), "{status} {body}");
        }
        let vendor = ScriptedTransport::new().then_timeout();
        assert!(matches!(
            page(&vendor).read().await,
            Err(StatusPageError::Unreachable(_))
        ));
    }
}
