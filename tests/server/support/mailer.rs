use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

type Taken = Arc<Mutex<Vec<Value>>>;

/// A `SendGrid` on loopback that answers everything with one status.
pub(crate) struct Mailer {
    base: String,
    taken: Taken,
}

impl Mailer {
    pub(crate) async fn answering(status: u16) -> Self {
        let taken = Taken::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        let take = async move |State(taken): State<Taken>, body: String| {
            let mail = serde_json::from_str(&body).unwrap();
            taken.lock().unwrap().push(mail);
            status
        };
        let routes = Router::new().route("/v3/mail/send", post(take));
        let routes = routes.with_state(Arc::clone(&taken));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, taken }
    }

    pub(crate) fn settings(&self) -> [(&str, &str); 4] {
        [
            ("DEV_MODE", "false"),
            ("SENDGRID_API_KEY", "SG.the-key-of-sendgrid"),
            ("SENDGRID_FROM", "no-reply@example.org"),
            ("SENDGRID_BASE_URL", &self.base),
        ]
    }

    pub(crate) fn mails(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }
}
