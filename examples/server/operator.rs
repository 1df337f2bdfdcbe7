//! The operators' routes: every step that a runbook takes by hand, as a call of the library.
//!
//! Without a token in the configuration there are none of these routes. A call says why it is made
//! (`x-admin-reason`, or `note` or `reason` in its body), and is on record with that.

mod audit;
mod blacklist;
mod dashboard;
mod deliveries;
mod desk;
mod explain;
mod keys;
mod overrides;
mod page;
mod policy;
mod revoke;
mod unlock;
mod users;
mod whom;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::app::App;
use crate::metering;

pub(crate) use desk::{Desk, Done};
pub(crate) use overrides::waive_second_factor;

/// The routes, behind the operators' tokens.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    if app.operators.is_empty() {
        return Router::new();
    }
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
        .route("/metrics", get(metering::handle))
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
        .route("/admin/otp/keys/rotate", post(keys::rotate))
        .route(
            "/admin/otp/users/{id}/force-password-reset",
            post(users::force_password_reset),
        )
        .route("/admin/otp/users/{id}/logout-all", post(users::logout_all))
        .route_layer(from_fn_with_state(Arc::clone(app), desk::guard))
        .merge(page::routes(app))
}
