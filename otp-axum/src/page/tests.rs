//! The page as a browser meets it, without one.

mod deeds;
mod forgery;
mod looks;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, HOST, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use otp_core::clock::Timestamp;
use otp_core::event::OperatorName;
use otp_core::prelude::*;
use otp_core::testing::store::ReferenceStore;
use otp_core::testing::{ManualClock, Outbox};
use tower::ServiceExt as _;

use super::OperatorPage;
use crate::Edge;

const TOKEN: &str = "token-of-mike";
const PHONE: &str = "+14155550123";

/// A service with its page.
struct Desk {
    verifier: Verifier,
    clock: ManualClock,
    outbox: Outbox,
    routes: Router,
}

/// An answer, read whole.
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

/// A browser: what it was given it brings back.
struct Browser<'a> {
    desk: &'a Desk,
    cookies: Vec<(String, String)>,
    /// The hidden token of the forms of the page that it saw last.
    form: String,
}

fn desk() -> Desk {
    let clock = ManualClock::new(Timestamp::from_millis(1_700_000_000_000));
    let store = ReferenceStore::new(Arc::new(clock.clone()));
    let outbox = Outbox::new();
    let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .clock(clock.clone())
        .build()
        .unwrap();
    let whose = |token: &str| {
        let name = token.strip_prefix("token-of-")?;
        OperatorName::new(name).ok()
    };
    let page = OperatorPage::new(verifier.clone(), whose).clock(clock.clone());
    Desk {
        verifier,
        clock,
        outbox,
        routes: Edge::new().around(page.routes()),
    }
}

impl Desk {
    async fn ask(&self, request: Request<Body>) -> Reply {
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    fn browser(&self) -> Browser<'_> {
        Browser {
            desk: self,
            cookies: Vec::new(),
            form: String::new(),
        }
    }

    async fn signed_in(&self) -> Browser<'_> {
        let mut browser = self.browser();
        let reply = browser.post("/sign-in", &[("token", TOKEN)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
        assert_eq!(browser.get("").await.status, StatusCode::OK);
        browser
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn start(&self) -> Result<Issued, IssueError> {
        let phone = PhoneNumber::parse(PHONE).unwrap();
        let context = RequestContext::from_address("203.0.113.7".parse().unwrap());
        let issue = Issue::to(phone).for_purpose("login").from(&context);
        self.verifier.issue(issue).await
    }
}

fn path(rest: &str) -> String {
    format!("{}{rest}", OperatorPage::PATH)
}

fn written(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs = fields.iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    pairs.join("&")
}

impl Browser<'_> {
    fn request(&self, method: &str, rest: &str) -> axum::http::request::Builder {
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Request::builder()
            .method(method)
            .uri(path(rest))
            .header(HOST, "ops.example:9090")
            .header(ACCEPT, "text/html")
            .header(COOKIE, cookies.join("; "))
    }

    async fn send(&mut self, request: Request<Body>) -> Reply {
        let reply = self.desk.ask(request).await;
        for line in reply.headers.get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let (value, _) = rest.split_once(';').unwrap();
            self.cookies.retain(|(other, _)| other != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        if let Some(form) = reply.field("form") {
            self.form = form;
        }
        reply
    }

    async fn get(&mut self, rest: &str) -> Reply {
        let request = self.request("GET", rest).body(Body::empty()).unwrap();
        self.send(request).await
    }

    async fn post(&mut self, rest: &str, fields: &[(&str, &str)]) -> Reply {
        let mut fields = fields.to_vec();
        let form = self.form.clone();
        if !form.is_empty() {
            fields.push(("form", &form));
        }
        self.post_from(rest, &fields, "https://ops.example:9090")
            .await
    }

    async fn post_from(&mut self, rest: &str, fields: &[(&str, &str)], origin: &str) -> Reply {
        let request = self.request("POST", rest).header(ORIGIN, origin);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(written(fields).into()).unwrap())
            .await
    }

    /// Tries something, confirms it, and gives what the page says then.
    async fn does(&mut self, fields: &[(&str, &str)]) -> String {
        let tried = self.post("/check", fields).await;
        assert_eq!(tried.status, StatusCode::OK, "{}", tried.body);
        let ticket = tried.field("ticket").unwrap();
        let done = self
            .post("/apply", &[("ticket", &ticket), ("reason", "incident 123")])
            .await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let to = done.headers["location"].to_str().unwrap().to_owned();
        let shown = self.get(to.strip_prefix(OperatorPage::PATH).unwrap()).await;
        shown.notice().expect(&shown.body)
    }
}

impl Reply {
    /// Gives the value of the first hidden field of a name.
    fn field(&self, name: &str) -> Option<String> {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\""))?;
        let (value, _) = rest.split_once('"')?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn notice(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("id=\"notice\">")?;
        let (_, rest) = rest.split_once("<p>")?;
        Some(rest.split_once("</p>")?.0.to_owned())
    }
}
