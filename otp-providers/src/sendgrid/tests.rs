use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use otp_core::challenge::{Code, CodeFormat};
use otp_core::clock::{ManualClock, Timestamp};
use otp_core::delivery::{DispatchCertainty, MessageId};
use otp_core::destination::PhoneNumber;
use serde_json::{Value, json};

use super::*;
use crate::http::ScriptedTransport;

fn from() -> EmailAddress {
    EmailAddress::parse("no-reply@example.com").expect("an address")
}

fn builder() -> SendGridBuilder {
    SendGrid::builder("SG.the-api-key", from()).from_name("Acme \"Pay\"")
}

fn on(vendor: &ScriptedTransport) -> SendGrid {
    let clock = ManualClock::new(Timestamp::from_millis(1_750_000_000_000));
    builder()
        .transport(Arc::new(vendor.clone()))
        .clock(Arc::new(clock))
        .build()
        .expect("a provider")
}

fn code() -> Code {
    Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits")
}

fn message(html: Option<&str>) -> Message {
    let to = EmailAddress::parse("Some.One@example.org").expect("an address");
    let text = "904173 is your \"code\".\n".to_owned();
    let message = Message::builder(
        MessageId::new("challenge-2"),
        Channel::Email,
        to.into(),
        text,
        code(),
    )
    .subject("Your Acme code");
    match html {
        Some(html) => message.html(html.to_owned()).build(),
        None => message.build(),
    }
}

fn accepted() -> HttpResponse {
    HttpResponse::new(StatusCode::ACCEPTED, HeaderMap::new(), "").with_header(
        MESSAGE_ID,
        HeaderValue::from_static("14c5d75ce93.dfd.64b469"),
    )
}

async fn outcome(reply: HttpResponse) -> Result<Receipt, DeliveryError> {
    on(&ScriptedTransport::new().then_reply(reply))
        .deliver(&message(None))
        .await
}

#[tokio::test]
async fn the_request_is_the_documented_json_and_nothing_else() {
    let vendor = ScriptedTransport::new().then_reply(accepted());
    let sent = on(&vendor)
        .deliver(&message(Some("<p>904173</p>")))
        .await
        .expect("accepted");
    assert_eq!(sent.reference(), Some("14c5d75ce93.dfd.64b469"));
    let requests = vendor.requests();
    let [request] = requests.as_slice() else {
        panic!("{} requests", requests.len())
    };
    assert_eq!(
        request.url().as_str(),
        "https://api.sendgrid.com/v3/mail/send"
    );
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer SG.the-api-key");
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    let body: Value = serde_json::from_slice(request.body()).expect("json");
    let expected = json!({
        "personalizations": [{
            "to": [{ "email": "Some.One@example.org" }],
            "custom_args": { "otpkit_message_id": "challenge-2" },
        }],
        "from": { "email": "no-reply@example.com", "name": "Acme \"Pay\"" },
        "subject": "Your Acme code",
        "content": [
            { "type": "text/plain", "value": "904173 is your \"code\".\n" },
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
async fn a_message_without_html_or_subject_is_whole_all_the_same() {
    let vendor = ScriptedTransport::new().then_reply(accepted());
    let to = EmailAddress::parse("a@example.org").expect("an address");
    let plain = Message::builder(
        MessageId::new("c-1"),
        Channel::Email,
        to.into(),
        "x".to_owned(),
        code(),
    )
    .build();
    let sendgrid = SendGrid::builder("SG.k", from())
        .eu()
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    sendgrid.deliver(&plain).await.expect("accepted");
    let request = &vendor.requests()[0];
    assert_eq!(
        request.url().as_str(),
        "https://api.eu.sendgrid.com/v3/mail/send"
    );
    let body: Value = serde_json::from_slice(request.body()).expect("json");
    assert_eq!(body["subject"], "Your code");
    assert_eq!(
        body["content"],
        json!([{ "type": "text/plain", "value": "x" }])
    );
    assert_eq!(body["from"], json!({ "email": "no-reply@example.com" }));
}

#[tokio::test]
async fn a_202_without_an_id_is_a_receipt_and_a_sandbox_200_is_not() {
    let bare = HttpResponse::new(StatusCode::ACCEPTED, HeaderMap::new(), "");
    assert_eq!(outcome(bare).await.expect("accepted").reference(), None);
    let sandbox = HttpResponse::new(StatusCode::OK, HeaderMap::new(), "");
    let error = outcome(sandbox).await.expect_err("nothing was sent");
    assert_eq!(error.kind(), DeliveryErrorKind::Protocol);
}

#[test]
fn refusals_are_read_by_status_and_by_the_faulty_field() {
    use DeliveryErrorKind as Kind;
    let fault =
        |field: &str| format!(r#"{{"errors":[{{"message":"m","field":{field},"help":null}}]}}"#);
    let to = fault(r#""personalizations.0.to.0.email""#);
    let sender = fault(r#""from.email""#);
    let none = fault("null");
    let cases = [
        (400, to.as_str(), Kind::Unreachable),
        (400, &sender, Kind::Invalid),
        (400, &none, Kind::Invalid),
        (400, r#"{"errors":[]}"#, Kind::Invalid),
        (401, &none, Kind::Unauthorized),
        (403, &to, Kind::Unauthorized),
        (404, "", Kind::Invalid),
        (413, "<html>Request Entity Too Large</html>", Kind::Invalid),
        (429, &none, Kind::Throttled),
        (500, "", Kind::Unavailable),
        (503, "<html>", Kind::Unavailable),
        (307, "", Kind::Protocol),
    ];
    for (status, body, kind) in cases {
        let read = classify_api(status, body.as_bytes());
        assert_eq!(read.kind, kind, "{status} {body}");
        let unsent = (400..500).contains(&status);
        assert_eq!(
            read.certainty == DispatchCertainty::NotSent,
            unsent,
            "{status}"
        );
    }
}

#[tokio::test]
async fn the_second_of_the_reset_is_the_hint_where_there_is_no_retry_after() {
    let reset = HeaderValue::from_static("1750000042");
    let throttled = |status| {
        HttpResponse::new(status, HeaderMap::new(), "").with_header(LIMIT_RESET, reset.clone())
    };
    let limited = outcome(throttled(StatusCode::TOO_MANY_REQUESTS))
        .await
        .expect_err("throttled");
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(42)));
    let both = throttled(StatusCode::TOO_MANY_REQUESTS)
        .with_header(RETRY_AFTER, HeaderValue::from_static("7"));
    let both = outcome(both).await.expect_err("throttled");
    assert_eq!(both.retry_after(), Some(Duration::from_secs(7)));
    let refused = outcome(throttled(StatusCode::UNAUTHORIZED))
        .await
        .expect_err("refused");
    assert_eq!(refused.retry_after(), None);
}

#[tokio::test]
async fn a_message_for_another_channel_never_reaches_the_vendor() {
    let vendor = ScriptedTransport::new();
    let phone = PhoneNumber::parse("+14155550123").expect("a number");
    let text = Message::builder(
        MessageId::new("c-1"),
        Channel::Sms,
        phone.into(),
        String::new(),
        code(),
    )
    .build();
    let error = on(&vendor).deliver(&text).await.expect_err("refused");
    assert_eq!(error.kind(), DeliveryErrorKind::Invalid);
    assert!(vendor.requests().is_empty());
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    for key in ["", "SG.a b", "SG.a\r\nX: y", "SG.é", &"a".repeat(513)] {
        let built = SendGrid::builder(key, from()).build();
        assert!(matches!(built, Err(ConfigError::Credential)), "{key:?}");
    }
    for name in ["", " ", "a\r\nBcc: x", &"a".repeat(101)] {
        let vendor = Arc::new(ScriptedTransport::new());
        let built = SendGrid::builder("SG.k", from())
            .from_name(name)
            .transport(vendor)
            .build();
        assert!(matches!(built, Err(ConfigError::FromName)), "{name:?}");
    }
    let shown = format!("{:?} {:?}", builder(), on(&ScriptedTransport::new()));
    assert!(
        !shown.contains("the-api-key") && !shown.contains("no-reply"),
        "{shown}"
    );
}
