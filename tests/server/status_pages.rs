//! What vendors' status pages say, on the operators' side of the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::twilio::{Answer, Twilio};
use crate::support::{PHONE, Reply, Server, body_of_request};

const TOKEN: &str = "token-of-mike-0123456789";
const PATIENCE: Duration = Duration::from_secs(60);

/// A page that says the same each time, and how often it was read.
struct Page {
    setting: String,
    read: Arc<AtomicUsize>,
}

impl Page {
    async fn saying(body: &'static str) -> Self {
        let read = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let setting = format!("twilio=http://{}", listener.local_addr().unwrap());
        let counted = Arc::clone(&read);
        let routes = Router::new().fallback(async move |uri: Uri| {
            assert_eq!(uri.path(), "/api/v2/status.json");
            counted.fetch_add(1, Ordering::SeqCst);
            body
        });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { setting, read }
    }
}

async fn asked(server: &Server, path: &str) -> Reply {
    let request = server.client.get(format!("http://{}{path}", server.admin));
    Reply::of(request.header("x-admin-token", TOKEN)).await
}

fn vendor_says(board: &Value) -> &Value {
    let routes = board["routes"].as_array().unwrap();
    let sms = routes.iter().find(|route| route["channel"] == "sms");
    &sms.unwrap()["providers"][0]["vendor_says"]
}

/// Asks again until the vendor was heard.
async fn heard(server: &Server) -> Value {
    let asked = async {
        loop {
            let board = asked(server, "/admin/otp/dashboard").await.json();
            if !vendor_says(&board).is_null() {
                return vendor_says(&board).clone();
            }
        }
    };
    let heard = tokio::time::timeout(PATIENCE, asked).await;
    heard.expect("the page is read when the server starts")
}

#[tokio::test]
async fn what_a_vendor_admits_is_shown_and_changes_nothing_of_what_is_sent() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let page = Page::saying(r#"{"status":{"indicator":"critical"}}"#).await;
    let more = [
        ("ADMIN_TOKEN", TOKEN),
        ("OTP_STATUS_PAGES", page.setting.as_str()),
    ];
    let server = Server::with(&[&twilio.settings()[..], &more].concat());
    assert_eq!(heard(&server).await, "critical");
    let metrics = asked(&server, "/metrics").await.body;
    for line in [
        r#"otp_vendor_state{channel="sms",provider="twilio",state="critical"} 1"#,
        r#"otp_vendor_state{channel="sms",provider="twilio",state="none"} 0"#,
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}");
    }
    let reply = server
        .post("/api/auth/otp/request", &body_of_request(PHONE))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(twilio.posted().len(), 1);
    let public = server.get("/otp/status").await.body;
    assert!(!public.contains("critical"), "{public}");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_tells_nothing() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let page = Page::saying("<html>").await;
    let more = [
        ("ADMIN_TOKEN", TOKEN),
        ("OTP_STATUS_PAGES", page.setting.as_str()),
    ];
    let server = Server::with(&[&twilio.settings()[..], &more].concat());
    let was_read = async {
        while page.read.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let read = tokio::time::timeout(PATIENCE, was_read).await;
    read.expect("the page is read");
    let board = asked(&server, "/admin/otp/dashboard").await.json();
    assert!(vendor_says(&board).is_null(), "{board}");
}

#[tokio::test]
async fn a_page_of_nobody_or_in_the_clear_stops_the_start() {
    let twilio = Twilio::start(Answer::Accepts).await;
    for pages in [
        "plivo=https://status.example.com",
        "twilio",
        "twilio=http://status.example.com",
        "twilio=status.example.com",
    ] {
        let more = [("OTP_STATUS_PAGES", pages)];
        let refusal = Server::refused(&[&twilio.settings()[..], &more].concat());
        assert_eq!(refusal.code, Some(2), "{pages}");
        let stderr = refusal.stderr.trim_end();
        assert!(stderr.starts_with("error: OTP_STATUS_PAGES: "), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}
