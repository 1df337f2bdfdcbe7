//! Signs people in by a link in an e-mail, on a router of the host's own.
//!
//! ```text
//! cargo run --example magic_link_axum
//! ```
//!
//! It plays the person, a mail scanner that opens the link first, and another browser that the link
//! is carried to, and ends with an error where an answer is not as it should be. No network, no
//! account.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod pages;
mod story;

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use otp_kit::delivery::LinkSettings;
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let outbox = Outbox::new();
    let verifier = Verifier::builder(MemoryStore::new(), KeyRing::generate(&OsRandom)?)
        .route(Channel::Email, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        // Links lead here and nowhere else, whatever `Host` a request names.
        .links(LinkSettings::at("https://id.example.com/auth/link")?)
        .build()?;
    let router = Router::new()
        .route("/sign-in", post(pages::start))
        .route("/auth/link", get(pages::show).post(pages::act))
        .with_state(Arc::new(verifier));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let played = story::play(&here, &outbox).await;
    server.abort();
    played
}
