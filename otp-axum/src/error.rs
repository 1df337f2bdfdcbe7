//! Errors as answers: `{"detail", "code"}`, or problem details where the client asks for them.

mod library;
mod problem;

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use otp_core::verifier::Throttled;
use serde::Serialize;

pub(crate) use problem::{as_asked, wants_problem};

use crate::limits;
use crate::refusal::Refusal;

/// What a handler answers where it does not succeed: a refusal, and when to come back where the
/// library says so.
///
/// The library's errors become one by `?`. What an operator needs of them goes to the log on the
/// way; the client learns what it can act on. Under [`Edge`](crate::Edge) the body is
/// `{"detail", "code"}`, or problem details (RFC 9457) with the same two members where the client
/// accepts `application/problem+json`. A 429 and a `busy` carry `Retry-After` and the `RateLimit`
/// fields, a 503 carries `Retry-After`.
///
/// # Examples
/// ```
/// use axum::Json;
/// use otp_axum::{ApiError, Refusal};
///
/// async fn seat(free: bool) -> Result<Json<&'static str>, ApiError> {
///     if free { Ok(Json("yours")) } else { Err(Refusal::NOT_FOUND.into()) }
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", told.detail)]
pub struct ApiError {
    told: Told,
    wait: Option<Throttled>,
}

/// A refusal as it is told: in its own sentence, or in one that says more.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    #[serde(skip)]
    status: StatusCode,
    detail: Cow<'static, str>,
    code: &'static str,
}

impl ApiError {
    /// Gives the status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.told.status
    }

    /// Gives the stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.told.code
    }

    /// Gives the sentence for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.told.detail
    }

    /// Says when to come back, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let unavailable = self.told.status == StatusCode::SERVICE_UNAVAILABLE;
        let known = self.wait.as_ref().map(Throttled::retry_after);
        known.or_else(|| unavailable.then_some(limits::SOON))
    }

    pub(crate) fn waiting(self, wait: Throttled) -> Self {
        Self {
            wait: Some(wait),
            ..self
        }
    }

    pub(crate) fn detailed(mut self, detail: Cow<'static, str>) -> Self {
        self.told.detail = detail;
        self
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let told = Told {
            status: refusal.status(),
            detail: refusal.detail().into(),
            code: refusal.code(),
        };
        Self { told, wait: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.told.status, Json(&self.told)).into_response();
        if let Some(wait) = self.retry_after() {
            limits::retry_after(response.headers_mut(), wait);
        }
        if let Some(wait) = &self.wait {
            limits::write(response.headers_mut(), wait, self.told.code);
        }
        response.extensions_mut().insert(self.told);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_says_when_to_come_back_and_a_refusal_does_not() {
        let outage = Refusal::UNAVAILABLE.into_response();
        assert_eq!(outage.headers()["retry-after"], "5");
        let refusal = Refusal::INVALID_OTP.into_response();
        assert_eq!(refusal.status(), StatusCode::BAD_REQUEST);
        assert!(!refusal.headers().contains_key("retry-after"));
    }

    #[test]
    fn a_refusal_in_other_words_keeps_its_code() {
        let error = Refusal::INVALID_POLICY.saying("line 3: unknown key");
        assert_eq!(error.code(), "invalid_policy");
        assert_eq!(error.detail(), "line 3: unknown key");
        assert_eq!(error.to_string(), "line 3: unknown key");
    }
}
