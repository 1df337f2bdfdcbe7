//! Spans, as a collector gets them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use tokio::net::TcpListener;

use crate::support::twilio::{Answer, Twilio};
use crate::support::{PHONE, Server, body_of_request, body_of_verify};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

/// What was posted to a collector of OTLP over HTTP.
type Posted = Arc<Mutex<Vec<u8>>>;

async fn collector() -> (String, Posted) {
    let posted = Posted::default();
    let take = async |State(posted): State<Posted>, body: Bytes| {
        posted.lock().unwrap().extend_from_slice(&body);
    };
    let routes = Router::new().route("/v1/traces", post(take));
    let routes = routes.with_state(Arc::clone(&posted));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (url, posted)
}

const TRACE: [u8; 16] = *b"trace-of-a-proxy";

/// Asks for a page as a part of that trace.
async fn within_the_trace(server: &Server) {
    let trace: String = TRACE.iter().map(|byte| format!("{byte:02x}")).collect();
    let request = server.client.get(server.url("/healthz"));
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = request.header("traceparent", parent).send().await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_part_of_the_trace_of_a_trusted_proxy_and_of_nobody_elses() {
    for (proxies, is_part) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let (url, posted) = collector().await;
        let mut server = Server::with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
            ("TRUSTED_PROXIES", proxies),
        ]);
        within_the_trace(&server).await;
        assert!(server.terminate().success());
        let sent = posted.lock().unwrap().clone();
        assert!(sent.windows(12).any(|name| name == b"GET /healthz"));
        let found = sent.windows(TRACE.len()).any(|id| id == TRACE);
        assert_eq!(found, is_part, "{proxies}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_lead_from_the_request_to_the_provider_and_hold_no_secret() {
    let (url, posted) = collector().await;
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings();
    settings.push(("OTEL_EXPORTER_OTLP_ENDPOINT", &url));
    let mut server = Server::with(&settings);
    let started = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(started.status, 200, "{started:?}");
    let code = twilio.posted()[0].code();
    let verified = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    // Whoever stops sends what waits.
    assert!(server.terminate().success());
    let sent = String::from_utf8_lossy(&posted.lock().unwrap()).into_owned();
    for name in [
        "otp-kit",
        "POST /api/auth/otp/request",
        "POST /api/auth/verify-otp",
        "provider",
        "twilio",
        "sms",
        "issue",
        "verify",
    ] {
        assert!(sent.contains(name), "{name} in {sent:?}");
    }
    let tokens = [
        verified.text("access_token"),
        verified.text("refresh_token"),
    ];
    let secrets = [PHONE, &PHONE[1..], &code, &tokens[0], &tokens[1]];
    for secret in secrets {
        assert!(!sent.contains(secret), "{secret} is in a span");
    }
    assert!(!server.log().contains("request{"), "lines stay short");
}
