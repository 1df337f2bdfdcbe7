//! The e-mail adapter over a real socket: the conformance suite, and the JSON as a server reads it.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::destination::EmailAddress;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::sendgrid::SendGrid;

use crate::stand_in;

const KEY: &str = "SG.a-sendgrid-api-key";

fn build(setup: &Setup) -> Result<SendGrid, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let sendgrid = SendGrid::builder(KEY, EmailAddress::parse("no-reply@example.com")?)
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(sendgrid)
}

fn refused(status: u16, message: &str, field: &str) -> Reply {
    Reply::new(status).json(&format!(
        r#"{{"errors":[{{"message":"{message}","field":{field},"help":null}}]}}"#
    ))
}

fn fixture() -> ProviderFixture {
    let to = r#""personalizations.0.to.0.email""#;
    ProviderFixture::new(
        build,
        Reply::new(202).header("X-Message-Id", "14c5d75ce93.dfd"),
    )
    .reference("14c5d75ce93.dfd")
    .secret(KEY)
    .refusal(
        "not an address",
        refused(400, "Does not contain a valid address.", to),
        Kind::Unreachable,
    )
    .refusal(
        "no content",
        refused(400, "The content is required.", r#""content""#),
        Kind::Invalid,
    )
    .refusal(
        "key revoked",
        refused(401, "The provided authorization grant is invalid", "null"),
        Kind::Unauthorized,
    )
    .refusal(
        "sender not verified",
        refused(403, "The from address is not verified", r#""from""#),
        Kind::Unauthorized,
    )
    .refusal(
        "too large",
        Reply::new(413).body(b"<html>Too Large</html>"),
        Kind::Invalid,
    )
    .refusal(
        "too many requests",
        refused(429, "too many requests", "null"),
        Kind::Throttled,
    )
    .refusal("down", Reply::new(503), Kind::Unavailable)
    .refusal("the sandbox's answer", Reply::new(200), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);

#[tokio::test]
async fn a_server_reads_exactly_the_documented_json() {
    let server = stand_in::start(202, &[("x-message-id", "m-1")], "").await;
    let sendgrid = SendGrid::builder(
        KEY,
        EmailAddress::parse("no-reply@example.com").expect("an address"),
    )
    .from_name("Acme")
    .base_url(BaseUrl::parse(&server.base_url).expect("loopback"))
    .build()
    .expect("a provider with a transport of its own");
    let receipt = stand_in::deliver_mail(&sendgrid).await.expect("accepted");
    assert_eq!(receipt.reference(), Some("m-1"));
    let request = server.only_request();
    assert_eq!(request.line, "POST /v3/mail/send");
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(
        header("authorization"),
        Some("Bearer SG.a-sendgrid-api-key")
    );
    let body: serde_json::Value = serde_json::from_str(&request.body).expect("json");
    let expected = serde_json::json!({
        "personalizations": [{
            "to": [{ "email": "someone@example.org" }],
            "custom_args": { "otpkit_message_id": "challenge-1" },
        }],
        "from": { "email": "no-reply@example.com", "name": "Acme" },
        "subject": "Your code",
        "content": [
            { "type": "text/plain", "value": "904173 is your code." },
            { "type": "text/html", "value": "<p>904173</p>" },
        ],
        "headers": { "Auto-Submitted": "auto-generated" },
        "tracking_settings": {
            "click_tracking": { "enable": false, "enable_text": false },
            "open_tracking": { "enable": false },
            "subscription_tracking": { "enable": false },
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn the_reset_of_a_limit_reaches_the_caller() {
    let headers = [
        ("date", "Sun, 15 Jun 2025 15:06:40 GMT"),
        ("x-ratelimit-reset", "1750000042"),
    ];
    let server = stand_in::start(429, &headers, "").await;
    let sendgrid = build_on(&server.base_url);
    let error = stand_in::deliver_mail(&sendgrid)
        .await
        .expect_err("throttled");
    assert_eq!(
        error.retry_after(),
        Some(std::time::Duration::from_secs(42))
    );
}

fn build_on(base_url: &str) -> SendGrid {
    SendGrid::builder(
        KEY,
        EmailAddress::parse("no-reply@example.com").expect("an address"),
    )
    .base_url(BaseUrl::parse(base_url).expect("loopback"))
    .build()
    .expect("a provider")
}
