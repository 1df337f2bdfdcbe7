//! What the readers of webhook cases share.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use otp_kit::clock::Timestamp;
use otp_kit::providers::webhook::{Answer, Event, WebhookError, WebhookRequest, WebhookSecret};
use serde_json::Value;

use crate::Verdict;

/// Longer than any case is old: for kinds whose cases name no time of reading.
pub(crate) const ANY_AGE: Duration = Duration::from_secs(u32::MAX as u64);

/// The parts of a case that make its request.
pub(crate) struct Parts {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(case: &Value) -> Self {
        let mut headers = HeaderMap::new();
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            // A value that no header can hold never reaches a reader.
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            let values: Vec<&Value> = match value {
                Value::Array(values) => values.iter().collect(),
                one => vec![one],
            };
            for value in values {
                let value = value.as_str().unwrap_or_default();
                if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                    headers.append(name.clone(), value);
                }
            }
        }
        if let Some(content_type) = case["content_type"].as_str() {
            let value = HeaderValue::from_str(content_type).expect("a content type");
            headers.insert("content-type", value);
        }
        let method = case["method"].as_str().unwrap_or("POST");
        Self {
            method: Method::from_bytes(method.to_ascii_uppercase().as_bytes()).expect("a method"),
            url: case["url"]
                .as_str()
                .unwrap_or("https://a.example/")
                .to_owned(),
            headers,
            body: case["body"].as_str().unwrap_or_default().into(),
        }
    }

    pub(crate) fn with_url(mut self, url: String) -> Self {
        self.url = url;
        self
    }

    pub(crate) fn with_body(mut self, body: Vec<u8>, content_type: &'static str) -> Self {
        self.body = body;
        self.headers
            .insert("content-type", HeaderValue::from_static(content_type));
        self
    }

    pub(crate) fn request(&self) -> Result<WebhookRequest<'_>, WebhookError> {
        WebhookRequest::new(&self.method, &self.url, &self.headers, &self.body)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }
}

pub(crate) fn secret(case: &Value, key: &str) -> WebhookSecret {
    let text = case[key].as_str().unwrap_or_default();
    WebhookSecret::new(text).expect("a secret")
}

/// The time of reading that a case names, or else the time that its signature names.
pub(crate) fn now(case: &Value, signed: &str) -> Timestamp {
    let seconds = case["now"].as_i64().or_else(|| signed.parse().ok());
    Timestamp::from_millis(seconds.unwrap_or_default().saturating_mul(1000))
}

pub(crate) fn age(case: &Value, key: &str) -> Duration {
    Duration::from_secs(case[key].as_u64().unwrap_or(300))
}

pub(crate) fn verdict<T, E: std::error::Error>(case: &Value, found: Result<T, E>) -> Verdict {
    match (case["expect_valid"].as_bool(), found) {
        (Some(true), Ok(_)) | (Some(false), Err(_)) => Verdict::Agrees,
        (Some(true), Err(error)) => Verdict::Differs(format!("refused: {error}")),
        (Some(false), Ok(_)) => Verdict::Differs("accepted".to_owned()),
        (None, _) => Verdict::Unread("the case does not say whether it is valid".to_owned()),
    }
}

/// The events of an answer, each once, as replay memory leaves them.
pub(crate) fn events(answer: Answer) -> Vec<Event> {
    let Answer::Events(events) = answer else {
        return Vec::new();
    };
    let mut once: Vec<Event> = Vec::new();
    for event in events {
        if !once.iter().any(|seen| seen.replay() == event.replay()) {
            once.push(event);
        }
    }
    once
}

/// Runs a future that has nothing to wait for.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}
