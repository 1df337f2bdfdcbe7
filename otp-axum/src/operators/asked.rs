use axum::extract::MatchedPath;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use otp_core::event::{Act, OperatorName};
use otp_core::request::RequestContext;
use otp_core::verifier::Verifier;

use super::desk::stated_reason;
use crate::Client;

/// What an operator asked for, by its route: for the record of what was refused.
pub(super) struct Asked {
    act: Act,
    context: RequestContext,
    method: Method,
    route: String,
}

impl Asked {
    /// Reads it from a request that was let through.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let operator = parts.extensions.get::<OperatorName>()?.clone();
        let reason = stated_reason(&parts.headers)?;
        let route = parts.extensions.get::<MatchedPath>()?.as_str().to_owned();
        let Client(context) = Client::of(parts);
        Some(Self {
            act: Act { operator, reason },
            context,
            method: parts.method.clone(),
            route,
        })
    }

    /// Puts on record that it was refused. The answer stays what it is, recorded or not.
    pub(super) async fn was_refused(self, verifier: &Verifier, status: StatusCode) {
        let what = format!("{} {}: {}", self.method, self.route, status.as_u16());
        let operator = verifier.operator(self.act).from(&self.context);
        if let Err(error) = operator.record_refused(&what).await {
            tracing::warn!(%error, what, "a refused call of an operator is not on record");
        }
    }
}
