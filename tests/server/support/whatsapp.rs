use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The code of an error of Meta's, `None` where it accepts; what breaks off says nothing more.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Accepts,
    Refuses(u32),
    Breaks,
}

/// A `WhatsApp` Cloud API on loopback.
pub(crate) struct WhatsApp {
    base: String,
    desk: Arc<Desk>,
}

struct Desk {
    answer: Mutex<Answer>,
    taken: Mutex<Vec<Value>>,
}

impl WhatsApp {
    pub(crate) async fn start(answer: Answer) -> Self {
        let desk = Arc::new(Desk {
            answer: Mutex::new(answer),
            taken: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/v23.0/106540352242922/messages", post(take))
            .with_state(Arc::clone(&desk));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, desk }
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.desk.answer.lock().unwrap() = answer;
    }

    /// What a server needs to send through it, with a template that Meta has approved.
    pub(crate) fn settings(&self) -> [(&str, &str); 8] {
        [
            ("DEV_MODE", "false"),
            ("WHATSAPP_TOKEN", "the-token-of-meta"),
            ("WHATSAPP_PHONE_NUMBER_ID", "106540352242922"),
            ("WHATSAPP_TEMPLATE", "sign_in_code"),
            ("WHATSAPP_APP_SECRET", "the-app-secret"),
            ("WHATSAPP_VERIFY_TOKEN", "the-verify-token"),
            ("OTP_WHATSAPP_TEMPLATE_APPROVED", "1"),
            ("WHATSAPP_BASE_URL", &self.base),
        ]
    }

    /// The code of every message.
    pub(crate) fn codes(&self) -> Vec<String> {
        let taken = self.desk.taken.lock().unwrap();
        let code = |body: &Value| {
            let parameter = &body["template"]["components"][0]["parameters"][0];
            parameter["text"].as_str().unwrap().to_owned()
        };
        taken.iter().map(code).collect()
    }
}

async fn take(State(desk): State<Arc<Desk>>, body: String) -> Response {
    let message: Value = serde_json::from_str(&body).unwrap();
    let to = message["to"].clone();
    desk.taken.lock().unwrap().push(message);
    let answer = *desk.answer.lock().unwrap();
    match answer {
        Answer::Accepts => axum::Json(json!({
            "messaging_product": "whatsapp",
            "contacts": [{ "input": to, "wa_id": to }],
            "messages": [{ "id": "wamid.HBgLMTQxNTU1NTAxMjM=", "message_status": "accepted" }],
        }))
        .into_response(),
        Answer::Refuses(code) => {
            let error =
                json!({ "error": { "message": "(#n)", "type": "OAuthException", "code": code } });
            (StatusCode::BAD_REQUEST, axum::Json(error)).into_response()
        }
        Answer::Breaks => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
