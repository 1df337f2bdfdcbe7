//! `Idempotency-Key`: the client's name for a request, so that repeating it does nothing twice.

use axum::extract::OptionalFromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;

use crate::refusal::Refusal;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// The client's name for its request (draft-ietf-httpapi-idempotency-key-header); take it as
/// `Option<IdempotencyKey>`. Two of them, or one that is no text, are refused as
/// `invalid_idempotency_key`. What a name may be is checked where it is used, by
/// [`Issue::idempotency_key`](otp_core::verifier::Issue::idempotency_key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Gives the key as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
        let mut keys = parts.headers.get_all(HEADER).iter();
        match (keys.next(), keys.next()) {
            (None, _) => Ok(None),
            (Some(key), None) => match key.to_str() {
                Ok(key) => Ok(Some(Self(key.to_owned()))),
                Err(_) => Err(Refusal::INVALID_IDEMPOTENCY_KEY),
            },
            (Some(_), Some(_)) => Err(Refusal::INVALID_IDEMPOTENCY_KEY),
        }
    }
}
