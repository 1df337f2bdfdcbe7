//! `/admin/sms/otp`: the operators' page.

use std::sync::Arc;

use axum::Router;
use otp_axum::OperatorPage;

use crate::app::App;

pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let operators = app.operators.clone();
    let whose = move |token: &str| operators.whose(token).cloned();
    OperatorPage::new(app.verifier.clone(), whose).routes()
}
