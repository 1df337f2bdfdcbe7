use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;
use tokio::net::TcpListener;

/// What the stand-in says to a check.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Checks {
    /// Right from wrong.
    Works,
    /// As if the verification's time were over.
    Gone,
    Fails,
}

/// A Twilio Verify on loopback; each start is a verification of its own, and all have one code.
pub(crate) struct Verify {
    pub(crate) base: String,
    desk: Desk,
}

#[derive(Clone)]
struct Desk(Arc<Mutex<Inside>>);

struct Inside {
    checks: Checks,
    starts: u32,
    posted: Vec<(String, Vec<(String, String)>)>,
}

pub(crate) const CODE: &str = "904173";
const SERVICE: &str = "VA00000000000000000000000000000002";

impl Verify {
    pub(crate) async fn start() -> Self {
        let desk = Desk(Arc::new(Mutex::new(Inside {
            checks: Checks::Works,
            starts: 0,
            posted: Vec::new(),
        })));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().fallback(any(take)).with_state(desk.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, desk }
    }

    pub(crate) fn set(&self, checks: Checks) {
        self.desk.0.lock().unwrap().checks = checks;
    }

    /// Lists what it was asked, by the end of the path, with the number or the code.
    pub(crate) fn asked(&self, resource: &str, field: &str) -> Vec<String> {
        let inside = self.desk.0.lock().unwrap();
        let posted = inside.posted.iter();
        let of_resource = posted.filter(|(path, _)| path.ends_with(resource));
        of_resource
            .map(|(_, form)| value(form, field).to_owned())
            .collect()
    }

    /// What a server needs to send through it.
    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("DEV_MODE", "false"),
            ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
            ("TWILIO_AUTH_TOKEN", "the-auth-token"),
            ("TWILIO_VERIFY_SERVICE_SID", SERVICE),
            ("TWILIO_VERIFY_BASE_URL", &self.base),
        ]
    }
}

async fn take(State(desk): State<Desk>, uri: Uri, body: String) -> Response {
    let url = reqwest::Url::parse(&format!("http://form/?{body}")).unwrap();
    let form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let path = uri.path().to_owned();
    let mut inside = desk.0.lock().unwrap();
    inside.posted.push((path.clone(), form.clone()));
    let to = value(&form, "To");
    let about = |sid: &str, status: &str| {
        axum::Json(json!({
            "sid": sid,
            "service_sid": SERVICE,
            "to": to,
            "status": status,
            "valid": status == "approved",
            "send_code_attempts": [{ "channel": "SMS" }],
        }))
    };
    if path.ends_with("/Verifications") {
        inside.starts += 1;
        let sid = format!("VE{:032}", inside.starts);
        return (StatusCode::CREATED, about(&sid, "pending")).into_response();
    }
    if !path.ends_with("/VerificationCheck") {
        return (StatusCode::OK, about("VE1", "canceled")).into_response();
    }
    let sid = value(&form, "VerificationSid");
    match inside.checks {
        Checks::Works if value(&form, "Code") == CODE => about(sid, "approved").into_response(),
        Checks::Works => about(sid, "pending").into_response(),
        Checks::Gone => {
            let body = json!({ "code": 20404, "message": "canary-of-the-vendor" });
            (StatusCode::NOT_FOUND, axum::Json(body)).into_response()
        }
        Checks::Fails => (StatusCode::SERVICE_UNAVAILABLE, "canary-of-the-vendor").into_response(),
    }
}

fn value<'f>(form: &'f [(String, String)], field: &str) -> &'f str {
    let found = form.iter().find(|(name, _)| name == field);
    found.map(|(_, value)| value.as_str()).unwrap_or_default()
}
