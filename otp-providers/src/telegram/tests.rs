use std::sync::Arc;

use otp_core::challenge::{Alphabet, Code, CodeFormat};
use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::MessageId;
use serde_json::json;

use super::*;
use crate::http::ScriptedTransport;
use crate::kit;

const ACCEPTED: &str = r#"{"ok":true,"result":{"request_id":"923583492968596","phone_number":"14155550123","request_cost":0.01,"remaining_balance":9.99,"delivery_status":{"status":"sent","updated_at":1733663900}}}"#;

fn builder() -> TelegramGatewayBuilder {
    TelegramGateway::builder("the-gateway-token")
}

fn on(vendor: &ScriptedTransport) -> TelegramGateway {
    builder()
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider")
}

#[tokio::test]
async fn our_own_code_is_sent_with_its_life_and_nothing_else() {
    let vendor = ScriptedTransport::new()
        .then(200, ACCEPTED)
        .then(200, ACCEPTED);
    let receipt = on(&vendor)
        .deliver(&kit::to_phone(Channel::Telegram, 300))
        .await
        .expect("accepted");
    assert_eq!(receipt.reference(), Some("923583492968596"));
    let full = builder()
        .sender_username("acme_news")
        .status_callback("https://example.com/hooks/telegram")
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    full.deliver(&kit::to_phone(Channel::Telegram, 7200))
        .await
        .expect("accepted");
    let [short, long] = vendor.requests().try_into().expect("two requests");
    assert_eq!(
        short.url().as_str(),
        "https://gatewayapi.telegram.org/sendVerificationMessage"
    );
    assert_eq!(short.headers()[AUTHORIZATION], "Bearer the-gateway-token");
    assert_eq!(
        kit::json(&short),
        json!({"phone_number": kit::PHONE, "code": "904173", "ttl": 300, "payload": "challenge-1"})
    );
    assert_eq!(
        kit::json(&long),
        json!({
            "phone_number": kit::PHONE, "code": "904173", "ttl": 3600, "payload": "challenge-1",
            "sender_username": "acme_news", "callback_url": "https://example.com/hooks/telegram",
        })
    );
    assert_eq!(ttl(Duration::from_secs(3)), 30);
}

#[tokio::test]
async fn a_code_that_telegram_does_not_take_never_reaches_it() {
    let vendor = ScriptedTransport::new();
    let odd = |alphabet, text: &str| {
        let length = u8::try_from(text.len()).expect("short");
        let format = CodeFormat::of(alphabet, length).expect("a format");
        let phone = PhoneNumber::parse(kit::PHONE).expect("a number");
        let code = Code::normalise(format, text).expect("a code");
        Message::builder(
            MessageId::new("c-1"),
            Channel::Telegram,
            phone.into(),
            String::new(),
            code,
        )
        .build()
    };
    let messages = [
        odd(Alphabet::Digits, "123456789"),
        odd(Alphabet::Unambiguous, "ABCD2345"),
        kit::to_phone(Channel::Sms, 300),
        kit::to_email(),
    ];
    for message in messages {
        let error = on(&vendor).deliver(&message).await.expect_err("refused");
        assert_eq!(
            (error.kind(), error.certainty()),
            (DeliveryErrorKind::Invalid, NotSent)
        );
    }
    assert!(vendor.requests().is_empty());
}

#[test]
fn refusals_are_classified_by_their_text() {
    use DeliveryErrorKind as Kind;
    let cases = [
        (
            "ACCESS_TOKEN_INVALID",
            Kind::Unauthorized,
            NotSent,
            "ACCESS_TOKEN_INVALID",
        ),
        (
            "ACCESS_TOKEN_REQUIRED",
            Kind::Unauthorized,
            NotSent,
            "ACCESS_TOKEN_REQUIRED",
        ),
        (
            "BALANCE_NOT_ENOUGH",
            Kind::Unauthorized,
            NotSent,
            "BALANCE_NOT_ENOUGH",
        ),
        ("FLOOD_WAIT_30", Kind::Throttled, NotSent, "FLOOD_WAIT"),
        (
            "PHONE_NUMBER_INVALID",
            Kind::Unreachable,
            NotSent,
            "PHONE_NUMBER_INVALID",
        ),
        (
            "PHONE_NUMBER_NOT_AVAILABLE",
            Kind::Unreachable,
            NotSent,
            "PHONE_NUMBER_NOT_AVAILABLE",
        ),
        (
            "CALLBACK_URL_INVALID",
            Kind::Invalid,
            NotSent,
            "CALLBACK_URL_INVALID",
        ),
        (
            "INTERNAL_SERVER_ERROR",
            Kind::Unavailable,
            Unknown,
            "INTERNAL_SERVER_ERROR",
        ),
        ("CODE_904173_INVALID", Kind::Invalid, NotSent, "200"),
    ];
    for (text, kind, certainty, code) in cases {
        let body = format!(r#"{{"ok":false,"error":"{text}"}}"#);
        kit::assert_read(&classify_api(200, body.as_bytes()), kind, certainty, code);
    }
    let token = br#"{"ok":false,"error":"ACCESS_TOKEN_INVALID"}"#;
    kit::assert_read(
        &classify_api(401, token),
        Kind::Unauthorized,
        NotSent,
        "ACCESS_TOKEN_INVALID",
    );
    kit::assert_read(
        &classify_api(502, token),
        Kind::Unauthorized,
        Unknown,
        "ACCESS_TOKEN_INVALID",
    );
    kit::assert_read(
        &classify_api(429, br#"{"ok":false,"error":"X"}"#),
        Kind::Throttled,
        NotSent,
        "429",
    );
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"ok":true}"#,
        r#"{"ok":true,"error":"FLOOD"}"#,
    ] {
        kit::assert_read(
            &classify_api(200, body.as_bytes()),
            Kind::Protocol,
            Unknown,
            "200",
        );
        kit::assert_read(
            &classify_api(503, body.as_bytes()),
            Kind::Unavailable,
            Unknown,
            "503",
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_not_ok_gives_no_receipt() {
    for (status, body) in [
        (200, ""),
        (200, r#"{"ok":true,"result":true}"#),
        (200, r#"{"ok":false,"result":{"request_id":"1"}}"#),
        (500, ACCEPTED),
    ] {
        let vendor = ScriptedTransport::new().then(status, body);
        let error = on(&vendor)
            .deliver(&kit::to_phone(Channel::Telegram, 300))
            .await
            .expect_err(body);
        assert_eq!(error.certainty(), Unknown, "{body}");
    }
}

#[tokio::test]
async fn asking_for_ability_sends_the_number_alone_and_is_surely_not_a_message() {
    let vendor = ScriptedTransport::new()
        .then(200, ACCEPTED)
        .then(200, r#"{"ok":false,"error":"PHONE_NUMBER_NOT_AVAILABLE"}"#)
        .then_timeout();
    let gateway = on(&vendor);
    let phone = PhoneNumber::parse(kit::PHONE).expect("a number");
    gateway.check_send_ability(&phone).await.expect("able");
    let unable = gateway
        .check_send_ability(&phone)
        .await
        .expect_err("unable");
    assert_eq!(
        (unable.kind(), unable.certainty()),
        (DeliveryErrorKind::Unreachable, NotSent)
    );
    let silent = gateway
        .check_send_ability(&phone)
        .await
        .expect_err("silent");
    assert_eq!(
        (silent.kind(), silent.certainty()),
        (DeliveryErrorKind::Timeout, NotSent)
    );
    let request = &vendor.requests()[0];
    assert_eq!(request.url().path(), "/checkSendAbility");
    assert_eq!(kit::json(request), json!({"phone_number": kit::PHONE}));
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    let token = TelegramGateway::builder("a b").build();
    assert!(matches!(token, Err(ConfigError::Credential)));
    for name in ["@acme", "abc", "a b c d", ""] {
        assert!(
            matches!(
                builder().sender_username(name).build(),
                Err(ConfigError::Sender)
            ),
            "{name}"
        );
    }
    for url in [
        "",
        "http://example.com/",
        "/x",
        &format!("https://example.com/{}", "a".repeat(256)),
    ] {
        assert!(
            matches!(
                builder().status_callback(url).build(),
                Err(ConfigError::StatusCallback)
            ),
            "{url}"
        );
    }
    let shown = format!("{:?}", builder());
    assert!(!shown.contains("the-gateway-token"), "{shown}");
}

#[tokio::test]
async fn the_sender_that_a_country_asks_for_stands_before_the_own_one() {
    for (asked, sent) in [("acme_fr", "acme_fr"), ("+33644600001", "acme_news")] {
        let vendor = ScriptedTransport::new().then(200, ACCEPTED);
        let transport = Arc::new(vendor.clone());
        let telegram = builder().sender_username("acme_news").transport(transport);
        let message = kit::asking(Channel::Telegram, asked, "any");
        let sent_by = telegram.build().expect("a provider");
        sent_by.deliver(&message).await.expect("accepted");
        let [request] = vendor.requests().try_into().expect("one request");
        assert_eq!(
            kit::json(&request)["sender_username"],
            json!(sent),
            "{asked}"
        );
    }
}
