//! `rate_limit_headers`: how long a reply asks to wait, and our own header fields.

use otp_kit::providers::http::{RateLimitPolicy, RateLimitState, wait_of};
use serde_json::Value;

use crate::Verdict;
use crate::webhook::now;

pub(crate) fn check(case: &Value) -> Verdict {
    match case["kind"].as_str() {
        Some("parse") => parse(case),
        Some("emit") => emit(case),
        _ => Verdict::Unread("no such kind".to_owned()),
    }
}

fn parse(case: &Value) -> Verdict {
    let mut headers = http::HeaderMap::new();
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        let value = value.as_str().unwrap_or_default();
        if let Ok(value) = http::HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    let wait = wait_of(&headers, now(case, ""));
    let wait = wait.map_or(Value::Null, |wait| wait.as_secs().into());
    let accepted = case["accept_wait_s"].as_array();
    if accepted.is_some_and(|accepted| accepted.contains(&wait)) {
        Verdict::Agrees
    } else {
        Verdict::Differs(format!("{wait}"))
    }
}

fn emit(case: &Value) -> Verdict {
    let policies = list(&case["policies"], |policy| {
        RateLimitPolicy {
            name: policy["name"].as_str().unwrap_or_default(),
            quota: policy["q"].as_u64().unwrap_or_default(),
            window_s: policy["w"].as_u64(),
            unit: policy["qu"].as_str(),
            partition: policy["pk"].as_str(),
        }
        .to_string()
    });
    let state = list(&case["state"], |state| {
        RateLimitState {
            name: state["name"].as_str().unwrap_or_default(),
            remaining: state["r"].as_u64().unwrap_or_default(),
            reset_s: state["t"].as_u64(),
            partition: state["pk"].as_str(),
        }
        .to_string()
    });
    for (field, written) in [("RateLimit-Policy", policies), ("RateLimit", state)] {
        let expected = case["expect"][field].as_str().unwrap_or_default();
        if written != expected {
            return Verdict::Differs(format!("{written}, not {expected}"));
        }
    }
    Verdict::Agrees
}

fn list(items: &Value, write: impl Fn(&Value) -> String) -> String {
    let items = items.as_array().into_iter().flatten();
    items.map(write).collect::<Vec<_>>().join(", ")
}
