//! Which pages of other origins may call from a browser.

use std::str::FromStr;
use std::time::Duration;

use axum::Router;
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
};
use axum::http::{Method, Uri};
use tower_http::cors::CorsLayer;

use crate::edge::X_REQUEST_ID;
use crate::refusal::Refusal;

/// How long a browser may keep what a preflight told it.
const KEPT: Duration = Duration::from_secs(600);

/// The origins whose pages may call these routes from a browser and read the answers (the Fetch
/// standard, section 3.2), cookies included. Each is compared as a whole: there is no `*`, no
/// pattern and no `null`.
///
/// Put it around the routes that pages call, and around no operators' route.
///
/// # Examples
/// ```
/// use axum::{Router, routing::post};
/// use otp_axum::{Edge, cors::Origins};
///
/// let origins: Origins = "https://app.example.org, http://localhost:3000".parse()?;
/// let routes = Router::new().route("/greet", post(|| async { "hello" }));
/// let routes: Router = Edge::new().around(origins.around(routes));
/// # Ok::<(), otp_axum::cors::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

/// The text is no list of origins such as `https://app.example.org`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin such as https://app.example.org")]
pub struct InvalidOrigin;

impl FromStr for Origins {
    type Err = InvalidOrigin;

    /// Reads origins that are separated by commas; of an empty text there are none.
    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let named = text.split(',').map(str::trim);
        let origins = named.filter(|origin| !origin.is_empty()).map(read);
        origins.collect::<Result<_, _>>().map(Self)
    }
}

/// Reads an origin: scheme, host and perhaps a port, as browsers write it (RFC 6454 section 6.2).
fn read(text: &str) -> Result<HeaderValue, InvalidOrigin> {
    let text = text.to_ascii_lowercase();
    let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
    let scheme = uri.scheme_str().ok_or(InvalidOrigin)?;
    let host = uri.authority().ok_or(InvalidOrigin)?.as_str();
    let is_web = matches!(scheme, "http" | "https");
    let is_whole = text == format!("{scheme}://{host}");
    if is_web && is_whole && !host.contains(['@', '*']) {
        HeaderValue::try_from(text).map_err(|_| InvalidOrigin)
    } else {
        Err(InvalidOrigin)
    }
}

impl Origins {
    /// Says whether there are none: then no header is added and no preflight answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lets them call these routes. What others ask is answered without the headers that would let
    /// their page read it, and their preflights fail.
    pub fn around<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        if self.is_empty() {
            return routes;
        }
        let told = ["ratelimit", "ratelimit-policy"].map(HeaderName::from_static);
        let asked = ["idempotency-key", "x-device-id"].map(HeaderName::from_static);
        let layer = CorsLayer::new()
            .allow_origin(self.0.clone())
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(
                [ACCEPT, AUTHORIZATION, CONTENT_TYPE, X_REQUEST_ID]
                    .into_iter()
                    .chain(asked)
                    .collect::<Vec<_>>(),
            )
            .expose_headers(
                [RETRY_AFTER, X_REQUEST_ID]
                    .into_iter()
                    .chain(told)
                    .collect::<Vec<_>>(),
            )
            .max_age(KEPT);
        // A method that a route does not have must pass the layer too: preflights are of one.
        routes
            .method_not_allowed_fallback(async || Refusal::WRONG_METHOD)
            .layer(layer)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use axum::response::Response;
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;
    use crate::Edge;

    async fn ask(origins: &str, method: &str, origin: &str) -> Response {
        let origins: Origins = origins.parse().unwrap();
        let routes = Router::new().route("/greet", post(async || "hello"));
        let routes: Router = Edge::new().around(origins.around(routes));
        let request = Request::builder()
            .method(method)
            .uri("/greet")
            .header("origin", origin)
            .header("access-control-request-method", "POST");
        let request = request.body(Body::empty()).unwrap();
        routes.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_of_a_named_origin_may_call_and_read_and_no_other_page() {
        const OURS: &str = "https://app.example.org";
        for method in ["OPTIONS", "POST"] {
            let answer = ask(OURS, method, OURS).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.headers()["access-control-allow-origin"], OURS);
            assert_eq!(answer.headers()["cache-control"], "no-store");
            for other in [
                "https://app.example.org.evil.example",
                "null",
                "http://app.example.org",
            ] {
                let answer = ask(OURS, method, other).await;
                assert!(!answer.headers().contains_key("access-control-allow-origin"));
            }
        }
        let answer = ask("", "OPTIONS", OURS).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn what_is_no_whole_origin_is_refused() {
        for text in [
            "*",
            "null",
            "app.example.org",
            "https://app.example.org/",
            "https://app.example.org/page",
            "https://*.example.org",
            "https://me@app.example.org",
            "ftp://app.example.org",
            "https://",
            "https://a.example;https://b.example/",
        ] {
            assert_eq!(text.parse::<Origins>(), Err(InvalidOrigin), "{text}");
        }
        let two: Origins = "https://A.example, http://localhost:3000,".parse().unwrap();
        assert_eq!(two.0, ["https://a.example", "http://localhost:3000"]);
    }
}
