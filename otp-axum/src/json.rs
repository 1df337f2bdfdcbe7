//! Bodies: JSON, small, and read one way only.
//!
//! [`StrictJson`] reads a whole body, [`Member`] one of its members that may be missing or wrong.

use std::time::Duration;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::refusal::Refusal;

/// The most bytes of a body, where a route does not say otherwise.
pub const LARGEST: usize = 16 * 1024;
/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A body that is one JSON object of the expected members.
///
/// Unknown and repeated members are refused, where `T` denies unknown fields and derives
/// `Deserialize`: another reader of the same bytes might see something else in them (RFC 8259
/// section 4). So are an array in the object's place, text behind the object, another
/// `Content-Type` than `application/json` in UTF-8, an encoded body, one that is larger than the
/// route takes and one that takes longer than ten seconds to come.
///
/// # Examples
/// ```
/// use otp_axum::StrictJson;
/// use otp_axum::json::Member;
/// use serde::Deserialize;
///
/// #[derive(Default, Deserialize)]
/// #[serde(deny_unknown_fields, default)]
/// struct Greeting {
///     name: Member,
/// }
///
/// async fn greet(StrictJson(greeting): StrictJson<Greeting>) { /* ... */ }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_plain_json(&request) {
            return Err(Refusal::UNSUPPORTED_MEDIA_TYPE);
        }
        read(&body(request, state).await?)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<StrictJson<T>, Refusal> {
    // A derived struct would also be read from an array of its members.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Refusal::MALFORMED);
    }
    serde_json::from_slice(bytes)
        .map(StrictJson)
        .map_err(|_| Refusal::MALFORMED)
}

/// `Option<StrictJson<T>>` is for routes that need nothing told: `None` is a request without a body,
/// whether it says that the nothing is JSON or says no type.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for StrictJson<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Refusal> {
        let untyped = !request.headers().contains_key(CONTENT_TYPE);
        if untyped && request.body().is_end_stream() {
            return Ok(None);
        }
        if !is_plain_json(&request) {
            return Err(Refusal::UNSUPPORTED_MEDIA_TYPE);
        }
        let bytes = body(request, state).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        read(&bytes).map(Some)
    }
}

/// Takes a body whole, from a client that does not take forever, for a route that reads no JSON.
///
/// # Errors
/// [`Refusal::REQUEST_TIMEOUT`] after ten seconds, [`Refusal::TOO_LARGE`] over the route's limit,
/// [`Refusal::MALFORMED`] where the connection broke.
pub async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    in_time(Bytes::from_request(request, state))
        .await?
        .map_err(|rejected| match rejected.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Refusal::TOO_LARGE,
            _ => Refusal::MALFORMED,
        })
}

/// Waits for a body no longer than for any other.
pub(crate) async fn in_time<T>(reading: impl Future<Output = T>) -> Result<T, Refusal> {
    tokio::time::timeout(PATIENCE, reading)
        .await
        .map_err(|_| Refusal::REQUEST_TIMEOUT)
}

fn is_plain_json(request: &Request) -> bool {
    let headers = request.headers();
    let encoded = headers.contains_key(CONTENT_ENCODING);
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (types.next(), types.next()) else {
        return false;
    };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let (essence, parameters) = kind.split_once(';').unwrap_or((&kind, ""));
    let charset = parameters.trim().strip_prefix("charset=");
    let utf8 = charset.is_none_or(|name| name.trim_matches('"') == "utf-8");
    essence.trim() == "application/json" && utf8 && !encoded
}

/// A member as the client sent it: a string, or what only looks like one. A wrong type is then
/// answered by the member's name instead of as a malformed body.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum Member {
    /// A string.
    Text(String),
    /// `null`.
    Null(()),
    /// A number, a list, an object, `true`: never read as a string.
    Other(IgnoredAny),
    /// Not there.
    #[default]
    #[serde(skip)]
    Missing,
}

/// How a member is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<'a> {
    /// As nothing: it is missing, `null`, or an empty string.
    Nothing,
    /// As this.
    Text(&'a str),
    /// As a mistake.
    Wrong,
}

impl Member {
    /// Says how to take it.
    #[must_use]
    pub fn given(&self) -> Given<'_> {
        match self {
            Self::Missing | Self::Null(()) => Given::Nothing,
            Self::Text(text) if text.is_empty() => Given::Nothing,
            Self::Text(text) => Given::Text(text),
            Self::Other(_) => Given::Wrong,
        }
    }
}
