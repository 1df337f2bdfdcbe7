//! `telegram_login`: the login widget, Mini Apps, and the reports of the Gateway.

use otp_kit::clock::Timestamp;
use otp_kit::providers::webhook::{
    TelegramBot, TelegramGatewayWebhook, TelegramKey, TelegramLogin, TelegramRefusal,
};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::{ANY_AGE, Parts, age, now, secret, verdict};

pub(crate) fn check_widget(case: &Value) -> Verdict {
    let texts: Vec<(String, String)> = case["fields"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| match value {
            Value::String(text) => (key.clone(), text.clone()),
            other => (key.clone(), other.to_string()),
        })
        .collect();
    let fields: Vec<(&str, &str)> = texts
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let token = secret(case, "bot_token");
    let (now, age) = moment(case);
    let bot = TelegramBot::new(token).max_age(age);
    dated(case, bot.widget(&fields, now))
}

pub(crate) fn check_mini_app(case: &Value) -> Verdict {
    let data = case["init_data"].as_str().unwrap_or_default();
    let (now, age) = moment(case);
    let found = if case["kind"] == "third_party" {
        let hex = case["public_key_hex"].as_str().unwrap_or_default();
        let key = bytes(hex)
            .and_then(|key| key.try_into().ok())
            .map(TelegramKey::new);
        let bot = case["bot_id"].as_u64().unwrap_or_default();
        let key = key.expect("a key of 32 bytes");
        TelegramLogin::of_third_party_mini_app(data, bot, &key, now, age)
    } else {
        let bot = TelegramBot::new(secret(case, "bot_token")).max_age(age);
        bot.mini_app(data, now)
    };
    dated(case, found)
}

pub(crate) fn check_gateway(case: &Value) -> Verdict {
    let parts = Parts::of(case);
    let reader =
        TelegramGatewayWebhook::new(secret(case, "api_token")).tolerance(age(case, "max_age_s"));
    let now = now(case, parts.header("x-request-timestamp"));
    verdict(
        case,
        parts
            .request()
            .and_then(|request| reader.verify(&request, now)),
    )
}

/// Cases without a time of reading are about the signature only.
fn moment(case: &Value) -> (Timestamp, std::time::Duration) {
    match case["now"].as_u64() {
        Some(_) => (now(case, ""), age(case, "max_age_s")),
        None => (Timestamp::UNIX_EPOCH, ANY_AGE),
    }
}

fn dated<T>(case: &Value, found: Result<T, TelegramRefusal>) -> Verdict {
    match found {
        Err(TelegramRefusal::Undated) if case["now"].is_null() => {
            verdict::<(), TelegramRefusal>(case, Ok(()))
        }
        found => verdict(case, found),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect()
}
