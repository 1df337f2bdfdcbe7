//! The operators' routes: those of `otp_axum`, and steps on what is this server's own.
//!
//! Without a token in the configuration there are none of these routes.

mod key_file;
mod keys;
mod page;
mod provision;
mod second_factors;
mod sessions;
mod waiver;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use otp_axum::operators::{Guard, account_routes};

use crate::app::App;
use crate::metering;

pub(crate) use otp_axum::operators::{Because, Desk, Done};
pub(crate) use sessions::{logout_all, logout_all_of_either};
pub(crate) use waiver::waive_second_factor;

fn guard(app: &App) -> Guard {
    Guard::new(app.operators.clone(), app.verifier.clone())
}

/// The routes, behind the operators' tokens.
pub(crate) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let guard = guard(app);
    let ours = Router::new()
        .route("/metrics", get(metering::handle))
        .route("/admin/otp/keys", get(keys::report))
        .route("/admin/otp/keys/rotate", post(keys::rotate))
        .route("/admin/otp/session", post(provision::handle))
        .route(
            "/admin/otp/users/{id}/logout-all",
            post(sessions::end_named),
        )
        .merge(second_factors());
    let (verifier, accounts) = (app.verifier.clone(), Arc::clone(&app.accounts));
    let ours = ours.merge(account_routes(verifier.clone(), accounts));
    let guarded = guard.around(ours.merge(otp_axum::operators::routes(verifier)));
    if app.operators.is_empty() {
        return guarded;
    }
    guarded.merge(page::routes(app))
}

/// A lost phone, and the operators' own.
fn second_factors() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/api/v1/admin/users/{id}/2fa/disable",
            post(second_factors::disable),
        )
        .route(
            "/admin/otp/operators/totp/enrol",
            post(second_factors::enrol),
        )
        .route(
            "/admin/otp/operators/totp/confirm",
            post(second_factors::confirm),
        )
}
