use http::StatusCode;
use thiserror::Error;

/// Says why a webhook was refused, by what to answer. It holds nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The body is over 64 KiB, or the URL over 8 KiB.
    #[error("a webhook is larger than 64 kib")]
    TooLarge,
    /// What carries the signature is missing, given twice, or not in its form.
    #[error("a webhook has no single readable signature")]
    Unsigned,
    /// The signature does not belong to this request, or to none of the secrets.
    #[error("the signature of a webhook is wrong")]
    BadSignature,
    /// The signed time is too far from now.
    #[error("the signed time of a webhook is too far from now")]
    Stale,
    /// A handshake that is not for this endpoint.
    #[error("the handshake of a webhook is not for this endpoint")]
    HandshakeRefused,
    /// The signature is right, or there is none to check, and the rest cannot be read.
    #[error("a webhook has no readable {0}")]
    Malformed(&'static str),
    /// What the signature is checked with cannot be had now; the vendor should try again.
    #[error("the certificate of a webhook cannot be had")]
    KeyUnavailable,
}

impl WebhookError {
    /// Gives the status to answer with: 401 for what cannot be believed, 403 for a handshake, 413
    /// for size, 400 for what cannot be read, 503 where a certificate could not be fetched.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unsigned | Self::BadSignature | Self::Stale => StatusCode::UNAUTHORIZED,
            Self::HandshakeRefused => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::KeyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
