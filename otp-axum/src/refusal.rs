//! What an answer that is no success says: a status, a sentence for people, a code for programs.

mod catalogue;

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use otp_core::verifier::Throttled;

use crate::error::ApiError;

/// A refusal: a status, a sentence for people, a code for programs.
///
/// The constants are those that the library's own routes answer; a host adds its own with
/// [`Refusal::new`]. Codes are stable: a client may depend on them.
///
/// # Examples
/// ```
/// use axum::http::StatusCode;
/// use otp_axum::Refusal;
///
/// const NO_SEAT: Refusal = Refusal::new(StatusCode::CONFLICT, "no_seat", "No seat is left");
/// assert_eq!(NO_SEAT.code(), "no_seat");
/// assert_eq!(Refusal::INVALID_OTP.status(), StatusCode::BAD_REQUEST);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
}

impl Refusal {
    /// Makes one of the host's own. `detail` is shown to whoever asks: no secret, no name of a
    /// vendor, a table or another user.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self {
            status,
            code,
            detail,
        }
    }

    /// Gives the status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Gives the stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Gives the sentence for people.
    #[must_use]
    pub const fn detail(&self) -> &'static str {
        self.detail
    }

    /// Says when to come back, and which limits were met.
    #[must_use]
    pub fn until(self, wait: Throttled) -> ApiError {
        ApiError::from(self).waiting(wait)
    }

    /// Says it in a sentence that helps an operator on.
    #[must_use]
    pub fn saying(self, detail: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::from(self).detailed(detail.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        ApiError::from(self).into_response()
    }
}
