//! Twilio Verify SMS Authentication Integration.

use serde_json::json;

use crate::desk::{START, TOKENS, VERIFY, asks, me, with};
use crate::support::verify::{CODE, Checks, Verify};
use crate::support::{PHONE, Server, body_of_request, body_of_verify, wrong};

/// What a staging server has.
const STAGING: [(&str, &str); 2] = [("DEV_MODE", "true"), ("DEV_PREVIEW_CODE", "123456")];

#[tokio::test(flavor = "multi_thread")]
async fn contract_1_request_otp() {
    let server = with(&STAGING);
    let reply = server
        .post(START, &json!({ "phone": "+14155550123" }))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(
        (reply.text("status"), reply.text("preview_code")),
        ("ok".into(), "123456".into())
    );
    server
        .post(START, &json!({}))
        .await
        .is_error(400, "phone_required", "phone required");
    let bad = server.post(START, &json!({ "phone": "12" })).await;
    bad.is_error(400, "invalid_phone", "Invalid phone number");
}

#[tokio::test(flavor = "multi_thread")]
async fn contract_2_verify_otp() {
    let server = with(&STAGING);
    server.post(START, &body_of_request(PHONE)).await;
    let wrong = server.post(VERIFY, &body_of_verify(PHONE, "654321")).await;
    wrong.is_error(400, "invalid_otp", "Invalid OTP");
    let reply = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.text("token_type"), "bearer");
    assert!(!reply.text("access_token").is_empty() && !reply.text("refresh_token").is_empty());
    let mail = reply.json()["user"]["email"].as_str().unwrap().to_owned();
    assert!(mail.ends_with("14155550123@example.com"), "{mail}");
    for (body, detail) in [
        (json!({ "phone": PHONE }), "phone and otp required"),
        (
            json!({ "phone": "12", "otp": "123456" }),
            "Invalid phone number",
        ),
    ] {
        let refused = server.post(VERIFY, &body).await;
        assert_eq!(
            (refused.status, refused.text("detail").as_str()),
            (400, detail)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn error_handling_and_mapping_and_logging() {
    let twilio = Verify::start().await;
    let server = Server::with(&[&twilio.settings()[..], &[TOKENS]].concat());
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
    let bad = server
        .post(VERIFY, &body_of_verify(PHONE, &wrong(CODE)))
        .await;
    bad.is_error(400, "invalid_otp", "Invalid OTP");
    twilio.set(Checks::Fails);
    let failed = server.post(VERIFY, &body_of_verify(PHONE, CODE)).await;
    assert!(
        failed.status >= 500 && !failed.body.to_lowercase().contains("twilio"),
        "{failed:?}"
    );
    twilio.set(Checks::Works);
    let signed_in = server.post(VERIFY, &body_of_verify(PHONE, CODE)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let log = server.whole_log();
    assert!(log.contains("+1415•••0123"), "{log}");
    for secret in [CODE, PHONE, "4155550123", "the-auth-token"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rate_limiting() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "2")]);
    for _ in 0..2 {
        server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    }
    let refused = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    refused.is_error(429, "rate_limited", "Too many requests");
    for name in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(refused.header(name).is_some(), "{name} in {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn testing_plan_and_rollout() {
    // Staging: the preview code signs in, and its token opens a protected route.
    let server = with(&STAGING);
    server.post(START, &body_of_request(PHONE)).await;
    let tokens = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    assert_eq!(me(&server, &tokens).await, 200);
    // The same with real credentials and `DEV_MODE=false`: nothing is shown any more.
    let twilio = Verify::start().await;
    let real = Server::with(&twilio.settings());
    let started = real.post(START, &body_of_request(PHONE)).await;
    assert!(started.json().get("preview_code").is_none());
    let tokens = real.post(VERIFY, &body_of_verify(PHONE, CODE)).await;
    assert_eq!(me(&real, &tokens).await, 200);
    // The smoke test of the rollout.
    for path in ["healthz", "readyz"] {
        let line = format!("curl -s -o /dev/null -w '%{{http_code}}' $BACKEND_URL/{path}");
        assert_eq!(asks(&server, &line), "200");
    }
    // A preview code in production, or half a configuration, stops the start.
    let half = Server::refused(&[("DEV_MODE", "false"), ("TWILIO_ACCOUNT_SID", "AC1")]);
    assert!(half.stderr.contains("TWILIO_"), "{}", half.stderr);
    let shown = Server::refused(&[("DEV_MODE", "false"), ("DEV_PREVIEW_CODE", "123456")]);
    assert!(shown.stderr.contains("error: "), "{}", shown.stderr);
}
