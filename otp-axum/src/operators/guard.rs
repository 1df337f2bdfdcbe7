use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use otp_core::operator::Accounts;
use otp_core::verifier::{Verifier, VerifyError};

use super::OperatorTokens;
use super::asked::Asked;
use super::people::People;
use super::proof::Second;
use crate::openapi::Api;
use crate::{ApiError, Client, Refusal};

const TOKEN: &str = "x-admin-token";

/// Lets operators through to routes, and nobody else: by `Authorization: Bearer` or
/// `X-Admin-Token`. Where both are there, they must agree.
#[derive(Clone, Debug)]
pub struct Guard {
    tokens: Arc<OperatorTokens>,
    verifier: Verifier,
    people: Option<People>,
}

impl Guard {
    /// Lets in whom these tokens name.
    #[must_use]
    pub fn new(tokens: OperatorTokens, verifier: Verifier) -> Self {
        Self {
            tokens: Arc::new(tokens),
            verifier,
            people: None,
        }
    }

    /// Asks the host which addresses a user has: what an operator does to a `user_id` is done to
    /// those too. Codes that somebody asks for by typing an address, and their limits and locks, are
    /// kept by the address. Where nobody is asked, a `user_id` is the
    /// [`subject`](otp_core::verifier::Issue::for_subject) of a challenge and nothing else.
    #[must_use]
    pub fn knowing(mut self, accounts: Arc<dyn Accounts>) -> Self {
        self.people = Some(People(accounts));
        self
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

    /// Says whether a request means to be an operator's: it shows an operator's token, or anything
    /// in `X-Admin-Token`. For a route that others call with tokens of their own.
    #[must_use]
    pub fn is_meant(&self, headers: &HeaderMap) -> bool {
        let known = || token(headers).and_then(|token| self.tokens.whose(token));
        !self.tokens.is_empty() && (headers.contains_key(TOKEN) || known().is_some())
    }

    /// Lets an operator's request through, to a [`Desk`](super::Desk), and nobody else's. Whoever
    /// is turned away is on record with the client's address, up to a hundred a minute; further
    /// ones are told to come back later. A right token never meets what others have used up.
    ///
    /// # Errors
    /// [`Refusal::UNAUTHORIZED`], [`Refusal::THROTTLED`], or [`Refusal::UNAVAILABLE`] where it
    /// cannot be put on record.
    pub async fn admit(&self, parts: &mut Parts) -> Result<(), ApiError> {
        let token = token(&parts.headers);
        if let Some(name) = token.and_then(|token| self.tokens.whose(token)) {
            let second = Second::of(&parts.headers, &self.tokens);
            parts.extensions.insert(name.clone());
            if let Some(people) = &self.people {
                parts.extensions.insert(people.clone());
            }
            if let Some(second) = second {
                parts.extensions.insert(second);
            }
            return Ok(());
        }
        tracing::warn!("an operator's route was asked for without a token that is known");
        let Client(context) = Client::of(parts);
        Err(match self.verifier.refuse_operator(&context).await {
            VerifyError::Rejected => Refusal::UNAUTHORIZED.into(),
            error => error.into(),
        })
    }

    /// Stands before routes that are there already; ones that are added later are open. Without a
    /// token there are none of these routes: they answer 404, as unknown ones do.
    pub fn around<S: Clone + Send + Sync + 'static>(&self, routes: impl Into<Api<S>>) -> Api<S> {
        if self.tokens.is_empty() {
            return Api::new();
        }
        routes.into().guarded(|routes| self.before(routes))
    }

    /// Serves the document of all these routes beside them, at [`PATH`](crate::openapi::PATH), to
    /// operators alone.
    pub fn described<S: Clone + Send + Sync + 'static>(
        &self,
        api: Api<S>,
        title: &str,
        version: &str,
    ) -> Router<S> {
        if self.tokens.is_empty() {
            return api.into();
        }
        api.described_behind(title, version, |routes| self.before(routes))
    }

    /// Serves the document of `public` beside it, for a listener that operators share: whoever shows
    /// an operator's token is shown the routes of `operators` in it too. They are merged by the
    /// caller.
    pub fn described_beside<S: Clone + Send + Sync + 'static>(
        &self,
        public: Api<S>,
        operators: &Api<S>,
        title: &str,
        version: &str,
    ) -> Router<S> {
        let tokens = Arc::clone(&self.tokens);
        let knows = move |headers: &HeaderMap| {
            let known = token(headers).and_then(|token| tokens.whose(token));
            known.is_some()
        };
        public.described_with(operators, title, version, knows)
    }

    fn before<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        routes.route_layer(from_fn_with_state(self.clone(), watch))
    }
}

async fn watch(
    State(guard): State<Guard>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    guard.admit(&mut parts).await?;
    let asked = Asked::of(&parts);
    let answer = next.run(Request::from_parts(parts, body)).await;
    if let Some(asked) = asked.filter(|_| answer.status().is_client_error()) {
        asked.was_refused(&guard.verifier, answer.status()).await;
    }
    Ok(answer)
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
