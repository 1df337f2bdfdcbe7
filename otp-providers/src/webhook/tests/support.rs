//! A request that a test can bend, and a way to read it at once.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use otp_core::clock::Timestamp;

use super::super::{Answer, Event, Webhook, WebhookError, WebhookRequest, WebhookSecret};

pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

#[derive(Clone)]
pub(super) struct Sent {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Sent {
    pub(super) fn post(url: &str, headers: Vec<(&'static str, String)>, body: &[u8]) -> Self {
        Self {
            method: Method::POST,
            url: url.to_owned(),
            headers,
            body: body.to_vec(),
        }
    }

    pub(super) fn header(&mut self, name: &str) -> &mut String {
        let mut headers = self.headers.iter_mut();
        &mut headers
            .find(|(given, _)| *given == name)
            .expect("the header")
            .1
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(given, _)| *given != name);
        self
    }

    pub(super) fn read(
        &self,
        webhook: &dyn Webhook,
        now: Timestamp,
    ) -> Result<Answer, WebhookError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_static(name);
            headers.append(name, HeaderValue::from_str(value).expect("a value"));
        }
        let request = WebhookRequest::new(&self.method, &self.url, &headers, &self.body)?;
        at_once(webhook.read(&request, now))
    }

    pub(super) fn events(&self, webhook: &dyn Webhook) -> Vec<Event> {
        match self.read(webhook, NOW) {
            Ok(Answer::Events(events)) => events,
            other => panic!("no events: {other:?}"),
        }
    }
}

pub(super) fn secret(text: &str) -> WebhookSecret {
    WebhookSecret::new(text).expect("a secret")
}

/// Runs a future that has nothing to wait for.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}
