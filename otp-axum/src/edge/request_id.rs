use std::fmt::Write as _;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use otp_core::random::{OsRandom, SecureRandom as _};
use otp_core::request::RequestId;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Finds the caller's id for a request or makes one, and leaves it for [`Client`](crate::Client).
/// Without randomness a request has none, and is served all the same.
pub(super) fn of(request: &mut Request) -> Option<HeaderValue> {
    let given = request.headers().get(HEADER);
    let given = given.and_then(|id| id.to_str().ok()).map(RequestId::new);
    let id = given.filter(|id| !id.as_str().is_empty()).or_else(fresh)?;
    let value = HeaderValue::from_str(id.as_str()).ok()?;
    request.extensions_mut().insert(id);
    Some(value)
}

/// In groups, as a UUID is written: a search of the log for tokens, which are long runs of hex
/// digits, and for codes finds no id.
fn fresh() -> Option<RequestId> {
    let mut bytes = [0_u8; 16];
    OsRandom.fill(&mut bytes).ok()?;
    let mut id = String::with_capacity(36);
    for (place, byte) in bytes.into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        write!(id, "{byte:02x}").ok()?;
    }
    Some(RequestId::new(&id))
}
