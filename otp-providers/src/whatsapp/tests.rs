use std::sync::Arc;

use otp_core::challenge::{Code, CodeFormat};
use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::{ErrorClass, MessageId};
use serde_json::{Value, json};

use super::*;
use crate::http::ScriptedTransport;
use crate::kit;

const ACCEPTED: &str = r#"{"messaging_product":"whatsapp","contacts":[{"input":"+14155550123","wa_id":"14155550123"}],"messages":[{"id":"wamid.HBgLMTY0NjcwNDM1OTU","message_status":"accepted"}]}"#;

fn builder() -> WhatsAppBuilder {
    WhatsApp::builder("the-token", "106540352242922", "sign_in_code")
}

async fn sent_by(builder: WhatsAppBuilder, message: &Message) -> (HttpRequest, Value) {
    let vendor = ScriptedTransport::new().then(200, ACCEPTED);
    let whatsapp = builder
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    let receipt = whatsapp.deliver(message).await.expect("accepted");
    assert_eq!(receipt.reference(), Some("wamid.HBgLMTY0NjcwNDM1OTU"));
    let [request] = vendor.requests().try_into().expect("one request");
    let body = kit::json(&request);
    (request, body)
}

#[tokio::test]
async fn the_code_is_in_the_body_and_in_the_button() {
    let message = kit::to_phone(Channel::WhatsApp, 300);
    let (request, body) = sent_by(builder(), &message).await;
    assert_eq!(
        request.url().as_str(),
        "https://graph.facebook.com/v23.0/106540352242922/messages"
    );
    assert_eq!(request.headers()[AUTHORIZATION], "Bearer the-token");
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    let code = json!([{"type": "text", "text": "904173"}]);
    assert_eq!(
        body,
        json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": kit::PHONE,
            "type": "template",
            "template": {
                "name": "sign_in_code",
                "language": {"code": "en_US"},
                "components": [
                    {"type": "body", "parameters": code},
                    {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
                ],
            },
            "biz_opaque_callback_data": "challenge-1",
        })
    );
}

#[tokio::test]
async fn the_template_is_sent_in_the_nearest_language_that_was_named() {
    for (locale, language) in [
        ("pt-BR", "pt_BR"),
        ("PT-pt", "pt_PT"),
        ("pt-AO", "pt_PT"),
        ("de", "en_GB"),
    ] {
        let builder = builder()
            .language("en_GB")
            .language_for("pt-BR", "pt_BR")
            .language_for("pt", "pt_PT");
        let message = kit::in_locale(Channel::WhatsApp, 300, locale);
        let (_, body) = sent_by(builder, &message).await;
        assert_eq!(body["template"]["language"]["code"], language, "{locale}");
    }
}

#[tokio::test]
async fn the_longest_code_is_one_that_a_template_takes() {
    let format = CodeFormat::digits(15).expect("a format");
    let code = Code::normalise(format, "123456789012345").expect("a code");
    let to = PhoneNumber::parse(kit::PHONE).expect("a number");
    let id = MessageId::new("c-1");
    let message = Message::builder(id, Channel::WhatsApp, to.into(), String::new(), code).build();
    let (_, body) = sent_by(builder(), &message).await;
    let button = &body["template"]["components"][1]["parameters"][0]["text"];
    assert_eq!(button, "123456789012345");
    assert!(CodeFormat::digits(16).is_err());
}

#[tokio::test]
async fn a_message_for_another_channel_never_reaches_the_vendor() {
    let vendor = ScriptedTransport::new();
    let whatsapp = builder()
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    for message in [kit::to_phone(Channel::Sms, 300), kit::to_email()] {
        let error = whatsapp.deliver(&message).await.expect_err("refused");
        assert_eq!(
            (error.kind(), error.certainty()),
            (DeliveryErrorKind::Invalid, NotSent)
        );
    }
    assert!(vendor.requests().is_empty());
}

#[test]
fn codes_are_classified_at_once_and_in_statuses() {
    use ErrorClass::{Blocked, Permanent, Recipient, Retryable};
    let cases: [(ErrorClass, &[u32]); 4] = [
        (
            Retryable,
            &[1, 2, 4, 80_007, 130_429, 131_000, 131_016, 131_056, 133_016],
        ),
        (
            Permanent,
            &[
                0, 3, 10, 33, 100, 190, 200, 250, 299, 368, 130_497, 131_005, 131_008, 131_009,
                131_021, 131_030, 131_031, 131_037, 131_042, 131_045, 131_047, 131_051, 132_000,
                132_001, 132_005, 132_007, 132_012, 132_015, 132_016, 132_068, 132_069, 133_000,
                133_010,
            ],
        ),
        (Recipient, &[130_472, 131_026, 131_050]),
        (Blocked, &[131_048, 131_049]),
    ];
    for (class, codes) in cases {
        for code in codes {
            assert_eq!(classify_status(*code).class(), class, "{code}");
            let body = format!(
                r#"{{"error":{{"message":"m","type":"OAuthException","code":{code},"error_subcode":131026,"fbtrace_id":"A"}}}}"#
            );
            for (status, certainty) in [(400, NotSent), (500, Unknown)] {
                let read = classify_api(status, body.as_bytes());
                assert_eq!(read.kind.class(), class, "{code}");
                assert_eq!((read.certainty, read.code), (certainty, code.to_string()));
            }
        }
    }
    assert_eq!(classify_status(131_050), DeliveryErrorKind::OptedOut);
    assert_eq!(classify_status(999), DeliveryErrorKind::Unavailable);
}

#[test]
fn what_is_not_in_the_table_leaves_the_status_to_decide_and_is_not_shown() {
    for body in [
        "",
        "<html>",
        "{}",
        r#"{"error":{"code":904173}}"#,
        r#"{"error":{"code":"190"}}"#,
        r#"{"error":{"code":-1}}"#,
    ] {
        let body = body.as_bytes();
        kit::assert_read(
            &classify_api(401, body),
            DeliveryErrorKind::Unauthorized,
            NotSent,
            "401",
        );
        kit::assert_read(
            &classify_api(429, body),
            DeliveryErrorKind::Throttled,
            NotSent,
            "429",
        );
        kit::assert_read(
            &classify_api(502, body),
            DeliveryErrorKind::Unavailable,
            Unknown,
            "502",
        );
    }
    kit::assert_read(
        &classify_api(302, br#"{"error":{"code":131050}}"#),
        DeliveryErrorKind::Protocol,
        Unknown,
        "302",
    );
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    let with =
        |token: &str, id: &str, template: &str| WhatsApp::builder(token, id, template).build();
    assert!(matches!(
        with("", "106540352242922", "t"),
        Err(ConfigError::Credential)
    ));
    for id in ["", "1065/messages", "+14155550123"] {
        assert!(
            matches!(with("t", id, "t"), Err(ConfigError::VendorId)),
            "{id}"
        );
    }
    for template in ["", "Sign In", "a-b", "é"] {
        assert!(matches!(
            with("t", "106540352242922", template),
            Err(ConfigError::TemplateName)
        ));
    }
    for language in ["", "e", "EN", "en-US", "en us"] {
        assert!(matches!(
            builder().language(language).build(),
            Err(ConfigError::TemplateLanguage)
        ));
        let further = builder().language_for("de", language).build();
        assert!(
            matches!(further, Err(ConfigError::TemplateLanguage)),
            "{language}"
        );
    }
    for version in ["", "23.0", "v23", "v23.0/../x", "v.", "v1.2.3"] {
        assert!(
            matches!(
                builder().version(version).build(),
                Err(ConfigError::VendorId)
            ),
            "{version}"
        );
    }
    let shown = format!("{:?}", builder());
    assert!(!shown.contains("the-token"), "{shown}");
}

#[tokio::test]
async fn the_template_that_a_country_asks_for_stands_before_the_own_one() {
    for (asked, sent) in [("code_fr", "code_fr"), ("HX-not-metas", "sign_in_code")] {
        let message = kit::asking(Channel::WhatsApp, "any", asked);
        let (_, body) = sent_by(builder(), &message).await;
        assert_eq!(body["template"]["name"], json!(sent), "{asked}");
    }
}
