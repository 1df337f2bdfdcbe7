//! What vendors report, as they sign it.

use reqwest::header::CONTENT_TYPE;

use crate::support::Server;

const TWILIO: &str = "/api/auth/mfa/webhook";
const WHATSAPP: &str = "/api/auth/webhooks/whatsapp";

/// Made by `openssl dgst -sha1 -hmac` over the public URL and the sorted fields, and by
/// `openssl dgst -sha256 -hmac` over the body.
const TWILIO_SIGNATURE: &str = "6ILxOzLvKoI9fmrMG7HHOa/em1U=";
const WHATSAPP_SIGNATURE: &str =
    "sha256=0b400e05a45253e2d7a83c7102cc27e429915c62c80eb316f02a076cd73f26dd";

const FORM: &str = "MessageSid=SM00000000000000000000000000000009&MessageStatus=delivered\
    &AccountSid=AC00000000000000000000000000000001";
const STATUS: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15005550006","phone_number_id":"106540352242922"},"statuses":[{"id":"wamid.HBgLMTQxNTU1NTAxMjM=","status":"delivered","timestamp":"1800000000","recipient_id":"14155550123"}]}}]}]}"#;

fn server() -> Server {
    Server::with(&[
        ("PUBLIC_BASE_URL", "https://otp.example"),
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("TWILIO_AUTH_TOKEN", "first-token, second-token"),
        ("TWILIO_FROM", "+15005550006"),
        ("WHATSAPP_APP_SECRET", "the-app-secret"),
        ("WHATSAPP_VERIFY_TOKEN", "the-verify-token"),
    ])
}

async fn twilio(server: &Server, path: &str, form: &'static str, signature: &str) -> u16 {
    let request = server.client.post(server.url(path));
    let request = request
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(form);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_report_is_believed_by_its_signature_alone_and_noted_once() {
    let server = server();
    for _ in 0..2 {
        assert_eq!(twilio(&server, TWILIO, FORM, TWILIO_SIGNATURE).await, 200);
    }
    let changed = "MessageSid=SM00000000000000000000000000000009&MessageStatus=failed\
        &AccountSid=AC00000000000000000000000000000001";
    assert_eq!(
        twilio(&server, TWILIO, changed, TWILIO_SIGNATURE).await,
        401
    );
    let elsewhere = "/api/auth/webhooks/twilio";
    assert_eq!(
        twilio(&server, elsewhere, FORM, TWILIO_SIGNATURE).await,
        401
    );
    let unsigned = server
        .client
        .post(server.url(TWILIO))
        .body(FORM)
        .send()
        .await;
    assert_eq!(unsigned.unwrap().status(), 401);
    let log = server.whole_log();
    assert_eq!(log.matches("delivery report").count(), 1, "{log}");
    assert_eq!(
        log.matches("Message already processed: MessageSid=SM00000000000000000000000000000009")
            .count(),
        1,
        "{log}"
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let server = server();
    let request = server.client.post(server.url(WHATSAPP));
    let reply = request.body("x".repeat(64 * 1024 + 1)).send().await;
    assert_eq!(reply.unwrap().status(), 413);
}

#[tokio::test]
async fn a_vendors_handshake_is_answered_where_it_knows_the_token() {
    let server = server();
    let ask = |token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        server
            .client
            .get(server.url(&format!("{WHATSAPP}?{query}")))
            .send()
    };
    let known = ask("the-verify-token").await.unwrap();
    assert_eq!(known.status(), 200);
    assert_eq!(known.text().await.unwrap(), "1158201444");
    assert_eq!(ask("another").await.unwrap().status(), 403);
    let request = server.client.post(server.url(WHATSAPP));
    let request = request
        .header("x-hub-signature-256", WHATSAPP_SIGNATURE)
        .body(STATUS);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// Made as `WHATSAPP_SIGNATURE` is.
const PAUSED: [&str; 2] = [
    r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"message_template_status_update","value":{"event":"PAUSED","message_template_id":7,"message_template_name":"sign_in_code","message_template_language":"en_US","reason":"NONE"}}]}]}"#,
    "sha256=c8598287b1363180ff8d333c36d00c70edf98bf532ff8ab49b5ba8caf53bc58d",
];
const APPROVED: [&str; 2] = [
    r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"message_template_status_update","value":{"event":"APPROVED","message_template_id":7,"message_template_name":"sign_in_code","message_template_language":"en_US","reason":"NONE"}}]}]}"#,
    "sha256=8d1376bd4eca080b107699bca94a0d0cc4bb9f1836661f9268a9255875aa13f4",
];

#[tokio::test]
async fn a_template_that_meta_pauses_closes_the_channel_until_meta_approves_it_again() {
    let server = Server::with(&[
        ("DEV_MODE", "false"),
        ("WHATSAPP_TOKEN", "token"),
        ("WHATSAPP_PHONE_NUMBER_ID", "106540352242922"),
        ("WHATSAPP_TEMPLATE", "sign_in_code"),
        ("WHATSAPP_BASE_URL", "http://127.0.0.1:9"),
        ("WHATSAPP_APP_SECRET", "the-app-secret"),
        ("WHATSAPP_VERIFY_TOKEN", "the-verify-token"),
        ("OTP_WHATSAPP_TEMPLATE_APPROVED", "1"),
        (
            "OTP_WHATSAPP_RATE_LIMIT_DOC",
            "https://wiki.example.com/whatsapp",
        ),
    ]);
    let send = async |body: &'static str, signature: &str| {
        let request = server.client.post(server.url(WHATSAPP));
        let request = request.header("x-hub-signature-256", signature).body(body);
        request.send().await.unwrap().status().as_u16()
    };
    let seen = async || {
        let status = server.get("/otp/status").await.json();
        let told = |part: &str| status[part]["whatsapp"].as_str().unwrap().to_owned();
        assert!(!status.to_string().contains("sign_in_code"));
        (told("templates"), told("channels"))
    };
    let open = ("approved".to_owned(), "enabled".to_owned());
    let closed = ("paused".to_owned(), "disabled".to_owned());
    assert_eq!(seen().await, open);
    assert_eq!(send(PAUSED[0], APPROVED[1]).await, 401);
    assert_eq!(seen().await, open, "a forged report closes nothing");
    assert_eq!(send(PAUSED[0], PAUSED[1]).await, 200);
    assert_eq!(seen().await, closed);
    assert_eq!(send(APPROVED[0], APPROVED[1]).await, 200);
    assert_eq!(seen().await, open);
    // Another instance may have seen it first, and its state is not this one's.
    assert_eq!(send(PAUSED[0], PAUSED[1]).await, 200);
    assert_eq!(seen().await, closed);
}

#[tokio::test]
async fn a_message_of_amazon_that_nobody_signed_or_about_another_topic_is_refused() {
    let server = Server::with(&[("SES_TOPIC_ARN", "arn:aws:sns:eu-west-1:123456789012:mail")]);
    let message = |topic: &str| {
        serde_json::json!({
            "Type": "SubscriptionConfirmation",
            "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
            "Token": "2336412f37",
            "TopicArn": topic,
            "Message": "You have chosen to subscribe.",
            "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
            "Timestamp": "2026-01-01T00:00:00.000Z",
            "SignatureVersion": "1",
            "Signature": "AAAA",
            "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/S-0.pem",
        })
    };
    for topic in [
        "arn:aws:sns:eu-west-1:123456789012:mail",
        "arn:aws:sns:eu-west-1:1:other",
    ] {
        let reply = server.post("/api/auth/webhooks/ses", &message(topic)).await;
        assert_eq!(reply.status, 401, "{reply:?}");
    }
}

#[tokio::test]
async fn the_report_of_a_vendor_that_is_not_configured_is_refused_as_any_with_a_bad_signature_is() {
    let server = Server::start();
    for vendor in [
        "plivo", "sendgrid", "ses", "telegram", "twilio", "vonage", "whatsapp",
    ] {
        let path = format!("/api/auth/webhooks/{vendor}");
        let reply = server.post(&path, &serde_json::json!({})).await;
        reply.is_error(401, "bad_signature", "Signature refused");
    }
    assert_eq!(twilio(&server, TWILIO, FORM, TWILIO_SIGNATURE).await, 401);
    for unknown in ["acme", "..%2f"] {
        let path = format!("/api/auth/webhooks/{unknown}");
        let reply = server.post(&path, &serde_json::json!({})).await;
        reply.is_error(404, "not_found", "Not found");
    }
}

#[tokio::test]
async fn attack_reports_that_nobody_signed_fill_neither_the_record_nor_the_log() {
    let server = server();
    for (path, times) in [(TWILIO, 130), ("/api/auth/webhooks/plivo", 20)] {
        for _ in 0..times {
            let request = server.client.post(server.url(path)).body(FORM);
            assert_eq!(request.send().await.unwrap().status(), 401);
        }
    }
    let mut database = server.database().await;
    let records: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM audit_logs WHERE event_type = 'identity.webhook.refused'",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    // A slow machine lets the oldest of them go meanwhile.
    assert!((100..125).contains(&records), "{records}");
    // What is signed is taken all the same.
    assert_eq!(twilio(&server, TWILIO, FORM, TWILIO_SIGNATURE).await, 200);
    let log = server.whole_log();
    let lines = log.matches("a webhook was refused").count();
    assert!((100..125).contains(&lines), "{lines}");
}

/// Signs as Plivo signs reports of messages: V2, over the address and the nonce alone.
fn plivo_signature(nonce: &str) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};

    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"the-auth-token").unwrap();
    mac.update(b"https://otp.example/api/auth/webhooks/plivo");
    mac.update(nonce.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn a_report_of_plivos_is_heard_and_its_signature_is_worth_nothing_under_another_one() {
    let server = Server::with(&[
        ("NEXT_PUBLIC_APP_URL", "otp.example"),
        ("PLIVO_AUTH_ID", "MA0000000000000000AB"),
        ("PLIVO_AUTH_TOKEN", "the-auth-token"),
        ("PLIVO_FROM", "+15005550006"),
    ]);
    let report = async |form: &'static str, nonce: &str, signature: &str| {
        let request = server.client.post(server.url("/api/auth/webhooks/plivo"));
        let request = request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-plivo-signature-v2", signature)
            .header("x-plivo-signature-v2-nonce", nonce)
            .body(form);
        request.send().await.unwrap().status().as_u16()
    };
    let (sent, failed) = (
        "MessageUUID=one&Status=sent",
        "MessageUUID=two&Status=failed&ErrorCode=200",
    );
    let (nonce, signature) = (
        "12345678901234567890",
        plivo_signature("12345678901234567890"),
    );
    assert_eq!(report(sent, nonce, &signature).await, 200);
    assert_eq!(report(failed, nonce, &signature).await, 200);
    assert_eq!(report(sent, "another", &signature).await, 401);
    let log = server.whole_log();
    assert_eq!(log.matches("MessageSid=one").count(), 1, "{log}");
    let again = "Message already processed: MessageSid=two";
    assert_eq!(log.matches(again).count(), 1, "{log}");
    assert!(!log.contains("state=failed"), "{log}");
}
