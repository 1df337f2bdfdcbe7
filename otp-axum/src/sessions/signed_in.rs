use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use otp_core::session::Session;

use super::HasSessions;
use crate::cookie;
use crate::error::ApiError;
use crate::refusal::Refusal;

/// Whoever calls, signed in: an access token that holds, of a session that has not ended. Anybody
/// else is `not_signed_in`.
///
/// The router's state says where sessions are, by [`HasSessions`].
#[derive(Clone, Debug)]
pub struct SignedIn(pub Session);

impl<S: HasSessions + Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let door = state.session_door();
        let token = bearer(parts).or_else(|| of_page(parts, door.cookie()?));
        let token = token.ok_or(Refusal::NOT_SIGNED_IN)?;
        let session = door.sessions().check(token, door.tenant()).await;
        let session = session.map_err(|error| ApiError::of_session(&error, Refusal::NOT_SIGNED_IN));
        session.map(Self)
    }
}

/// Takes the one bearer token of a request (RFC 6750 section 2.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let mut all = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then_some(token.trim())
}

/// Takes the token of a browser. Only to read: a cookie comes along with what another page has the
/// browser send.
fn of_page<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let reads = parts.method.is_safe() && !parts.headers.contains_key(AUTHORIZATION);
    reads.then(|| cookie::find(&parts.headers, name))?
}
