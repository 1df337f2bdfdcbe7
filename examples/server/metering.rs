//! `GET /metrics`: what Prometheus reads, and the requests that are counted for it.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::metrics::Metrics;
use tokio::time::Instant;
use tracing::{Instrument as _, field};

use crate::app::App;
use crate::upstream;

/// Stands for whatever no route has.
const NO_ROUTE: &str = "none";

pub(crate) fn routes() -> Api<Arc<App>> {
    let read = Operation::get("Gives the figures, for Prometheus").gives_as(
        200,
        "text/plain",
        Schema::text(),
    );
    Api::new().operation("/metrics", read, handle)
}

async fn handle(State(app): State<Arc<App>>) -> impl IntoResponse {
    let text = app.metrics.text(&app.verifier).await;
    ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], text)
}

/// Counts a request by the pattern of its route, never by its path: that may hold anybody's id.
pub(crate) async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = known(request.method());
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    // Names are those of OpenTelemetry's conventions for HTTP spans.
    let span = tracing::debug_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
    );
    upstream::joins(&span, &request, &app.proxies);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    app.metrics.request(route, method, status, begun.elapsed());
    response
}

/// A client may send any word as a method.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
