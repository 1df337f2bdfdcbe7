//! A limit by client address around any routes.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Refused, Scope};
use otp_core::store::Store;
use otp_core::verifier::{Throttled, Verifier};
use tower::{Layer, Service};

use crate::error::ApiError;
use crate::{Client, Refusal};

/// Lets a client address ask so often and no more: a `tower` layer.
///
/// It counts where the verifier counts, so that instances that share a store share the limit, and
/// by the address that [`Client`] finds, an IPv6 one by its /64. One request too many is answered
/// 429 `rate_limited` with `Retry-After`, `RateLimit` and `RateLimit-Policy`, and does not reach
/// the routes; a store that fails is answered 503. Put it inside an [`Edge`](crate::Edge), which
/// knows the proxies.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use axum::{Router, routing::post};
/// use otp_axum::{Edge, QuotaLayer};
/// use otp_core::quota::{InvalidQuota, Quota};
/// use otp_core::verifier::Verifier;
///
/// fn routes(verifier: &Verifier) -> Result<Router, InvalidQuota> {
///     let ten_a_minute = Quota::window(10, Duration::from_secs(60))?;
///     let routes = Router::new().route("/contact", post(async || "thank you"));
///     Ok(Edge::new().around(routes.layer(QuotaLayer::new(verifier, "contact", ten_a_minute))))
/// }
/// ```
#[derive(Clone)]
pub struct QuotaLayer {
    store: Arc<dyn Store>,
    action: Arc<str>,
    quota: Quota,
}

impl QuotaLayer {
    /// Counts what is done under a name of its own: layers of one name share a count.
    #[must_use]
    pub fn new(verifier: &Verifier, action: &str, quota: Quota) -> Self {
        Self {
            store: Arc::clone(verifier.store()),
            action: action.into(),
            quota,
        }
    }

    async fn admit(&self, Client(context): &Client) -> Result<(), ApiError> {
        let address = context.client_address().bucket();
        let key = QuotaKey::new(&self.action, Scope::Address, "", &address);
        let claims = [QuotaClaim::new(key, self.quota)];
        let readings = self.store.check_all(&claims).await?;
        match Refused::unless_admitted(readings) {
            Ok(_) => Ok(()),
            Err(refused) => Err(Refusal::THROTTLED.until(Throttled::from(refused))),
        }
    }
}

impl fmt::Debug for QuotaLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuotaLayer")
            .field("action", &self.action)
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for QuotaLayer {
    type Service = Limited<S>;

    fn layer(&self, inner: S) -> Limited<S> {
        Limited {
            inner,
            limit: self.clone(),
        }
    }
}

/// What a [`QuotaLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct Limited<S> {
    inner: S,
    limit: QuotaLayer,
}

impl<S> Service<Request> for Limited<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that said that it is ready is the one to be called.
        let other = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, other);
        let limit = self.limit.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            match limit.admit(&Client::of(&parts)).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(refused) => Ok(refused.into_response()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::Router;
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use otp_core::clock::SystemClock;
    use otp_core::prelude::*;
    use otp_core::testing::Outbox;
    use otp_core::testing::store::ReferenceStore;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(routes: &Router, address: &str) -> Response {
        let peer: SocketAddr = address.parse().unwrap();
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn one_request_too_many_of_an_address_is_told_when_to_come_back() {
        let store = ReferenceStore::new(Arc::new(SystemClock));
        let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom).unwrap())
            .route(Channel::Sms, Route::primary(Outbox::new()))
            .limits(Limits::recommended())
            .build()
            .unwrap();
        let two_an_hour = Quota::window(2, Duration::from_secs(3_600)).unwrap();
        let limit = QuotaLayer::new(&verifier, "contact", two_an_hour);
        let routes = Router::new().route("/", get(async || "thank you"));
        let routes = crate::Edge::new().around(routes.layer(limit));
        for _ in 0..2 {
            assert_eq!(ask(&routes, "192.0.2.1:1000").await.status(), 200);
        }
        let refused = ask(&routes, "192.0.2.1:1001").await;
        assert_eq!(refused.status(), 429);
        let header = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
        let policy = "\"address-3600\";q=2;w=3600";
        assert_eq!(header("ratelimit-policy"), policy);
        let wait = header("retry-after");
        assert_eq!(
            header("ratelimit"),
            format!("\"address-3600\";r=0;t={wait}")
        );
        assert_eq!(ask(&routes, "192.0.2.2:1000").await.status(), 200);
    }
}
