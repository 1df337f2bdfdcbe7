//! `error_classes`: a vendor's reply or status event, and what can be done about it.

use otp_kit::providers::{plivo, ses, sns, vonage, whatsapp};
use otp_kit::providers::{sendgrid, twilio};
use serde_json::Value;

use crate::Verdict;

pub(crate) fn check(case: &Value) -> Verdict {
    let provider = case["provider"].as_str().unwrap_or_default();
    let stage = case["stage"].as_str().unwrap_or_default();
    let class = match (provider, stage) {
        ("twilio_messaging" | "twilio_whatsapp" | "twilio_verify", "api") => {
            twilio::classify_api(status(case), body(case)).kind.class()
        }
        ("twilio_messaging" | "twilio_whatsapp", "status") => {
            twilio::classify_status(code(case)).class()
        }
        ("sendgrid", "api") => sendgrid::classify_api(status(case), body(case))
            .kind
            .class(),
        ("sendgrid", "status") => {
            let event = &case["event"];
            match sendgrid::classify_event(&sendgrid::SendGridEvent {
                event: event["event"].as_str().unwrap_or_default(),
                bounce_type: event["type"].as_str(),
                bounce_classification: event["bounce_classification"].as_str(),
                reason: event["reason"].as_str(),
            }) {
                Some(kind) => kind.class(),
                None => return Verdict::Differs("no failure".to_owned()),
            }
        }
        ("plivo", "api") => plivo::classify_api(status(case)).kind.class(),
        ("plivo", "status") => plivo::classify_status(code(case)).class(),
        ("whatsapp_cloud", "api") => whatsapp::classify_api(status(case), body(case))
            .kind
            .class(),
        ("whatsapp_cloud", "status") => whatsapp::classify_status(code(case)).class(),
        ("vonage_sms", "api") => vonage::classify_api(status(case), body(case)).kind.class(),
        ("vonage_sms", "status") => vonage::classify_status(code(case)).class(),
        ("sns_sms", "api") => sns::classify_api(status(case), body(case)).kind.class(),
        ("ses", "api") => {
            let kind = case["headers"]["x-amzn-ErrorType"].as_str();
            ses::classify_api(status(case), kind, body(case))
                .kind
                .class()
        }
        ("ses", "status") => {
            let event = &case["event"];
            let event_type = event["eventType"].as_str();
            match ses::classify_event(&ses::SesEvent {
                event: event_type
                    .or(event["notificationType"].as_str())
                    .unwrap_or_default(),
                bounce_type: event["bounce"]["bounceType"].as_str(),
                bounce_sub_type: event["bounce"]["bounceSubType"].as_str(),
            }) {
                Some(kind) => kind.class(),
                None => return Verdict::Differs("no failure".to_owned()),
            }
        }
        _ => return Verdict::Unread(format!("no adapter for {provider} yet")),
    };
    let accepted = case["expect"]["accept"].as_array().into_iter().flatten();
    let accepted: Vec<&str> = accepted.filter_map(Value::as_str).collect();
    if accepted.contains(&class.name()) {
        Verdict::Agrees
    } else {
        Verdict::Differs(format!("{}, not one of {accepted:?}", class.name()))
    }
}

fn status(case: &Value) -> u16 {
    let status = case["http"]
        .as_u64()
        .and_then(|status| u16::try_from(status).ok());
    status.unwrap_or_default()
}

fn code(case: &Value) -> u32 {
    let code = match &case["code"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|code| u32::try_from(code).ok()),
    };
    code.unwrap_or_default()
}

fn body(case: &Value) -> &[u8] {
    case["body"].as_str().unwrap_or_default().as_bytes()
}
