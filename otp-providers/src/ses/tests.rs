use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use otp_core::clock::{Clock, ManualClock, Timestamp};
use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::ErrorClass;
use serde_json::json;

use super::*;
use crate::aws::AwsCredentials;
use crate::http::ScriptedTransport;
use crate::kit;

fn credentials() -> AwsCredentials {
    AwsCredentials::new("AKIDEXAMPLE", "the-secret-key").expect("credentials")
}

fn from() -> EmailAddress {
    EmailAddress::parse("no-reply@example.com").expect("an address")
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_735_689_600_000)))
}

fn builder() -> SesBuilder {
    Ses::builder(Arc::new(credentials()), "eu-west-1", from()).clock(clock())
}

async fn sent_by(builder: SesBuilder) -> HttpRequest {
    let vendor = ScriptedTransport::new().then(200, r#"{"MessageId":"0102018f"}"#);
    let ses = builder
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    let receipt = ses.deliver(&kit::to_email()).await.expect("accepted");
    assert_eq!(receipt.reference(), Some("0102018f"));
    let [request] = vendor.requests().try_into().expect("one request");
    request
}

#[tokio::test]
async fn the_request_is_the_documented_json_and_nothing_else() {
    let request = sent_by(builder().from_name("Acme").configuration_set("otp_events")).await;
    assert_eq!(
        request.url().as_str(),
        "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"
    );
    let part = |data: &str| json!({"Data": data, "Charset": "UTF-8"});
    assert_eq!(
        kit::json(&request),
        json!({
            "FromEmailAddress": "\"Acme\" <no-reply@example.com>",
            "Destination": {"ToAddresses": [kit::EMAIL]},
            "Content": {"Simple": {
                "Subject": part("Your code"),
                "Body": {"Text": part(kit::TEXT), "Html": part("<p>904173</p>")},
                "Headers": [
                    {"Name": "Auto-Submitted", "Value": "auto-generated"},
                    {"Name": "X-Auto-Response-Suppress", "Value": "All"},
                ],
            }},
            "EmailTags": [{"Name": "otpkit_message_id", "Value": "challenge-1"}],
            "ConfigurationSetName": "otp_events",
        })
    );
}

#[tokio::test]
async fn the_request_is_signed_over_its_body_at_the_clocks_time() {
    let request = sent_by(builder()).await;
    let header = |name: &str| request.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("x-amz-date"), "20250101T000000Z");
    assert!(!request.headers().contains_key("x-amz-security-token"));
    let expected = aws::sign(
        &aws::SigningInput {
            method: "POST",
            url: request.url(),
            headers: &[("content-type", "application/json")],
            body: request.body(),
            region: "eu-west-1",
            service: "ses",
        },
        &credentials(),
        Timestamp::from_millis(1_735_689_600_000),
    );
    assert_eq!(header("authorization"), expected.authorization().expose());
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn a_session_token_travels_in_its_header() {
    let session = credentials()
        .with_session_token("the-session-token")
        .expect("a token");
    let request = sent_by(Ses::builder(Arc::new(session), "eu-west-1", from())).await;
    let token = &request.headers()["x-amz-security-token"];
    assert_eq!(token, "the-session-token");
    assert!(token.is_sensitive());
    let authorization = request.headers()[AUTHORIZATION].to_str().expect("text");
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,")
    );
}

#[derive(Debug)]
struct NoCredentials;

impl AwsCredentialSource for NoCredentials {
    fn credentials(&self) -> Option<AwsCredentials> {
        None
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let vendor = ScriptedTransport::new();
    let ses = Ses::builder(Arc::new(NoCredentials), "eu-west-1", from())
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    let error = ses.deliver(&kit::to_email()).await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.certainty()),
        (DeliveryErrorKind::Unauthorized, NotSent)
    );
    assert!(vendor.requests().is_empty());
}

#[test]
fn errors_are_classified_by_name_however_it_is_written() {
    use DeliveryErrorKind as Kind;
    let cases = [
        (429, "TooManyRequestsException", Kind::Throttled),
        (400, "LimitExceededException", Kind::Unauthorized),
        (400, "AccountSuspendedException", Kind::Unauthorized),
        (400, "SendingPausedException", Kind::Unauthorized),
        (400, "MessageRejected", Kind::Invalid),
        (400, "MailFromDomainNotVerifiedException", Kind::Invalid),
        (400, "BadRequestException", Kind::Invalid),
        (404, "NotFoundException", Kind::Invalid),
        (403, "SignatureDoesNotMatch", Kind::Unauthorized),
        (403, "ExpiredTokenException", Kind::Unauthorized),
        (400, "ThrottlingException", Kind::Throttled),
        (500, "InternalServiceErrorException", Kind::Unavailable),
    ];
    for (status, name, kind) in cases {
        let certainty = if status < 500 { NotSent } else { Unknown };
        let short = name.strip_suffix("Exception").unwrap_or(name);
        for written in [
            name.to_owned(),
            format!("{name}:http://internal.amazon.com/x/"),
            format!("com.amazonaws.sesv2#{name}"),
        ] {
            kit::assert_read(
                &classify_api(status, Some(&written), b"{}"),
                kind,
                certainty,
                short,
            );
            let body = format!(r#"{{"__type":"{written}","message":"m"}}"#);
            kit::assert_read(
                &classify_api(status, None, body.as_bytes()),
                kind,
                certainty,
                short,
            );
        }
    }
}

#[test]
fn a_name_that_is_not_known_leaves_the_status_to_decide_and_is_not_shown() {
    for name in ["904173", "someone@example.org", ""] {
        kit::assert_read(
            &classify_api(400, Some(name), b""),
            DeliveryErrorKind::Invalid,
            NotSent,
            "400",
        );
        kit::assert_read(
            &classify_api(503, Some(name), b""),
            DeliveryErrorKind::Unavailable,
            Unknown,
            "503",
        );
    }
    let deep = "[".repeat(60_000);
    kit::assert_read(
        &classify_api(500, None, deep.as_bytes()),
        DeliveryErrorKind::Unavailable,
        Unknown,
        "500",
    );
}

#[tokio::test]
async fn the_header_names_the_error_and_the_hint_reaches_the_caller() {
    let reply = HttpResponse::new(
        StatusCode::BAD_REQUEST,
        HeaderMap::new(),
        r#"{"message":"m"}"#,
    )
    .with_header(
        ERROR_TYPE,
        HeaderValue::from_static("SendingPausedException"),
    )
    .with_header(http::header::RETRY_AFTER, HeaderValue::from_static("9"));
    let vendor = ScriptedTransport::new().then_reply(reply);
    let ses = builder()
        .transport(Arc::new(vendor))
        .build()
        .expect("a provider");
    let error = ses.deliver(&kit::to_email()).await.expect_err("refused");
    assert_eq!(error.code(), Some("SendingPaused"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(9)));
}

#[test]
fn events_are_classified() {
    use ErrorClass::{Permanent, Recipient, Retryable};
    let bounce = |kind, sub| SesEvent {
        event: "Bounce",
        bounce_type: Some(kind),
        bounce_sub_type: Some(sub),
    };
    let plain = |event| SesEvent {
        event,
        ..SesEvent::default()
    };
    let cases = [
        (bounce("Permanent", "General"), Some(Recipient)),
        (bounce("Permanent", "Suppressed"), Some(Recipient)),
        (bounce("Transient", "General"), Some(Retryable)),
        (bounce("Transient", "MailboxFull"), Some(Retryable)),
        (bounce("Transient", "MessageTooLarge"), Some(Permanent)),
        (bounce("Transient", "ContentRejected"), Some(Permanent)),
        (bounce("Undetermined", "Undetermined"), Some(Retryable)),
        (plain("Complaint"), Some(Recipient)),
        (plain("Reject"), Some(Permanent)),
        (plain("Rendering Failure"), Some(Permanent)),
        (plain("Delivery"), None),
        (plain("Open"), None),
    ];
    for (event, class) in cases {
        assert_eq!(
            classify_event(&event).map(DeliveryErrorKind::class),
            class,
            "{event:?}"
        );
    }
    assert_eq!(
        classify_event(&plain("Complaint")),
        Some(DeliveryErrorKind::OptedOut)
    );
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    for region in [
        "",
        "eu",
        "EU-WEST-1",
        "eu-west-1.evil.example.com",
        "eu/1",
        "-1",
    ] {
        let built = Ses::builder(Arc::new(credentials()), region, from()).build();
        assert!(matches!(built, Err(ConfigError::Region)), "{region}");
    }
    assert!(matches!(
        builder().from_name("a\r\nBcc: x").build(),
        Err(ConfigError::FromName)
    ));
    assert!(matches!(
        builder().configuration_set("a b").build(),
        Err(ConfigError::TemplateName)
    ));
    let shown = format!("{:?}", builder());
    assert!(
        !shown.contains("AKID") && !shown.contains("the-secret"),
        "{shown}"
    );
}
