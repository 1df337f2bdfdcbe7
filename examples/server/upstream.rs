//! Whose trace a request belongs to: that of the proxy which passed it on.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use otp_kit::request::TrustedProxies;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes a request's span a part of the trace that `traceparent` names (W3C Trace Context). Only a
/// trusted proxy is believed: anybody else could write into whatever trace they like.
pub(crate) fn joins(span: &Span, request: &Request, proxies: &TrustedProxies) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if !peer.is_some_and(|ConnectInfo(peer)| proxies.trusts(peer.ip())) {
        return;
    }
    let parent = TraceContextPropagator::new().extract(&Headers(request.headers()));
    // Where no collector is named there is no layer to hear of it.
    drop(span.set_parent(parent));
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
