use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

fn seconds(reply: &Reply) -> u64 {
    reply
        .header("retry-after")
        .unwrap_or_else(|| panic!("{reply:?}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn one_try_too_many_from_an_address_is_told_when_to_come_back() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "3")]);
    for _ in 0..3 {
        assert_eq!(
            server
                .post(VERIFY, &body_of_verify(PHONE, "123456"))
                .await
                .status,
            400
        );
    }
    let reply = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    reply.is_error(429, "rate_limited", "Too many requests");
    let wait = seconds(&reply);
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(
        reply.header("ratelimit-policy"),
        Some("\"address-60\";q=3;w=60")
    );
    let state = format!("\"address-60\";r=0;t={wait}");
    assert_eq!(reply.header("ratelimit"), Some(state.as_str()));
}

#[tokio::test]
async fn e07_the_sixth_code_in_an_hour_for_a_number_is_not_sent() {
    let server = Server::start();
    for _ in 0..5 {
        assert_eq!(
            server.post(START, &body_of_request(PHONE)).await.status,
            200
        );
    }
    let reply = server.post(START, &body_of_request(PHONE)).await;
    reply.is_error(429, "rate_limited", "Too many requests");
    assert!(seconds(&reply) > 3_000);
    let policy = reply.header("ratelimit-policy").unwrap();
    assert!(
        policy.contains("\"destination-3600\";q=5;w=3600"),
        "{policy}"
    );
    assert!(
        !policy.contains("86400"),
        "a limit that did not refuse is nobody's business"
    );
}

#[tokio::test]
async fn a_number_that_was_guessed_at_is_locked_and_says_so() {
    let server = Server::start();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    for _ in 0..5 {
        let guess = server
            .post(VERIFY, &body_of_verify(PHONE, &wrong(&code)))
            .await;
        guess.is_error(400, "invalid_otp", "Invalid OTP");
    }
    // No code is sent to one who cannot use it.
    let start = server.post(START, &body_of_request(PHONE)).await;
    start.is_error(429, "locked", "Account temporarily locked");
    let wait = seconds(&start);
    assert!(wait >= 1);
    let policy = format!("\"locked\";q=1;w={wait}");
    assert_eq!(start.header("ratelimit-policy"), Some(policy.as_str()));
    let state = format!("\"locked\";r=0;t={wait}");
    assert_eq!(start.header("ratelimit"), Some(state.as_str()));
    // Nor is any code looked at, the right one neither, while its challenge is gone.
    for code in [wrong(&code), code] {
        let guess = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
        guess.is_error(429, "locked", "Account temporarily locked");
        assert!(seconds(&guess) <= wait);
        assert!(
            guess
                .header("ratelimit")
                .unwrap()
                .starts_with("\"locked\";r=0;")
        );
    }
    let other = server.post(START, &body_of_request(OTHER_PHONE)).await;
    assert_eq!(other.status, 200, "{other:?}");
}

#[tokio::test]
async fn the_status_shows_the_limits_in_force_and_names_nobody() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "77")]);
    let status = server.get("/otp/status").await.json();
    assert_eq!(status["redis"], "not configured");
    assert_eq!(status["database"], "connected");
    let templates = serde_json::json!({ "whatsapp": "pending" });
    assert_eq!(status["templates"], templates);
    assert_eq!(status["overrides"], serde_json::json!([]));
    assert_eq!(status["channels"]["sms"], "enabled");
    for operation in ["issue", "resend", "verify"] {
        let windows = status["rateLimits"][operation].as_array().unwrap();
        let address = serde_json::json!({ "scope": "address", "limit": 77, "windowSeconds": 60 });
        assert!(windows.contains(&address), "{windows:?}");
        assert_eq!(
            windows
                .iter()
                .filter(|window| window["scope"] == "address")
                .count(),
            1
        );
    }
    let text = status.to_string();
    for name in ["twilio", "sendgrid", "preview", "sqlite", "otp.db"] {
        assert!(!text.contains(name), "{text}");
    }
}
