use std::sync::Arc;

use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::ErrorClass;

use super::*;
use crate::http::ScriptedTransport;
use crate::kit;

const ACCEPTED: &str = r#"{"message-count":"1","messages":[{"to":"14155550123","message-id":"0A0000000123ABCD1","status":"0","remaining-balance":"3.14","message-price":"0.03","network":"12345"}]}"#;

fn builder() -> VonageBuilder {
    Vonage::builder("abcd1234", "the-api-secret", "+14155550199")
}

async fn outcome(body: &str) -> Result<Receipt, DeliveryError> {
    let vendor = ScriptedTransport::new().then(200, body);
    let vonage = builder()
        .transport(Arc::new(vendor))
        .build()
        .expect("a provider");
    vonage.deliver(&kit::to_phone(Channel::Sms, 300)).await
}

#[tokio::test]
async fn the_request_is_the_documented_form_and_nothing_else() {
    let vendor = ScriptedTransport::new().then(200, ACCEPTED);
    let vonage = builder()
        .status_callback("https://example.com/hooks")
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    let receipt = vonage
        .deliver(&kit::to_phone(Channel::Sms, 300))
        .await
        .expect("accepted");
    assert_eq!(receipt.reference(), Some("0A0000000123ABCD1"));
    let [request] = vendor.requests().try_into().expect("one request");
    assert_eq!(request.url().as_str(), "https://rest.nexmo.com/sms/json");
    let expected = [
        ("from", "14155550199"),
        ("to", "14155550123"),
        ("text", kit::TEXT),
        ("type", "text"),
        ("ttl", "300000"),
        ("client-ref", "challenge-1"),
        ("callback", "https://example.com/hooks"),
    ];
    assert_eq!(
        kit::form(&request),
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert_eq!(
        request.headers()[AUTHORIZATION],
        "Basic YWJjZDEyMzQ6dGhlLWFwaS1zZWNyZXQ="
    );
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    assert_eq!(ttl(Duration::from_secs(1)), 20_000);
    assert_eq!(ttl(Duration::MAX), 604_800_000);
}

#[test]
fn statuses_are_classified_though_http_says_200() {
    use DeliveryErrorKind as Kind;
    let cases: [(Kind, &[u32]); 5] = [
        (Kind::Throttled, &[1, 10]),
        (Kind::Unavailable, &[5]),
        (Kind::Invalid, &[2, 3, 6, 12, 15, 22, 23]),
        (Kind::Unauthorized, &[4, 8, 9, 11, 14, 29]),
        (Kind::Unreachable, &[7, 33]),
    ];
    for (kind, codes) in cases {
        for code in codes {
            let body = format!(
                r#"{{"message-count":"1","messages":[{{"status":"{code}","error-text":"text"}}]}}"#
            );
            let certainty = if kind == Kind::Unavailable {
                Unknown
            } else {
                NotSent
            };
            kit::assert_read(
                &classify_api(200, body.as_bytes()),
                kind,
                certainty,
                &code.to_string(),
            );
        }
    }
}

#[tokio::test]
async fn a_text_of_which_a_part_was_accepted_is_perhaps_sent() {
    let body = r#"{"message-count":"2","messages":[{"status":"0","message-id":"a"},{"status":"1","error-text":"t"}]}"#;
    let error = outcome(body).await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.certainty()),
        (DeliveryErrorKind::Throttled, Unknown)
    );
    let both = r#"{"message-count":"2","messages":[{"status":"0","message-id":"a"},{"status":"0","message-id":"b"}]}"#;
    assert_eq!(
        outcome(both).await.expect("accepted").reference(),
        Some("a")
    );
}

#[tokio::test]
async fn an_answer_without_a_message_is_not_a_receipt() {
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"messages":[]}"#,
        r#"{"messages":[{"status":"0"}]}"#,
        r#"{"messages":[{"status":"904173"}]}"#,
        r#"{"messages":[{"status":"x"}]}"#,
    ] {
        let error = outcome(body).await.expect_err(body);
        assert_eq!(
            (error.kind(), error.certainty()),
            (DeliveryErrorKind::Protocol, Unknown),
            "{body}"
        );
        assert_ne!(error.code(), Some("904173"));
    }
    kit::assert_read(
        &classify_api(401, b""),
        DeliveryErrorKind::Unauthorized,
        NotSent,
        "401",
    );
    kit::assert_read(
        &classify_api(503, b""),
        DeliveryErrorKind::Unavailable,
        Unknown,
        "503",
    );
}

#[test]
fn codes_of_delivery_receipts_are_classified() {
    use ErrorClass::{Permanent, Recipient, Retryable};
    let cases: [(ErrorClass, &[u32]); 3] = [
        (Retryable, &[1, 2, 7, 8, 99]),
        (Recipient, &[3, 4, 5, 9]),
        (Permanent, &[6, 10, 11]),
    ];
    for (class, codes) in cases {
        for code in codes {
            assert_eq!(classify_status(*code).class(), class, "{code}");
        }
    }
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    let with = |key: &str, secret: &str, from: &str| Vonage::builder(key, secret, from).build();
    assert!(matches!(
        with("a:b", "s", "ACME"),
        Err(ConfigError::VendorId)
    ));
    assert!(matches!(
        with("abcd1234", "", "ACME"),
        Err(ConfigError::Credential)
    ));
    assert!(matches!(
        with("abcd1234", "s", ""),
        Err(ConfigError::Sender)
    ));
    assert!(matches!(
        builder().status_callback("x").build(),
        Err(ConfigError::StatusCallback)
    ));
    let shown = format!("{:?}", builder());
    assert!(!shown.contains("the-api-secret"), "{shown}");
}

#[tokio::test]
async fn the_sender_that_a_country_asks_for_stands_before_the_own_one() {
    for (asked, sent) in [("ACME", "ACME"), ("not a sender!", "14155550199")] {
        let vendor = ScriptedTransport::new().then(200, ACCEPTED);
        let transport = Arc::new(vendor.clone());
        let vonage = builder().transport(transport).build().expect("a provider");
        let message = kit::asking(Channel::Sms, asked, "any");
        vonage.deliver(&message).await.expect("accepted");
        let [request] = vendor.requests().try_into().expect("one request");
        let from = kit::form(&request)
            .into_iter()
            .find(|(name, _)| name == "from");
        assert_eq!(
            from.map(|(_, value)| value).as_deref(),
            Some(sent),
            "{asked}"
        );
    }
}

#[test]
fn what_gsm_7_has_not_is_sent_as_unicode() {
    for text in [
        "123456 is your code.\n\n@example.com #123456",
        "[~{|}^\\] é€ Ω",
    ] {
        assert_eq!(coding(text), "text", "{text}");
    }
    for unicode in ["a`b", "ê", "код", "👋"] {
        assert_eq!(coding(unicode), "unicode", "{unicode}");
    }
}
