//! Twilio Incident Playbook.

use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use sqlx::{Row as _, query};

use crate::desk::{
    Metrics, START, TOKENS, VERIFY, get, log_with, otpctl, server, set_policy, shell, with,
};
use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Server, body_of_request, body_of_verify, wrong};

const SID: &str = "AC00000000000000000000000000000001";
const WEBHOOK: &str = "/api/auth/mfa/webhook";
/// Made by `openssl dgst -sha1 -hmac` over the public URL and the sorted fields.
const SIGNATURE: &str = "6ILxOzLvKoI9fmrMG7HHOa/em1U=";
const FORM: &str = "MessageSid=SM00000000000000000000000000000009&MessageStatus=delivered\
    &AccountSid=AC00000000000000000000000000000001";

/// A server that hears Twilio's reports, with the token that it checks them by.
fn hearing(token: &str) -> Server {
    with(&[
        ("NEXT_PUBLIC_APP_URL", "https://otp.example"),
        ("TWILIO_ACCOUNT_SID", SID),
        ("TWILIO_AUTH_TOKEN", token),
        ("TWILIO_FROM", "+15005550006"),
    ])
}

async fn report(server: &Server) -> u16 {
    let request = server.client.post(server.url(WEBHOOK));
    let request = request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", SIGNATURE)
        .body(FORM);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn incident_1_mfa_codes_not_delivering() {
    let refused = Answer::Fails(401, r#"{"code":20003,"message":"Authenticate"}"#);
    let twilio = Twilio::start(refused).await;
    let settings = [&twilio.settings()[..], &[TOKENS]].concat();
    let server = Server::with(&settings);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    reply.is_error(500, "send_failed", "Failed to send verification code");

    // Its lines: nothing was sent, and the names of the variables are seen without their values.
    let log = log_with(&server, "failed to send", 1).await;
    assert_eq!(shell("grep MFA_CODE_SENT", &log), "");
    assert!(
        shell("grep 'code=\"20003\"'", &log).contains("twilio"),
        "{log}"
    );
    let half = Server::refused(&[("TWILIO_ACCOUNT_SID", SID)]);
    assert!(half.stderr.contains("TWILIO_AUTH_TOKEN"), "{}", half.stderr);
    assert!(!half.stderr.contains(SID), "{}", half.stderr);
    let number = server.post(START, &body_of_request("415 555")).await;
    number.is_error(400, "invalid_phone", "Invalid phone number");

    // The credentials are put right.
    twilio.answers(Answer::Accepts);
    assert_eq!(
        server
            .post(START, &body_of_request(OTHER_PHONE))
            .await
            .status,
        200
    );
    let log = log_with(&server, "action=MFA_CODE_SENT", 1).await;
    assert_eq!(
        shell("tail -100 | grep MFA_CODE_SENT", &log)
            .lines()
            .count(),
        1
    );
    let metrics = Metrics::of(&server).await;
    let sent = ["provider=\"twilio\"", "outcome=\"success\""];
    assert_eq!(metrics.sum("otp_messages_total", &sent), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn incident_2_webhook_signature_verification_failures() {
    let server = hearing("the-token-before");
    assert_eq!(report(&server).await, 401);
    let metrics = Metrics::of(&server).await;
    let bad = ["vendor=\"twilio\"", "result=\"bad_signature\""];
    assert_eq!(metrics.sum("otp_webhooks_total", &bad), 1.0);
    let asked = [&*format!("route=\"{WEBHOOK}\""), "status=\"401\""];
    assert_eq!(metrics.sum("otp_http_requests_total", &asked), 1.0);
    drop(server);
    // The new token, and a restart; with both there is no gap.
    for token in ["second-token", "the-token-before, second-token"] {
        assert_eq!(report(&hearing(token)).await, 200, "{token}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn incident_3_rate_limiting_blocking_legitimate_users() {
    let server = with(&[]);
    set_policy(
        &server,
        "rate_limiting:\n  per_user: { windowMs: 60_000, max: 3 }\n",
    );
    let mut taken = 0;
    while server.post(START, &body_of_request(PHONE)).await.status == 200 {
        taken += 1;
    }
    assert_eq!(taken, 3);
    let log = log_with(&server, "Rate limit exceeded", 1).await;
    assert_eq!(
        shell("grep 'Rate limit exceeded' | wc -l", &log).trim(),
        "1"
    );
    let metrics = Metrics::of(&server).await;
    assert_eq!(
        metrics.sum("otp_http_requests_total", &["status=\"429\""]),
        1.0
    );

    // Its change: from three to five.
    set_policy(
        &server,
        "rate_limiting:\n  per_user: { windowMs: 60_000, max: 5 }\n",
    );
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
    // One person alone may have more.
    otpctl(
        &server,
        &format!("policy override vip --phone {PHONE} --times 3 --for 1h --reason vip"),
    );
    for _ in 0..4 {
        let more = server.post(START, &body_of_request(PHONE)).await;
        assert_eq!(more.status, 200, "{more:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn incident_4_replay_attacks_detected() {
    let server = hearing("second-token");
    for _ in 0..3 {
        assert_eq!(report(&server).await, 200);
    }
    let log = log_with(&server, "Message already processed", 2).await;
    let twice = shell("grep -o 'MessageSid=[0-9A-Za-z]*' | sort | uniq -d", &log);
    assert_eq!(
        twice.trim(),
        "MessageSid=SM00000000000000000000000000000009"
    );
    let metrics = Metrics::of(&server).await;
    let of = |result: &str| {
        let labels = ["vendor=\"twilio\"", &*format!("result=\"{result}\"")];
        metrics.sum("otp_webhooks_total", &labels)
    };
    assert_eq!((of("accepted"), of("repeated")), (1.0, 2.0));
    assert_eq!(
        metrics.sum("otp_http_requests_total", &["status=\"500\""]),
        0.0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn monitoring_and_alerts_its_queries() {
    let server = server();
    let started = server.post(START, &body_of_request(PHONE)).await;
    let code = started.text("preview_code");
    server
        .post(VERIFY, &body_of_verify(PHONE, &wrong(&code)))
        .await;
    let stats = "SELECT action, count(*) AS number FROM audit_logs
        WHERE action IN ('MFA_CODE_SENT', 'MFA_VERIFICATION_FAILED')
        GROUP BY action ORDER BY action";
    let stats = query(stats)
        .fetch_all(&mut server.database().await)
        .await
        .unwrap();
    let stats: Vec<(String, i64)> = stats
        .iter()
        .map(|row| (row.get("action"), row.get("number")))
        .collect();
    let once = |action: &str| (action.to_owned(), 1);
    assert_eq!(
        stats,
        [once("MFA_CODE_SENT"), once("MFA_VERIFICATION_FAILED")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn complete_twilio_failure() {
    // The kill switch ends by itself, and everybody sees it.
    let server = with(&[
        ("ADMIN_MFA_REQUIRED", "false"),
        ("ADMIN_MFA_OVERRIDE_HOURS", "2"),
    ]);
    let overrides = server.get("/otp/status").await.json()["overrides"].clone();
    assert_eq!(overrides, json!(["second_factor_waived"]));
    log_with(&server, "no second factor is asked for until", 1).await;
    let metrics = Metrics::of(&server).await;
    assert_eq!(metrics.sum("otp_overrides_active", &[]), 1.0);
    // Codes by mail meanwhile.
    otpctl(
        &server,
        "policy override channel_off --channel sms --for 2h --reason twilio",
    );
    let sms = server.post(START, &body_of_request(PHONE)).await;
    sms.is_error(400, "channel_unavailable", "Channel not available");
    let mail = server
        .post(START, &json!({ "email": "ann@example.org" }))
        .await;
    assert_eq!(mail.status, 200, "{mail:?}");
    // Twilio is back: both end, and a test user signs in.
    let held = get(&server, "/admin/otp/dashboard").await.json()["overrides"].clone();
    for one in held.as_array().unwrap() {
        let id = one["id"].as_str().unwrap();
        otpctl(&server, &format!("policy override end {id} --reason over"));
    }
    assert_eq!(
        server.get("/otp/status").await.json()["overrides"],
        json!([])
    );
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, &code))
            .await
            .status,
        200
    );
}
