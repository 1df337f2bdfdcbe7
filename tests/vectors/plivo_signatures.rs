//! `plivo_signatures`: V2 over the address, V3 over address, query and fields.

use otp_kit::providers::webhook::PlivoWebhook;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::Verdict;
use crate::webhook::{Parts, secret, verdict};

pub(crate) fn check(case: &Value) -> Verdict {
    let mut parts = Parts::of(case);
    let form = encoded(&case["params"]);
    let get = case["method"]
        .as_str()
        .is_some_and(|method| method.eq_ignore_ascii_case("GET"));
    if get && !form.is_empty() {
        let url = case["url"].as_str().unwrap_or_default();
        let between = if url.contains('?') { '&' } else { '?' };
        parts = parts.with_url(format!("{url}{between}{form}"));
    } else if !get {
        parts = parts.with_body(form.into_bytes(), "application/x-www-form-urlencoded");
    }
    let reader = PlivoWebhook::new(secret(case, "auth_token"));
    let reader = match case["version"].as_str() {
        Some("v2") => reader.accept_v2(),
        _ => reader,
    };
    verdict(
        case,
        parts.request().and_then(|request| reader.verify(&request)),
    )
}

fn encoded(params: &Value) -> String {
    let mut form = Serializer::new(String::new());
    for (key, value) in params.as_object().into_iter().flatten() {
        let values: Vec<&Value> = match value {
            Value::Array(values) => values.iter().collect(),
            one => vec![one],
        };
        for value in values {
            match value {
                Value::String(text) => form.append_pair(key, text),
                other => form.append_pair(key, &other.to_string()),
            };
        }
    }
    form.finish()
}
