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

use otp_axum::openapi::Api;
use otp_axum::operators::{Guard, account_routes};
use otp_kit::operator::Accounts;

use crate::app::App;
use crate::metering;

pub(crate) use otp_axum::operators::{Because, Desk, Done};
pub(crate) use sessions::{logout_all, logout_all_of_either};
pub(crate) use waiver::waive_second_factor;

pub(crate) fn guard(app: &App) -> Guard {
    let accounts: Arc<dyn Accounts> = Arc::clone(&app.accounts) as _;
    Guard::new(app.operators.clone(), app.verifier.clone()).knowing(accounts)
}

/// The routes, behind the operators' tokens.
pub(crate) fn routes(app: &Arc<App>) -> Api<Arc<App>> {
    let guard = guard(app);
    let ours = metering::routes()
        .merge(keys::routes())
        .merge(provision::routes())
        .merge(sessions::routes())
        .merge(second_factors::routes());
    let (verifier, accounts) = (app.verifier.clone(), Arc::clone(&app.accounts));
    let ours = ours.merge(account_routes(verifier.clone(), accounts));
    let guarded = guard.around(ours.merge(otp_axum::operators::routes(verifier)));
    if app.operators.is_empty() {
        return guarded;
    }
    guarded.merge(page::routes(app))
}
