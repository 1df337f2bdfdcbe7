//! Vendors of messages that are none: a primary that works, fails or hangs, and a backup that works.

use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::any;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Where the primary is looked for, and the backup.
pub(crate) const TWILIO: &str = "127.0.0.1:9601";
pub(crate) const PLIVO: &str = "127.0.0.1:9602";

/// What the primary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primary {
    Works,
    /// It answers 503.
    Fails,
    /// It takes the request and answers nothing.
    Hangs,
}

impl Primary {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "works" => Some(Self::Works),
            "fails" => Some(Self::Fails),
            "hangs" => Some(Self::Hangs),
            _ => None,
        }
    }
}

/// The codes that were sent, by number, each until it is taken; and how often each vendor was asked.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    codes: HashMap<String, String>,
    asked: [usize; 2],
}

impl Inbox {
    fn kept<T>(&self, with: impl FnOnce(&mut Kept) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the code that a number was sent.
    pub(crate) fn take(&self, phone: &str) -> Option<String> {
        self.kept(|kept| kept.codes.remove(digits(phone)))
    }

    /// Says how often the primary was asked, and the backup.
    pub(crate) fn asked(&self) -> [usize; 2] {
        self.kept(|kept| kept.asked)
    }

    fn put(&self, phone: &str, text: &str) {
        let mut runs = text.split(|it: char| !it.is_ascii_digit());
        if let Some(code) = runs.find(|run| run.len() == 6) {
            let (phone, code) = (digits(phone).to_owned(), code.to_owned());
            self.kept(|kept| kept.codes.insert(phone, code));
        }
    }

    fn count(&self, vendor: usize) {
        let count = |kept: &mut Kept| {
            kept.asked
                .get_mut(vendor)
                .map(|count| *count = count.saturating_add(1))
        };
        self.kept(count);
    }
}

fn digits(phone: &str) -> &str {
    phone.trim_start_matches('+')
}

/// Opens both.
pub(crate) async fn open(primary: Primary) -> io::Result<Arc<Inbox>> {
    let inbox = Arc::new(Inbox::default());
    let twilio = any(twilio).with_state((primary, Arc::clone(&inbox)));
    let plivo = any(plivo).with_state(Arc::clone(&inbox));
    for (address, route) in [(TWILIO, twilio), (PLIVO, plivo)] {
        let listener = TcpListener::bind(address).await?;
        let routes = Router::new().fallback_service(route);
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    Ok(inbox)
}

async fn twilio(
    State((primary, inbox)): State<(Primary, Arc<Inbox>)>,
    body: String,
) -> (StatusCode, Json<Value>) {
    inbox.count(0);
    match primary {
        Primary::Works => {}
        Primary::Fails => {
            let body = json!({ "code": 20503, "message": "unavailable", "status": 503 });
            return (StatusCode::SERVICE_UNAVAILABLE, Json(body));
        }
        Primary::Hangs => pending().await,
    }
    let field = |name: &str| {
        let mut fields = url::form_urlencoded::parse(body.as_bytes());
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let (to, text) = (field("To"), field("Body"));
    inbox.put(&to.unwrap_or_default(), &text.unwrap_or_default());
    let accepted = json!({
        "sid": "SM00000000000000000000000000000001",
        "status": "queued",
        "error_code": null,
    });
    (StatusCode::CREATED, Json(accepted))
}

async fn plivo(
    State(inbox): State<Arc<Inbox>>,
    Json(message): Json<Value>,
) -> (StatusCode, Json<Value>) {
    inbox.count(1);
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or("");
    inbox.put(text("dst"), text("text"));
    let accepted = json!({
        "api_id": "948b53a2-3f08-11e7-b6f4-061564b78b75",
        "message": "message(s) queued",
        "message_uuid": ["5b40a428-bfc7-4daf-9d06-726c558bf3b8"],
    });
    (StatusCode::ACCEPTED, Json(accepted))
}

#[cfg(test)]
mod tests {
    use super::Inbox;

    #[test]
    fn a_code_is_found_by_its_number_once() {
        let inbox = Inbox::default();
        inbox.put("14155550123", "Your code is 482913. It ends in 5 minutes.");
        assert_eq!(inbox.take("+14155550123"), Some("482913".to_owned()));
        assert_eq!(inbox.take("+14155550123"), None);
    }
}
