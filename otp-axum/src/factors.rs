//! Second factors of whoever is signed in, and codes to an address that they have.

mod address;
mod confirm;
mod enrol;
mod manage;
mod once;
mod owners;
mod proof;
mod recovery;
mod show;
#[cfg(test)]
mod tests;

use otp_core::verifier::Verifier;

use crate::openapi::Api;
use crate::refusal::Refusal;
use crate::sessions::{HasSessions, SessionDoor};

pub use owners::{Owners, Reached};

/// One authenticator of whoever is signed in.
const ONE: &str = "/api/v1/2fa/factors/{factor_id}";

/// What any change of an account's factors may answer.
pub const NOT_CHANGED: [Refusal; 8] = [
    Refusal::PROOF_REQUIRED,
    Refusal::FACTOR_NAME_TAKEN,
    Refusal::TOO_MANY_FACTORS,
    Refusal::UNKNOWN_FACTOR,
    Refusal::THROTTLED,
    Refusal::BUSY,
    Refusal::BLOCKED,
    Refusal::UNAVAILABLE,
];

/// Gives `POST /api/v1/2fa/totp/enrol`, `.../confirm` and `.../verify`,
/// `POST /api/v1/2fa/recovery-codes`, `GET /api/v1/2fa/factors`, and `DELETE` and `PUT` of one below
/// it.
///
/// Whose factors they are the session says, never a body. What a factor adds to the session is the
/// answer's: tokens of another session, which is as strong as both.
///
/// # Examples
/// ```
/// use axum::Router;
/// use otp_axum::factors::{self, Owners};
/// use otp_axum::openapi::Schema;
/// use otp_axum::sessions::SessionDoor;
/// use otp_axum::{ApiError, Edge, Refusal};
/// use otp_core::factor::OtpAccount;
/// use otp_core::session::Session;
/// use otp_core::verifier::Verifier;
///
/// /// The host's table of users.
/// #[derive(Clone)]
/// struct Members;
///
/// impl Owners for Members {
///     type User = String;
///
///     async fn user(&self, session: &Session) -> Result<String, ApiError> {
///         Ok(session.subject().to_string())
///     }
///
///     fn account(&self, user: &String) -> Result<OtpAccount, ApiError> {
///         OtpAccount::new("Acme Co", user).map_err(|_| Refusal::CHANNEL_UNAVAILABLE.into())
///     }
///
///     fn user_schema() -> Schema {
///         Schema::text()
///     }
/// }
///
/// fn routes(verifier: Verifier, door: SessionDoor) -> Router {
///     let factors = factors::routes(verifier, door, Members);
///     Edge::new().around(factors.described("My service", "1.0.0"))
/// }
/// ```
pub fn routes<S, O: Owners + Clone>(verifier: Verifier, door: SessionDoor, owners: O) -> Api<S> {
    let state = Parts {
        verifier,
        door,
        owners,
    };
    Api::new()
        .operation("/api/v1/2fa/totp/enrol", enrol::operation(), enrol::handle)
        .operation(
            "/api/v1/2fa/totp/confirm",
            confirm::operation::<O>(),
            confirm::handle,
        )
        .operation(
            "/api/v1/2fa/totp/verify",
            show::operation::<O>(),
            show::handle,
        )
        .operation(
            "/api/v1/2fa/recovery-codes",
            recovery::operation(),
            recovery::handle,
        )
        .operation(
            "/api/v1/2fa/factors",
            manage::list_operation(),
            manage::list,
        )
        .operation(ONE, manage::remove_operation(), manage::remove)
        .operation(ONE, manage::rename_operation(), manage::rename)
        .with_state(state)
}

/// Gives `POST /api/auth/mfa/send-code` and `POST /api/auth/mfa/verify`: a code to an address of
/// whoever is signed in, for [`Purpose::MFA`](otp_core::request::Purpose::MFA).
///
/// It makes a session newer, and no stronger than the address is: it is no second factor.
pub fn addresses<S, O: Reached + Clone>(
    verifier: Verifier,
    door: SessionDoor,
    owners: O,
) -> Api<S> {
    let state = Parts {
        verifier,
        door,
        owners,
    };
    Api::new()
        .operation(
            "/api/auth/mfa/send-code",
            address::send_operation(),
            address::send,
        )
        .operation(
            "/api/auth/mfa/verify",
            address::verify_operation::<O>(),
            address::verify,
        )
        .with_state(state)
}

/// What the handlers share.
#[derive(Clone)]
struct Parts<O> {
    verifier: Verifier,
    door: SessionDoor,
    owners: O,
}

impl<O> HasSessions for Parts<O> {
    fn session_door(&self) -> &SessionDoor {
        &self.door
    }
}
