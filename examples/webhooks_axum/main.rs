//! Takes vendors' delivery webhooks on a router of the host's own.
//!
//! ```text
//! cargo run --example webhooks_axum
//! ```
//!
//! It sends itself a report that Twilio signed, the same one again, and a forged one, and ends with
//! an error where the answers are not as they should be. No network, no account.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, routing::post};
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::providers::webhook::{
    Answer, Event, PublicUrl, TwilioWebhook, Webhook, WebhookError, WebhookRequest, WebhookSecret,
};
use otp_kit::store::{MemoryStore, Seen, SeenStore};

/// What Twilio sends, and its signature with the auth token below: `openssl dgst -sha1 -hmac` over
/// the public URL and the fields in the order of their names.
const REPORT: &str = "AccountSid=AC00000000000000000000000000000001\
    &MessageSid=SM00000000000000000000000000000001&MessageStatus=delivered";
const SIGNATURE: &str = "8tI7rzDZdsUyvMKUNqtAsDg6w3g=";

struct Hooks {
    public: PublicUrl,
    twilio: TwilioWebhook,
    seen: MemoryStore,
}

async fn twilio(
    State(hooks): State<Arc<Hooks>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // The URL that Twilio was given, never one made of `Host`, which the sender chooses.
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(url) = hooks.public.of(path) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let read = async {
        let request = WebhookRequest::new(&method, &url, &headers, &body)?;
        hooks.twilio.read(&request, SystemClock.now()).await
    };
    match read.await {
        Ok(Answer::Events(events)) => note(&hooks, events).await.into_response(),
        Ok(Answer::Echo(text)) => text.into_response(),
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => refused(error).into_response(),
    }
}

/// Notes each event once. Where the store is away Twilio is to come again.
async fn note(hooks: &Hooks, events: Vec<Event>) -> StatusCode {
    for event in events {
        let replay = event.replay();
        match hooks.seen.first_seen(replay.as_str(), replay.life()).await {
            Ok(Seen::First) => println!("  noted: {}", event.word()),
            Ok(Seen::Again) => println!("  seen before: {}", event.word()),
            Err(_away) => return StatusCode::SERVICE_UNAVAILABLE,
        }
    }
    StatusCode::OK
}

fn refused(error: WebhookError) -> StatusCode {
    println!("  refused: {error}");
    error.status()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hooks = Arc::new(Hooks {
        public: PublicUrl::parse("https://hooks.example.com")?,
        twilio: TwilioWebhook::new(WebhookSecret::new("the-auth-token")?),
        seen: MemoryStore::new(),
    });
    let router = Router::new()
        .route("/webhooks/twilio", post(twilio))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .with_state(hooks);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}/webhooks/twilio", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    // The first to decide which TLS a process uses wins; this process needs none.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().build()?;
    let forged = REPORT.replace("delivered", "failed");
    for (who, body, expected) in [
        ("signed by twilio", REPORT, StatusCode::OK),
        ("the same again", REPORT, StatusCode::OK),
        ("forged", &forged, StatusCode::UNAUTHORIZED),
    ] {
        let request = client.post(&here).header("x-twilio-signature", SIGNATURE);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(body.to_owned()).send().await?.status();
        println!("{who}: {answer}");
        if answer != expected {
            return Err(format!("{who}: {answer} instead of {expected}").into());
        }
    }
    server.abort();
    Ok(())
}
