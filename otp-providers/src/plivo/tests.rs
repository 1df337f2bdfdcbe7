use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::ErrorClass;
use serde_json::{Value, json};
use std::sync::Arc;

use super::*;
use crate::http::ScriptedTransport;
use crate::kit;

const ID: &str = "MA000000000000000001";
const ACCEPTED: &str = r#"{"api_id":"948b53a2","message":"message(s) queued","message_uuid":["5b40a428-bfc7-4daf-9d06-726c558bf3b8"]}"#;

fn builder() -> PlivoBuilder {
    Plivo::builder(ID, "the-auth-token").from("+14155550199")
}

async fn sent_by(builder: PlivoBuilder, seconds: u64) -> (HttpRequest, Value) {
    let vendor = ScriptedTransport::new().then(202, ACCEPTED);
    let plivo = builder
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    let receipt = plivo
        .deliver(&kit::to_phone(Channel::Sms, seconds))
        .await
        .expect("accepted");
    assert_eq!(
        receipt.reference(),
        Some("5b40a428-bfc7-4daf-9d06-726c558bf3b8")
    );
    let [request] = vendor.requests().try_into().expect("one request");
    let body = kit::json(&request);
    (request, body)
}

#[tokio::test]
async fn the_request_is_the_documented_json_and_nothing_else() {
    let (request, body) = sent_by(builder(), 300).await;
    assert_eq!(
        request.url().as_str(),
        "https://api.plivo.com/v1/Account/MA000000000000000001/Message/"
    );
    assert_eq!(
        request.headers()[AUTHORIZATION],
        "Basic TUEwMDAwMDAwMDAwMDAwMDAwMDE6dGhlLWF1dGgtdG9rZW4="
    );
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    assert_eq!(
        body,
        json!({
            "src": "+14155550199", "dst": kit::PHONE, "text": kit::TEXT, "type": "sms",
            "log": false, "message_expiry": 300,
        })
    );
}

#[tokio::test]
async fn a_powerpack_and_a_callback_take_their_places() {
    let uuid = "d93bbbd2-9f10-4b0b-8a1c-1d2e3f4a5b6c";
    let builder = Plivo::builder(ID, "the-auth-token")
        .powerpack(uuid)
        .status_callback("https://example.com/hooks");
    let (_, body) = sent_by(builder, 1).await;
    assert_eq!(
        body,
        json!({
            "powerpack_uuid": uuid, "dst": kit::PHONE, "text": kit::TEXT, "type": "sms",
            "log": false, "message_expiry": 5, "url": "https://example.com/hooks", "method": "POST",
        })
    );
    let (_, late) = sent_by(self::builder(), 86_400).await;
    assert_eq!(late["message_expiry"], 10_800);
}

#[test]
fn the_status_decides_since_refusals_have_no_codes() {
    use DeliveryErrorKind as Kind;
    let cases = [
        (400, Kind::Invalid, NotSent),
        (401, Kind::Unauthorized, NotSent),
        (402, Kind::Unauthorized, NotSent),
        (403, Kind::Unauthorized, NotSent),
        (404, Kind::Invalid, NotSent),
        (405, Kind::Invalid, NotSent),
        (409, Kind::Invalid, NotSent),
        (422, Kind::Invalid, NotSent),
        (429, Kind::Throttled, NotSent),
        (500, Kind::Unavailable, Unknown),
        (503, Kind::Unavailable, Unknown),
        (302, Kind::Protocol, Unknown),
    ];
    for (status, kind, certainty) in cases {
        kit::assert_read(&classify_api(status), kind, certainty, &status.to_string());
    }
}

#[test]
fn codes_of_status_callbacks_are_classified() {
    use ErrorClass::{Permanent, Recipient, Retryable};
    let cases: [(ErrorClass, &[u32]); 3] = [
        (Retryable, &[20, 80, 300, 420, 1000, 12_345]),
        (Permanent, &[10, 30, 40, 60, 90, 100, 110, 201, 900, 910]),
        (Recipient, &[50, 70, 200]),
    ];
    for (class, codes) in cases {
        for code in codes {
            assert_eq!(classify_status(*code).class(), class, "{code}");
        }
    }
    assert_eq!(classify_status(200), DeliveryErrorKind::OptedOut);
    assert_eq!(classify_status(420), DeliveryErrorKind::Timeout);
    assert_eq!(classify_status(900), DeliveryErrorKind::Unauthorized);
}

#[tokio::test]
async fn an_acceptance_of_none_or_two_is_not_a_receipt() {
    for body in [
        "",
        "{}",
        r#"{"message_uuid":[]}"#,
        r#"{"message_uuid":["a","b"]}"#,
        r#"{"message_uuid":[""]}"#,
    ] {
        let vendor = ScriptedTransport::new().then(202, body);
        let plivo = builder()
            .transport(Arc::new(vendor))
            .build()
            .expect("a provider");
        let error = plivo
            .deliver(&kit::to_phone(Channel::Sms, 300))
            .await
            .expect_err(body);
        assert_eq!(
            (error.kind(), error.certainty()),
            (DeliveryErrorKind::Protocol, Unknown),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_message_for_another_channel_never_reaches_the_vendor() {
    let vendor = ScriptedTransport::new();
    let plivo = builder()
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    for message in [kit::to_email(), kit::to_phone(Channel::WhatsApp, 300)] {
        let error = plivo.deliver(&message).await.expect_err("refused");
        assert_eq!(
            (error.kind(), error.certainty()),
            (DeliveryErrorKind::Invalid, NotSent)
        );
    }
    assert!(vendor.requests().is_empty());
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    let with = |id: &str, token: &str| Plivo::builder(id, token).from("12345").build();
    for id in ["", "MA1", "XA000000000000000001", "MA0000000000000000/1"] {
        assert!(matches!(with(id, "t"), Err(ConfigError::VendorId)), "{id}");
    }
    assert!(matches!(with(ID, "a\r\nb"), Err(ConfigError::Credential)));
    let bare = || Plivo::builder(ID, "t");
    assert!(matches!(bare().build(), Err(ConfigError::SenderMissing)));
    assert!(matches!(
        bare().powerpack("p").build(),
        Err(ConfigError::VendorId)
    ));
    assert!(matches!(
        builder().powerpack("p").build(),
        Err(ConfigError::TwoSenders)
    ));
    assert!(matches!(
        bare().from("<1>").build(),
        Err(ConfigError::Sender)
    ));
    assert!(matches!(
        builder().status_callback("x").build(),
        Err(ConfigError::StatusCallback)
    ));
    let shown = format!("{:?}", builder());
    assert!(
        !shown.contains("the-auth-token") && !shown.contains(ID),
        "{shown}"
    );
}

#[tokio::test]
async fn the_sender_that_a_country_asks_for_stands_before_the_own_one_where_plivo_knows_its_kind() {
    const POOL: &str = "d93bbbd2-9f10-4b0b-8a1c-1d2e3f4a5b6c";
    for (asked, field, sent) in [
        ("ACME", "src", "ACME"),
        ("+33644600001", "src", "+33644600001"),
        (POOL, "powerpack_uuid", POOL),
        ("MG00000000000000000000000000000001", "src", "+14155550199"),
    ] {
        let vendor = ScriptedTransport::new().then(202, ACCEPTED);
        let transport = Arc::new(vendor.clone());
        let plivo = builder().transport(transport).build().expect("a provider");
        let message = kit::asking(Channel::Sms, asked, "any");
        plivo.deliver(&message).await.expect("accepted");
        let [request] = vendor.requests().try_into().expect("one request");
        let body = kit::json(&request);
        assert_eq!(body[field], json!(sent), "{asked}");
        let senders = ["src", "powerpack_uuid"];
        let given = senders.iter().filter(|name| body.get(**name).is_some());
        assert_eq!(given.count(), 1, "{asked}");
    }
}
