//! What stands between the routes and the world, and holds for every answer.

mod request_id;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, HeaderValue, REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use otp_core::request::TrustedProxies;

use crate::error::{as_asked, wants_problem};
use crate::json;
use crate::refusal::Refusal;

pub(crate) use request_id::HEADER as X_REQUEST_ID;

/// Puts around routes what every answer has.
///
/// - `Cache-Control: no-store`, unless the route says how its answer is kept;
///   `X-Content-Type-Options: nosniff`; `Referrer-Policy: no-referrer`.
/// - `X-Request-Id`: the caller's own, or a fresh one; it is in the audit records too.
/// - `WWW-Authenticate: Bearer` where a 401 says nothing else (RFC 9110 section 11.6.1).
/// - Errors in the form that the client asks for: see [`ApiError`](crate::ApiError).
/// - 404 and 405 in that form, and bodies of at most 16 KiB. A route with larger bodies has a
///   [`DefaultBodyLimit`] of its own.
/// - Which proxies are believed about a client's address. Default: none.
///
/// # Examples
/// ```
/// use axum::{Router, routing::get};
/// use otp_axum::Edge;
///
/// let routes = Router::new().route("/hello", get(|| async { "hello" }));
/// let routes: Router = Edge::new().trusting("10.0.0.0/8".parse()?).around(routes);
/// # Ok::<(), otp_core::request::InvalidNetwork>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Edge {
    proxies: Arc<TrustedProxies>,
}

/// The proxies, on their way to [`Client`](crate::Client).
#[derive(Clone)]
pub(crate) struct Believed(pub(crate) Arc<TrustedProxies>);

impl Edge {
    /// Believes no proxy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes these proxies about a client's address. Default: none.
    #[must_use]
    pub fn trusting(self, proxies: TrustedProxies) -> Self {
        Self {
            proxies: Arc::new(proxies),
        }
    }

    /// Puts it around routes; add none afterwards.
    pub fn around<S: Clone + Send + Sync + 'static>(
        &self,
        routes: impl Into<Router<S>>,
    ) -> Router<S> {
        let believed = Believed(Arc::clone(&self.proxies));
        let routes = routes.into();
        routes
            .fallback(async || Refusal::NOT_FOUND)
            .method_not_allowed_fallback(async || Refusal::WRONG_METHOD)
            .layer(DefaultBodyLimit::max(json::LARGEST))
            .layer(from_fn(move |request, next| {
                finish(believed.clone(), request, next)
            }))
    }
}

async fn finish(believed: Believed, mut request: Request, next: Next) -> Response {
    let wants_problem = wants_problem(request.headers());
    request.extensions_mut().insert(believed);
    let id = request_id::of(&mut request);
    let mut response = next.run(request).await;
    if wants_problem {
        response = as_asked(response);
    }
    let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    if unauthorized {
        let bearer = HeaderValue::from_static("Bearer");
        headers.entry(WWW_AUTHENTICATE).or_insert(bearer);
    }
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert(no_store);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    if let Some(id) = id {
        headers.insert(X_REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;
    use crate::ApiError;

    fn routes() -> Router {
        let refuse = async || ApiError::from(Refusal::INVALID_OTP);
        Edge::new().around(Router::new().route("/greet", post(refuse)))
    }

    async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        routes().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn an_id_of_the_callers_comes_back_without_what_does_not_belong_in_a_log() {
        let answer = ask("POST", "/greet", &[("x-request-id", "a b\tc-1")]).await;
        assert_eq!(answer.headers()["x-request-id"], "abc-1");
        let mut fresh = Vec::new();
        for given in [&[][..], &[("x-request-id", " ")]] {
            let answer = ask("POST", "/greet", given).await;
            fresh.push(answer.headers()["x-request-id"].clone());
        }
        let groups: Vec<usize> = fresh[0]
            .to_str()
            .unwrap()
            .split('-')
            .map(str::len)
            .collect();
        assert_eq!(
            groups,
            [8, 4, 4, 4, 12],
            "no run of digits that looks like a token"
        );
        assert_ne!(fresh[0], fresh[1]);
    }

    #[tokio::test]
    async fn whoever_is_not_let_in_hears_how_and_nobody_else_does() {
        let routes = Router::new()
            .route("/in", post(async || Refusal::NOT_SIGNED_IN))
            .route("/on", post(async || Refusal::PROOF_REQUIRED));
        let routes = Edge::new().around(routes);
        for accept in ["*/*", "application/problem+json"] {
            for (path, challenge) in [("/in", Some("Bearer")), ("/on", None)] {
                let request = Request::post(path).header("accept", accept);
                let request = request.body(Body::empty()).unwrap();
                let answer = routes.clone().oneshot(request).await.unwrap();
                let said = answer.headers().get("www-authenticate");
                assert_eq!(said.map(|said| said.to_str().unwrap()), challenge, "{path}");
            }
        }
    }

    #[tokio::test]
    async fn every_error_has_the_form_that_the_client_asks_for_and_the_headers() {
        for (method, path, status, code) in [
            ("POST", "/greet", StatusCode::BAD_REQUEST, "invalid_otp"),
            (
                "GET",
                "/greet",
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
            ),
            ("GET", "/nowhere", StatusCode::NOT_FOUND, "not_found"),
        ] {
            let accept = [("accept", "application/problem+json")];
            for (headers, kind) in [
                (&[][..], "application/json"),
                (&accept, "application/problem+json"),
            ] {
                let answer = ask(method, path, headers).await;
                assert_eq!(answer.status(), status);
                assert_eq!(answer.headers()["content-type"], kind);
                assert_eq!(answer.headers()["cache-control"], "no-store");
                assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
                assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
                let body = to_bytes(answer.into_body(), 4096).await.unwrap();
                let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(body["code"], code);
            }
        }
    }
}
