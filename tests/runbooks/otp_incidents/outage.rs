use serde_json::json;
use sqlx::{Row as _, query};

use crate::desk::{
    Metrics, START, TOKENS, VERIFY, log_with, otpctl, otpctl_ends, server, set_policy, shell, with,
};
use crate::support::plivo::Plivo;
use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, body_of_request, body_of_verify};

/// Its YAML, as it stands.
const BACKUP: &str = r#"
   delivery:
     sms:
       primary_provider: "twilio"
       backup_provider: "plivo"
       failover_threshold: 5  # Switch after 5 consecutive failures
"#;
const DEGRADED: &str = "
   # Allow email-only auth if SMS unavailable
   auth:
     sms_otp:
       enabled: false  # Disable SMS temporarily
     magic_link:
       enabled: true   # Keep email working
";
const RESTORED: &str = "
   auth:
     sms_otp:
       enabled: true
     magic_link:
       enabled: true
";

#[tokio::test(flavor = "multi_thread")]
async fn section_2_sms_email_provider_outage() {
    // The incident: the only provider answers 5xx.
    let twilio = Twilio::start(Answer::Fails(503, "")).await;
    let settings = [&twilio.settings()[..], &[TOKENS]].concat();
    let server = crate::support::Server::with(&settings);
    for phone in [PHONE, OTHER_PHONE, PHONE] {
        let reply = server.post(START, &body_of_request(phone)).await;
        reply.is_error(500, "send_failed", "Failed to send verification code");
    }

    // It shows.
    let log = log_with(&server, "failed to send", 3).await;
    let recent = shell("grep -i 'failed to send' | tail -50", &log);
    assert_eq!(recent.lines().count(), 3, "{recent}");
    let metrics = Metrics::of(&server).await;
    let failed = ["provider=\"twilio\"", "outcome=\"failed\""];
    assert_eq!(metrics.sum("otp_messages_total", &failed), 3.0);
    assert!(metrics.sum("otp_provider_answers_total", &["answer=\"failed\""]) >= 3.0);
    for number in 130..140 {
        let phone = format!("+14155550{number}");
        server.post(START, &body_of_request(&phone)).await;
    }
    let metrics = Metrics::of(&server).await;
    assert_eq!(
        metrics.sum("otp_breaker_open", &["provider=\"twilio\""]),
        1.0
    );
    assert_eq!(metrics.sum("otp_channel_up", &["channel=\"sms\""]), 0.0);
    let status = otpctl_ends(&server, "status");
    assert_eq!(status.status.code(), Some(1), "{status:?}");
    log_with(&server, "Circuit breaker OPEN", 1).await;

    // Who got nothing: the statement as it stands, and the command.
    let mut database = server.database().await;
    let lost = "SELECT user_id, phone_number, email, failed_attempts, last_attempt_at
        FROM delivery_failures ORDER BY failed_attempts DESC";
    let lost = query(lost).fetch_all(&mut database).await.unwrap();
    assert_eq!(lost.len(), 12);
    assert_eq!(lost[0].get::<String, _>("phone_number"), "+1415•••0123");
    assert_eq!(lost[0].get::<i64, _>("failed_attempts"), 2);
    let listed = otpctl(&server, "deliveries --limit 100");
    assert!(
        listed.contains("twilio") && !listed.contains(PHONE),
        "{listed}"
    );
    drop(server);

    // The backup takes over, by the YAML of the runbook.
    let plivo = Plivo::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("production.yml");
    std::fs::write(&file, BACKUP).unwrap();
    let config = ("OTP_CONFIG", file.to_str().unwrap());
    let settings = [&twilio.settings()[..], &plivo.settings(), &[TOKENS, config]].concat();
    let server = crate::support::Server::with(&settings);
    let mut failures = 0;
    let phone = loop {
        let phone = format!("+141555502{failures:02}");
        match server.post(START, &body_of_request(&phone)).await.status {
            200 => break phone,
            _ => failures += 1,
        }
        assert!(failures <= 5, "{}", server.log());
    };
    let (_, code) = plivo.codes().pop().unwrap();
    let verified = server.post(VERIFY, &body_of_verify(&phone, &code)).await;
    assert_eq!(verified.status, 200, "{verified:?}");

    // It is over: with the same YAML the first provider is the first again.
    twilio.answers(Answer::Accepts);
    let (before, server) = (twilio.posted().len(), server.kill_and_restart());
    let reply = server.post(START, &body_of_request(OTHER_PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(twilio.posted().len(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_enable_graceful_degradation() {
    let server = server();
    set_policy(&server, DEGRADED);
    let sms = server.post(START, &body_of_request(PHONE)).await;
    sms.is_error(400, "channel_unavailable", "Channel not available");
    let mail = server
        .post(START, &json!({ "email": "ann@example.org" }))
        .await;
    assert_eq!(mail.status, 200, "{mail:?}");
    set_policy(&server, RESTORED);
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn section_2_resend_failed_notifications_and_validate_service_recovery() {
    let twilio = Twilio::start(Answer::Fails(503, "")).await;
    let settings = [&twilio.settings()[..], &[TOKENS]].concat();
    let server = crate::support::Server::with(&settings);
    for phone in [PHONE, OTHER_PHONE, PHONE] {
        let reply = server.post(START, &body_of_request(phone)).await;
        assert_eq!(reply.status, 500, "{reply:?}");
    }
    twilio.answers(Answer::Accepts);
    let before = twilio.posted().len();
    let dry = otpctl(&server, "resend --dry-run");
    assert!(dry.starts_with("2 would be"), "{dry}");
    assert_eq!(twilio.posted().len(), before);
    otpctl(&server, "resend --reason INC-2");
    let sent = twilio.posted().split_off(before);
    assert_eq!(sent.len(), 2, "each person once");
    for message in sent {
        let body = body_of_verify(message.field("To").unwrap(), &message.code());
        assert_eq!(server.post(VERIFY, &body).await.status, 200);
    }

    // Its last calls, as they stand.
    let server = with(&[]);
    for way in ["otp", "magic-link"] {
        let path = format!("/browser/api/v1/identity/auth/{way}/initiate");
        let reply = server.post(&path, &json!({ "user_id": "test-user" })).await;
        assert_eq!((reply.status, reply.text("status")), (200, "ok".to_owned()));
    }
    assert_eq!(otpctl_ends(&server, "status").status.code(), Some(0));
}
