//! Signing in by a code: a start, and a try. Who somebody is, the host says.

mod request;
mod users;
mod verify;

use otp_core::verifier::Verifier;

use crate::openapi::Api;
use crate::refusal::Refusal;
use crate::sessions::SessionDoor;

pub use request::Started;
pub use users::{Shown, Users};
pub use verify::{Welcome, begin};

/// What any start may answer.
pub const NOT_ISSUED: [Refusal; 14] = [
    Refusal::CHANNEL_UNAVAILABLE,
    Refusal::CHANNEL_MISMATCH,
    Refusal::UNSUPPORTED_DESTINATION,
    Refusal::INVALID_IDEMPOTENCY_KEY,
    Refusal::IDEMPOTENCY_CONFLICT,
    Refusal::CAPTCHA_REQUIRED,
    Refusal::CAPTCHA_FAILED,
    Refusal::BLOCKED,
    Refusal::DISABLED,
    Refusal::THROTTLED,
    Refusal::LOCKED,
    Refusal::BUSY,
    Refusal::SEND_FAILED,
    Refusal::UNAVAILABLE,
];

/// What any try of a code may answer.
pub const NOT_VERIFIED: [Refusal; 8] = [
    Refusal::INVALID_OTP,
    Refusal::BLOCKED,
    Refusal::DISABLED,
    Refusal::THROTTLED,
    Refusal::LOCKED,
    Refusal::BUSY,
    Refusal::VERIFY_FAILED,
    Refusal::UNAVAILABLE,
];

/// Gives `POST /api/auth/otp/request` and `POST /api/auth/verify-otp`.
///
/// # Examples
/// ```
/// use axum::Router;
/// use otp_axum::openapi::Schema;
/// use otp_axum::sessions::{self, SessionDoor};
/// use otp_axum::sign_in::{self, Users};
/// use otp_axum::{ApiError, Edge, Refusal};
/// use otp_core::destination::Destination;
/// use otp_core::request::SubjectId;
/// use otp_core::verifier::Verifier;
///
/// /// The host's table of users.
/// #[derive(Clone)]
/// struct Members;
///
/// impl Users for Members {
///     type User = String;
///
///     async fn of(&self, proven: &Destination) -> Result<(SubjectId, String), ApiError> {
///         let id = format!("user-{}", proven.canonical().len());
///         let subject = SubjectId::new(&id).map_err(|_| Refusal::VERIFY_FAILED)?;
///         Ok((subject, id))
///     }
///
///     fn schema() -> Schema {
///         Schema::text()
///     }
/// }
///
/// fn routes(verifier: Verifier, door: SessionDoor) -> Router {
///     let sign_in = sign_in::routes(verifier, door.clone(), Members);
///     Edge::new().around(sign_in.merge(sessions::routes(door)))
/// }
/// ```
pub fn routes<S, U: Users + Clone>(verifier: Verifier, door: SessionDoor, users: U) -> Api<S> {
    let state = Parts {
        verifier,
        door,
        users,
    };
    Api::new()
        .operation(
            "/api/auth/otp/request",
            request::operation(),
            request::handle,
        )
        .operation(
            "/api/auth/verify-otp",
            verify::operation::<U>(),
            verify::handle,
        )
        .with_state(state)
}

/// What the handlers share.
#[derive(Clone)]
struct Parts<U> {
    verifier: Verifier,
    door: SessionDoor,
    users: U,
}
