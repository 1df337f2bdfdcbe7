use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use otp_core::verifier::Verifier;

use super::OperatorTokens;
use crate::Refusal;

const TOKEN: &str = "x-admin-token";

/// Lets operators through to routes, and nobody else: by `Authorization: Bearer` or
/// `X-Admin-Token`. Where both are there, they must agree.
#[derive(Clone, Debug)]
pub struct Guard {
    tokens: Arc<OperatorTokens>,
    verifier: Verifier,
}

impl Guard {
    /// Lets in whom these tokens name.
    #[must_use]
    pub fn new(tokens: OperatorTokens, verifier: Verifier) -> Self {
        Self {
            tokens: Arc::new(tokens),
            verifier,
        }
    }

    /// Gives the verifier that operators act on.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// Gives whose tokens open.
    #[must_use]
    pub fn tokens(&self) -> &OperatorTokens {
        &self.tokens
    }

    /// Stands before routes that are there already; ones that are added later are open. Without a
    /// token there are none of these routes: they answer 404, as unknown ones do.
    pub fn around<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        if self.tokens.is_empty() {
            return Router::new();
        }
        routes.route_layer(from_fn_with_state(self.clone(), watch))
    }
}

async fn watch(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let token = token(request.headers());
    let Some(name) = token.and_then(|token| guard.tokens.whose(token)) else {
        tracing::warn!("an operator's route was asked for without a token that is known");
        return Refusal::UNAUTHORIZED.into_response();
    };
    request.extensions_mut().insert(name.clone());
    next.run(request).await
}

/// Takes the token from either header.
fn token(headers: &HeaderMap) -> Option<&str> {
    let mut tokens = headers
        .get_all(TOKEN)
        .iter()
        .map(|value| value.to_str().ok());
    let bearers = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim())
    });
    let mut all = tokens.by_ref().chain(bearers);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}
