//! The operators' routes: every step that a runbook takes by hand, as a call of the library.
//!
//! A call says why it is made (`X-Admin-Reason`, or `note` or `reason` in its body), and is on
//! record with that. `?dry_run=true` on what changes things says what it would do.

mod accounts;
mod audit;
mod because;
mod blacklist;
mod dashboard;
mod deliveries;
mod desk;
mod explain;
mod guard;
mod overrides;
mod policy;
mod proof;
mod revoke;
mod tokens;
mod unlock;
mod whom;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use otp_core::verifier::Verifier;

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
pub fn routes<S>(verifier: Verifier) -> Router<S> {
    let blacklist = get(blacklist::list)
        .post(blacklist::add)
        .delete(blacklist::remove);
    let import = post(blacklist::import).layer(DefaultBodyLimit::max(blacklist::LARGEST));
    let policy = get(policy::show).put(policy::publish);
    let policy = policy.layer(DefaultBodyLimit::max(policy::LARGEST));
    let overrides = post(overrides::begin).delete(overrides::end);
    Router::new()
        .route("/admin/otp/policy", policy)
        .route("/admin/otp/override", overrides)
        .route("/admin/otp/dashboard", get(dashboard::handle))
        .route("/admin/otp/blacklist", blacklist)
        .route("/admin/otp/blacklist/export", get(blacklist::export))
        .route("/admin/otp/blacklist/import", import)
        .route("/admin/api/v1/blocklist/ip", post(blacklist::add_address))
        .route("/admin/otp/revoke", post(revoke::handle))
        .route("/admin/otp/unlock", post(unlock::handle))
        .route("/admin/otp/limits/clear", post(unlock::clear_limits))
        .route("/admin/otp/explain", post(explain::handle))
        .route("/admin/otp/deliveries/failed", get(deliveries::failed))
        .route("/admin/otp/deliveries/resend", post(deliveries::resend))
        .route("/admin/otp/audit", get(audit::handle))
        .with_state(verifier)
}
