use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use thiserror::Error;

use super::{HttpRequest, HttpResponse, HttpTransport, TransportError, TransportErrorKind};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(10);
/// Vendors close idle connections after a minute or so; a shorter life here leaves fewer requests
/// to a connection that is being closed.
const IDLE: Duration = Duration::from_secs(20);
const LARGEST_REPLY: usize = 64 * 1024;

/// The default transport: `reqwest` over rustls with ring, certificates checked by the platform.
///
/// Connecting takes at most 3 seconds and a call at most 10; a reply is read up to 64 KiB.
/// Redirects are not followed, no request is repeated, cookies are not kept, and proxy variables
/// of the environment are not read. No process-wide rustls provider is installed.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use otp_providers::http::{HttpTransport, ReqwestTransport};
///
/// let transport: Arc<dyn HttpTransport> =
///     Arc::new(ReqwestTransport::builder().timeout(Duration::from_secs(5)).build()?);
/// # Ok::<(), otp_providers::http::TransportSetupError>(())
/// ```
#[derive(Clone)]
pub struct ReqwestTransport {
    client: reqwest::Client,
    timeout: Duration,
}

/// Sets limits; see [`ReqwestTransport::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ReqwestTransportBuilder {
    connect_timeout: Duration,
    timeout: Duration,
}

/// The client could not be made: the platform has no certificate store, say.
#[derive(Debug, Error)]
#[error("the tls client could not be set up")]
pub struct TransportSetupError(#[source] Box<dyn Error + Send + Sync>);

impl ReqwestTransport {
    /// Starts with the default limits.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            connect_timeout: CONNECT_TIMEOUT,
            timeout: TIMEOUT,
        }
    }

    /// Makes a transport with the default limits.
    ///
    /// # Errors
    /// [`TransportSetupError`] where TLS cannot be set up.
    pub fn new() -> Result<Self, TransportSetupError> {
        Self::builder().build()
    }

    /// Wraps a client of the host's own, with its proxies and certificates. The call's 10 seconds
    /// and the 64 KiB of a reply still hold; the rest is the client's: build it with
    /// `redirect(Policy::none())` and `retry(retry::never())`, or a vendor's redirect carries the
    /// message elsewhere. A reply from another address than the one asked is an error, but by then
    /// the message is there.
    #[must_use]
    pub fn from_client(client: reqwest::Client) -> Self {
        Self {
            client,
            timeout: TIMEOUT,
        }
    }
}

impl ReqwestTransportBuilder {
    /// Sets how long connecting may take, TLS included. Default: 3 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Sets how long a call may take in all. Default: 10 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Makes the transport.
    ///
    /// # Errors
    /// [`TransportSetupError`] where TLS cannot be set up.
    pub fn build(self) -> Result<ReqwestTransport, TransportSetupError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(IDLE)
            .user_agent(concat!("otp-kit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| TransportSetupError(error.without_url().into()))?;
        Ok(ReqwestTransport {
            client,
            timeout: self.timeout,
        })
    }
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpTransport for ReqwestTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut reply = self
            .client
            .request(request.method().clone(), request.url().clone())
            .headers(request.headers().clone())
            .body(request.body().clone())
            .timeout(self.timeout)
            .send()
            .await
            .map_err(read_error)?;
        if reply.url() != request.url() {
            return Err(TransportError::new(
                TransportErrorKind::Other,
                "the client followed a redirect",
            ));
        }
        let status = reply.status();
        let headers = std::mem::take(reply.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = reply.chunk().await.map_err(read_error)? {
            if body.len().saturating_add(chunk.len()) > LARGEST_REPLY {
                return Err(TransportError::new(
                    TransportErrorKind::TooLarge,
                    "over 64 KiB",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse::new(status, headers, body.freeze()))
    }
}

/// The provider is passed in: installing one for the process would take the choice from the host.
fn tls() -> Result<ClientConfig, TransportSetupError> {
    let failed = |error: rustls::Error| TransportSetupError(error.into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_platform_verifier()
        .map_err(failed)?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Keeps of an error what may be shown: reqwest's own and its causes name addresses and hosts.
fn read_error(error: reqwest::Error) -> TransportError {
    // A connect timeout is both; that nothing was sent is the stronger word.
    let kind = if error.is_connect() {
        TransportErrorKind::NotConnected
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if error.is_builder() {
        TransportErrorKind::Other
    } else {
        TransportErrorKind::Interrupted
    };
    TransportError::new(kind, detail(&error))
}

fn detail(error: &reqwest::Error) -> &'static str {
    let mut cause = error.source();
    while let Some(current) = cause {
        if current.is::<rustls::Error>() {
            return "tls failed";
        }
        if let Some(error) = current.downcast_ref::<io::Error>() {
            // TLS errors travel inside an I/O error, beneath `source`.
            if error
                .get_ref()
                .is_some_and(|inner| inner.is::<rustls::Error>())
            {
                return "tls failed";
            }
            match error.kind() {
                io::ErrorKind::ConnectionRefused => return "connection refused",
                io::ErrorKind::ConnectionReset => return "connection reset",
                io::ErrorKind::BrokenPipe => return "connection closed",
                io::ErrorKind::HostUnreachable => return "host unreachable",
                io::ErrorKind::NetworkUnreachable => return "network unreachable",
                _ => {}
            }
        }
        cause = current.source();
    }
    if error.is_timeout() {
        "deadline passed"
    } else if error.is_connect() {
        "no connection"
    } else {
        "incomplete reply"
    }
}
