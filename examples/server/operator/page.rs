//! `/admin/sms/otp`: the operators' page.

use std::sync::Arc;

use otp_axum::openapi::Api;
use otp_axum::{OperatorPage, WebhookCounts};
use otp_kit::metrics::Webhook;

use crate::app::App;

pub(super) fn routes(app: &Arc<App>) -> Api<Arc<App>> {
    let operators = app.operators.clone();
    let whose = move |token: &str| operators.whose(token).cloned();
    let metrics = app.metrics.clone();
    let webhooks = move || {
        let repeated = metrics.webhooks(Webhook::Repeated);
        WebhookCounts {
            believed: metrics.webhooks(Webhook::Accepted).saturating_add(repeated),
            refused: metrics.webhooks(Webhook::BadSignature),
            repeated,
        }
    };
    OperatorPage::new(app.verifier.clone(), whose)
        .webhooks(webhooks)
        .routes()
}
