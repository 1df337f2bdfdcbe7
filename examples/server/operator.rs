//! The operators' routes: those of `otp_axum`, and steps on what is this server's own.
//!
//! Without a token in the configuration there are none of these routes.

mod keys;
mod page;
mod users;
mod waiver;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use otp_axum::operators::Guard;

use crate::app::App;
use crate::metering;

pub(crate) use otp_axum::operators::{Desk, Done};
pub(crate) use waiver::waive_second_factor;

/// The routes, behind the operators' tokens.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let guard = Guard::new(app.operators.clone(), app.verifier.clone());
    let ours = Router::new()
        .route("/metrics", get(metering::handle))
        .route("/admin/otp/keys/rotate", post(keys::rotate))
        .route(
            "/admin/otp/users/{id}/force-password-reset",
            post(users::force_password_reset),
        )
        .route("/admin/otp/users/{id}/logout-all", post(users::logout_all));
    let guarded = guard.around(ours.merge(otp_axum::operators::routes(app.verifier.clone())));
    if app.operators.is_empty() {
        return guarded;
    }
    guarded.merge(page::routes(app))
}
