//! The operators' routes: every step that a runbook takes by hand, as a call of the library.
//!
//! A call says why it is made (`X-Admin-Reason`, or `note` or `reason` in its body), and is on
//! record with that. `?dry_run=true` on what changes things says what it would do.

mod accounts;
mod asked;
mod audit;
mod because;
mod blacklist;
mod dashboard;
mod deliveries;
mod desk;
mod explain;
mod guard;
mod overrides;
mod people;
mod policy;
mod proof;
mod revoke;
mod template;
mod tokens;
mod unlock;
mod whom;

use otp_core::verifier::Verifier;

use crate::openapi::Api;

pub use accounts::account_routes;
pub use because::Because;
pub use desk::{Desk, Done};
pub use guard::Guard;
pub use proof::FreshProof;
pub use tokens::{InvalidToken, OperatorTokens};

/// Gives the routes, behind no door: put them, with the host's own, behind a [`Guard`].
///
/// # Examples
/// ```
/// use axum::Router;
/// use otp_axum::Edge;
/// use otp_axum::operators::{self, Guard, OperatorTokens};
/// use otp_core::verifier::Verifier;
///
/// fn admin(verifier: Verifier, tokens: OperatorTokens) -> Router {
///     let guard = Guard::new(tokens, verifier.clone());
///     Edge::new().around(guard.around(operators::routes(verifier)))
/// }
/// ```
pub fn routes<S>(verifier: Verifier) -> Api<S> {
    Api::new()
        .merge(policy::routes())
        .merge(overrides::routes())
        .merge(template::routes())
        .merge(dashboard::routes())
        .merge(blacklist::routes())
        .merge(revoke::routes())
        .merge(unlock::routes())
        .merge(explain::routes())
        .merge(deliveries::routes())
        .merge(audit::routes())
        .with_state(verifier)
}
