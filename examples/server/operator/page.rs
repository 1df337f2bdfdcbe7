//! `/admin/sms/otp`: the operators' page.

use std::sync::Arc;

use otp_axum::OperatorPage;
use otp_axum::openapi::Api;

use crate::app::App;

pub(super) fn routes(app: &Arc<App>) -> Api<Arc<App>> {
    let operators = app.operators.clone();
    let whose = move |token: &str| operators.whose(token).cloned();
    OperatorPage::new(app.verifier.clone(), whose).routes()
}
