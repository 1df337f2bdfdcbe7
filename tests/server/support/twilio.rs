use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What the stand-in answers.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Accepts,
    Fails(u16, &'static str),
    /// Accepts once the test lets it.
    Held,
    /// Takes the request and says nothing.
    Hangs,
}

/// A request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) form: Vec<(String, String)>,
}

/// A Twilio on loopback.
pub(crate) struct Twilio {
    pub(crate) base: String,
    desk: Desk,
}

#[derive(Clone)]
struct Desk {
    answer: Arc<Mutex<Answer>>,
    posted: Arc<Mutex<Vec<Posted>>>,
    reached: Arc<Notify>,
    released: Arc<Notify>,
}

impl Twilio {
    pub(crate) async fn start(answer: Answer) -> Self {
        let desk = Desk {
            answer: Arc::new(Mutex::new(answer)),
            posted: Arc::default(),
            reached: Arc::default(),
            released: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(any(take)).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, desk }
    }

    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.desk.posted.lock().unwrap().clone()
    }

    /// Answers otherwise from now on.
    pub(crate) fn answers(&self, answer: Answer) {
        *self.desk.answer.lock().unwrap() = answer;
    }

    /// Waits until a request came in.
    pub(crate) async fn reached(&self) {
        self.desk.reached.notified().await;
    }

    /// Lets a held request be answered.
    pub(crate) fn release(&self) {
        self.desk.released.notify_one();
    }

    /// What a server needs to send through it.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("DEV_MODE", "false"),
            ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
            ("TWILIO_AUTH_TOKEN", "first-token-of-two, second-token"),
            ("TWILIO_FROM", "+15005550006"),
            ("TWILIO_BASE_URL", &self.base),
        ]
    }
}

impl Posted {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let found = self.form.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The six digits of the message.
    pub(crate) fn code(&self) -> String {
        let body = self.field("Body").unwrap();
        let digits = |c: char| !c.is_ascii_digit();
        let code = body.split(digits).find(|run| run.len() == 6);
        code.unwrap_or_else(|| panic!("no code in {body:?}"))
            .to_owned()
    }
}

async fn take(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let posted = Posted {
        path: uri.path().to_owned(),
        authorization: headers["authorization"].to_str().unwrap().to_owned(),
        form: form(&body),
    };
    let to = posted.field("To").unwrap_or_default().to_owned();
    desk.posted.lock().unwrap().push(posted);
    desk.reached.notify_one();
    let answer = *desk.answer.lock().unwrap();
    match answer {
        Answer::Accepts | Answer::Held => {
            if matches!(answer, Answer::Held) {
                desk.released.notified().await;
            }
            let sid = "SM00000000000000000000000000000009";
            let body = json!({ "sid": sid, "to": to, "status": "queued", "error_code": null });
            (StatusCode::CREATED, axum::Json(body)).into_response()
        }
        Answer::Fails(status, body) => {
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Answer::Hangs => std::future::pending().await,
    }
}

fn form(body: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://form/?{body}")).unwrap();
    url.query_pairs().into_owned().collect()
}
