//! What vendors call. How a report is read, and what it changes, is the host's.

use std::future::Future;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use otp_core::request::RequestContext;

use crate::json;
use crate::openapi::{Api, Operation, Schema};
use crate::refusal::Refusal;
use crate::{Client, PathPart};

/// The most bytes that a vendor sends.
pub const LARGEST: usize = 64 * 1024;
const BY_VENDOR: &str = "/api/auth/webhooks/{vendor}";
const KINDS: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
];

/// The host's side: whose reports are taken, and how.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use axum::Router;
/// use otp_axum::Edge;
/// use otp_axum::webhooks::{self, NotTaken, Received, Taken, Vendors};
///
/// struct Acme;
///
/// impl Vendors for Acme {
///     async fn take(&self, vendor: &str, request: Received) -> Result<Taken, NotTaken> {
///         let body = request.body?;
///         match vendor {
///             // ... where its signature over `body` is right
///             "acme" if !body.is_empty() => Ok(Taken::Noted),
///             "acme" => Err(NotTaken::Unbelieved),
///             _ => Err(NotTaken::UnknownVendor),
///         }
///     }
/// }
///
/// let routes: Router = Edge::new().around(webhooks::routes(Arc::new(Acme)));
/// ```
pub trait Vendors: Send + Sync + 'static {
    /// Takes one request. Nothing of it is to be believed before its signature is right, and what
    /// was seen before changes nothing.
    ///
    /// # Errors
    /// [`NotTaken`]: vendors send again what was not taken.
    fn take(
        &self,
        vendor: &str,
        request: Received,
    ) -> impl Future<Output = Result<Taken, NotTaken>> + Send;

    /// Lists the vendors whose reports may come, for the document. Default: none, and the document
    /// says nothing of their names.
    #[must_use]
    fn names() -> &'static [&'static str] {
        &[]
    }
}

/// A request as it came.
#[derive(Debug)]
pub struct Received {
    /// `POST`, or `GET` for a handshake.
    pub method: Method,
    /// The path and the query. The host in it proves nothing: signatures are made over the outside
    /// address of the service, which the host knows.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte, or why there is none: [`NotTaken::TooLarge`],
    /// [`NotTaken::TooSlow`], [`NotTaken::Malformed`] where the connection broke.
    pub body: Result<Bytes, NotTaken>,
    /// Who sent it, for the record.
    pub client: RequestContext,
}

/// What became of a request that was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is noted, or was before: 200 with no body.
    Noted,
    /// A handshake: 200 with exactly this text.
    Echo(String),
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTaken {
    /// Nobody of that name reports here: 404.
    #[error("no such vendor")]
    UnknownVendor,
    /// The body is over [`LARGEST`]: 413.
    #[error("a webhook is too large")]
    TooLarge,
    /// Its body took longer than ten seconds to come: 408.
    #[error("a webhook takes too long to come")]
    TooSlow,
    /// Its signature is missing, wrong or too old: 401.
    #[error("a webhook is not believed")]
    Unbelieved,
    /// The handshake is not for this endpoint: 403.
    #[error("the handshake of a webhook is refused")]
    HandshakeRefused,
    /// It cannot be read: 400.
    #[error("a webhook cannot be read")]
    Malformed,
    /// It may be right, and something of ours failed: 503.
    #[error("a webhook cannot be taken now")]
    Unavailable,
}

impl From<NotTaken> for Refusal {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::UnknownVendor => Self::NOT_FOUND,
            NotTaken::TooLarge => Self::TOO_LARGE,
            NotTaken::TooSlow => Self::REQUEST_TIMEOUT,
            NotTaken::Unbelieved => Self::BAD_SIGNATURE,
            NotTaken::HandshakeRefused => Self::HANDSHAKE_REFUSED,
            NotTaken::Malformed => Self::MALFORMED,
            NotTaken::Unavailable => Self::UNAVAILABLE,
        }
    }
}

const NOT_TAKEN: [Refusal; 6] = [
    Refusal::BAD_SIGNATURE,
    Refusal::HANDSHAKE_REFUSED,
    Refusal::MALFORMED,
    Refusal::NOT_FOUND,
    Refusal::TOO_LARGE,
    Refusal::UNAVAILABLE,
];

/// Gives `/api/auth/webhooks/{vendor}`, by `POST` and, for handshakes, by `GET`.
pub fn routes<S, V: Vendors>(vendors: Arc<V>) -> Api<S> {
    let names = V::names();
    let name = match names.is_empty() {
        true => Schema::text(),
        false => Schema::word(names.iter().copied()),
    };
    let handshake = Operation::get("Answers a vendor that asks whether somebody is here")
        .part("vendor", name.clone())
        .gives_as(200, "text/plain", Schema::text())
        .refuses(NOT_TAKEN);
    Api::new()
        .operation(BY_VENDOR, report().part("vendor", name), take::<V>)
        .operation(BY_VENDOR, handshake, take::<V>)
        .with_state(vendors)
}

/// Gives a path of its own to one vendor's reports.
pub fn alias<S, V: Vendors>(path: &str, vendor: &'static str, vendors: Arc<V>) -> Api<S> {
    let take = async move |state: State<Arc<V>>,
                           method: Method,
                           uri: Uri,
                           client: Client,
                           headers: HeaderMap,
                           request: Request| {
        take::<V>(
            state,
            PathPart(vendor.to_owned()),
            method,
            uri,
            client,
            headers,
            request,
        )
        .await
    };
    Api::new()
        .operation(path, report(), take)
        .with_state(vendors)
}

fn report() -> Operation {
    Operation::post("Takes what a vendor reports, signed")
        .takes_as(KINDS, Schema::any())
        .up_to(LARGEST)
        .gives_nothing(200)
        .refuses(NOT_TAKEN)
}

async fn take<V: Vendors>(
    State(vendors): State<Arc<V>>,
    PathPart(vendor): PathPart,
    method: Method,
    uri: Uri,
    client: Client,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Client(client) = client;
    let body = json::body(request, &()).await;
    let request = Received {
        method,
        uri,
        headers,
        body: body.map_err(|why| match why {
            Refusal::TOO_LARGE => NotTaken::TooLarge,
            Refusal::REQUEST_TIMEOUT => NotTaken::TooSlow,
            _ => NotTaken::Malformed,
        }),
        client,
    };
    match vendors.take(&vendor, request).await {
        Ok(Taken::Noted) => StatusCode::OK.into_response(),
        Ok(Taken::Echo(text)) => text.into_response(),
        Err(why) => Refusal::from(why).into_response(),
    }
}
