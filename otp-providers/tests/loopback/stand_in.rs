//! A vendor on a full web framework, which reads requests as strictly as a real one.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use otp_core::challenge::{Code, CodeFormat};
use otp_core::delivery::{DeliveryError, DeliveryProvider, Message, MessageId, Receipt};
use otp_core::destination::{Channel, EmailAddress, PhoneNumber};

pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) struct StandIn {
    pub(crate) base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl StandIn {
    pub(crate) fn only_request(&self) -> Seen {
        let mut seen = self.seen.lock().expect("no panic while it was held");
        assert_eq!(seen.len(), 1, "one message is one request");
        seen.remove(0)
    }
}

pub(crate) async fn start(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> StandIn {
    let status = StatusCode::from_u16(status).expect("a status");
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .collect();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let app = Router::new().fallback(move |request: Request| {
        let (keep, headers) = (Arc::clone(&keep), headers.clone());
        async move {
            let request = read(request).await;
            keep.lock()
                .expect("no panic while it was held")
                .push(request);
            let reply: Response = (status, headers, body).into_response();
            reply
        }
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let base_url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, app).await });
    StandIn { base_url, seen }
}

async fn read(request: Request) -> Seen {
    let line = format!("{} {}", request.method(), request.uri());
    let headers = request.headers().clone();
    let body = to_bytes(request.into_body(), 65_536)
        .await
        .expect("a small body");
    Seen {
        line,
        headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    }
}

fn message(channel: Channel, to: otp_core::destination::Destination) -> Message {
    let code = Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits");
    let text = "904173 is your code.".to_owned();
    Message::builder(MessageId::new("challenge-1"), channel, to, text, code)
        .subject("Your code")
        .html("<p>904173</p>".to_owned())
        .expires_in(Duration::from_secs(120))
        .build()
}

pub(crate) async fn deliver_sms(provider: &dyn DeliveryProvider) -> Result<Receipt, DeliveryError> {
    let to = PhoneNumber::parse("+14155550123").expect("a number");
    provider.deliver(&message(Channel::Sms, to.into())).await
}

pub(crate) async fn deliver_mail(
    provider: &dyn DeliveryProvider,
) -> Result<Receipt, DeliveryError> {
    let to = EmailAddress::parse("someone@example.org").expect("an address");
    provider.deliver(&message(Channel::Email, to.into())).await
}
