use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Taken = Arc<Mutex<Vec<Value>>>;

/// A Plivo on loopback that accepts whatever it is given with the first of two tokens.
pub(crate) struct Plivo {
    base: String,
    taken: Taken,
}

impl Plivo {
    pub(crate) async fn start() -> Self {
        let taken = Taken::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .fallback(any(take))
            .with_state(Arc::clone(&taken));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, taken }
    }

    pub(crate) fn settings(&self) -> [(&str, &str); 4] {
        [
            ("PLIVO_AUTH_ID", "MA00000000000000000A"),
            ("PLIVO_AUTH_TOKEN", "the-token-of-plivo, the-next-one"),
            ("PLIVO_FROM", "+15005550007"),
            ("PLIVO_BASE_URL", &self.base),
        ]
    }

    /// The six digits of every message, with the number that it went to.
    pub(crate) fn codes(&self) -> Vec<(String, String)> {
        let taken = self.taken.lock().unwrap();
        let read = |message: &Value| {
            let text = message["text"].as_str().unwrap();
            let mut runs = text.split(|c: char| !c.is_ascii_digit());
            let code = runs.find(|run| run.len() == 6).unwrap().to_owned();
            (message["dst"].as_str().unwrap().to_owned(), code)
        };
        taken.iter().map(read).collect()
    }
}

async fn take(
    State(taken): State<Taken>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, axum::Json<Value>) {
    let credentials = STANDARD.encode("MA00000000000000000A:the-token-of-plivo");
    if headers[AUTHORIZATION] != format!("Basic {credentials}") {
        return (StatusCode::UNAUTHORIZED, axum::Json(json!({})));
    }
    taken
        .lock()
        .unwrap()
        .push(serde_json::from_str(&body).unwrap());
    let accepted = json!({
        "api_id": "948b53a2-3f08-11e7-b6f4-061564b78b75",
        "message": "message(s) queued",
        "message_uuid": ["5b40a428-bfc7-4daf-9d06-726c558bf3b8"],
    });
    (StatusCode::ACCEPTED, axum::Json(accepted))
}
