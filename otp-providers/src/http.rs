//! The HTTP transport that adapters talk through, and its values.
//!
//! A host that has a client, a proxy or mutual TLS of its own implements [`HttpTransport`], or
//! wraps its `reqwest::Client`. Requests go only to an [`Endpoint`], which only a checked
//! [`BaseUrl`] makes, so no transport is ever asked to speak plain HTTP to another machine.

mod base_url;
mod date;
mod error;
mod rate_limit;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest;
mod response;
#[cfg(any(test, feature = "testing"))]
mod scripted;

use std::fmt::Debug;

/// Lets a trait's methods be `async` behind `dyn`; put it on an `impl` of [`HttpTransport`].
pub use ::async_trait::async_trait;

pub use self::base_url::{BaseUrl, Endpoint, InvalidBaseUrl};
pub use self::error::{TransportError, TransportErrorKind};
pub use self::rate_limit::{RateLimitPolicy, RateLimitState, wait_of};
pub use self::request::HttpRequest;
#[cfg(feature = "reqwest")]
pub use self::reqwest::{ReqwestTransport, ReqwestTransportBuilder, TransportSetupError};
pub use self::response::HttpResponse;
#[cfg(any(test, feature = "testing"))]
pub use self::scripted::ScriptedTransport;

/// Carries one request to a vendor and brings the reply back.
///
/// # Contract
/// - The request leaves at most once. A repeat is allowed only where not a byte of the first one
///   reached the vendor.
/// - [`TransportErrorKind::NotConnected`] is answered only where the request surely did not reach
///   the vendor: others may be read as "perhaps sent".
/// - Redirects are not followed, cookies are not kept, and the reply's body is bounded.
/// - The call ends by itself, whatever the vendor does.
/// - Nothing logged, returned or printed holds the request's headers, body or URL.
/// - The future may be dropped at any point; the next call works.
#[async_trait]
pub trait HttpTransport: Debug + Send + Sync + 'static {
    /// Sends the request and reads the whole reply, whatever its status.
    ///
    /// # Errors
    /// [`TransportError`] where there is no complete reply.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}
