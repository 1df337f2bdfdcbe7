//! `meta_signatures`: `X-Hub-Signature-256` over the raw body, and the handshake.

use otp_kit::clock::Timestamp;
use otp_kit::providers::webhook::{
    Answer, Event, Webhook, WebhookError, WebhookSecret, WhatsAppWebhook,
};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::{Parts, at_once, events, secret, verdict};

pub(crate) fn check(case: &Value) -> Verdict {
    let parts = Parts::of(case);
    let reader = WhatsAppWebhook::new(secret(case, "app_secret"), some_secret());
    let found = parts.request().and_then(|request| reader.verify(&request));
    let valid = found.is_ok();
    match (verdict(case, found), case["expect_events"].as_array()) {
        (Verdict::Agrees, Some(expected)) if valid => same_events(&reader, &parts, expected),
        (verdict, _) => verdict,
    }
}

fn same_events(reader: &WhatsAppWebhook, parts: &Parts, expected: &[Value]) -> Verdict {
    let request = parts.request().expect("it was read before");
    let found = match at_once(reader.read(&request, Timestamp::UNIX_EPOCH)) {
        Ok(answer) => events(answer),
        Err(error) => return Verdict::Differs(format!("not read: {error}")),
    };
    let mut once: Vec<(String, Option<String>)> = Vec::new();
    for event in expected {
        let code = match &event[2] {
            Value::Null => None,
            Value::String(code) => Some(code.clone()),
            other => Some(other.to_string()),
        };
        once.push((event[1].as_str().unwrap_or_default().to_owned(), code));
    }
    let found: Vec<(String, Option<String>)> = found
        .iter()
        .map(|event| match event {
            Event::Report(report) => (report.event().to_owned(), report.code().map(str::to_owned)),
            other => (other.word().to_owned(), None),
        })
        .collect();
    let counted_once = {
        let mut kept = once.clone();
        kept.dedup();
        kept
    };
    if found == once || found == counted_once {
        Verdict::Agrees
    } else {
        Verdict::Differs(format!("{found:?}, not {once:?}"))
    }
}

pub(crate) fn check_handshake(case: &Value) -> Verdict {
    let reader = WhatsAppWebhook::new(some_secret(), secret(case, "verify_token"));
    let query = case["query"].as_str().unwrap_or_default();
    let parts = Parts::of(&serde_json::json!({"method": "GET"}))
        .with_url(format!("https://a.example/hook?{query}"));
    let found: Result<Answer, WebhookError> = parts
        .request()
        .and_then(|request| at_once(reader.read(&request, Timestamp::UNIX_EPOCH)));
    let (status, body) = match found {
        Ok(Answer::Echo(text)) => (200, Some(text)),
        Ok(other) => return Verdict::Differs(format!("{other:?}")),
        Err(error) => (u64::from(error.status().as_u16()), None),
    };
    if Some(status) != case["expect_status"].as_u64() {
        return Verdict::Differs(format!("status {status}"));
    }
    match case["expect_body"].as_str() {
        Some(expected) if status == 200 && body.as_deref() != Some(expected) => {
            Verdict::Differs("another text".to_owned())
        }
        _ => Verdict::Agrees,
    }
}

fn some_secret() -> WebhookSecret {
    WebhookSecret::new("another-secret").expect("a secret")
}
