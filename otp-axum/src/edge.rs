//! What stands between the routes and the world, and holds for every answer.

mod request_id;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{CACHE_CONTROL, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use otp_core::request::TrustedProxies;

use crate::error::{as_asked, wants_problem};
use crate::json;
use crate::refusal::Refusal;

/// Puts around routes what every answer has.
///
/// - `Cache-Control: no-store`, unless the route says how its answer is kept;
///   `X-Content-Type-Options: nosniff`; `Referrer-Policy: no-referrer`.
/// - `X-Request-Id`: the caller's own, or a fresh one; it is in the audit records too.
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
    pub fn around<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        let believed = Believed(Arc::clone(&self.proxies));
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
    let headers = response.headers_mut();
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(CACHE_CONTROL).or_insert(no_store);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("no-referrer"));
    if let Some(id) = id {
        headers.insert(request_id::HEADER, id);
    }
    response
}
