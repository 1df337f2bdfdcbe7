//! Two instances of a service, one Redis, one set of counters.
//!
//! ```text
//! REDIS_URL=redis://127.0.0.1:6379 cargo run --example redis_fleet
//! ```
//!
//! Each instance has a connection of its own, as two processes would. What one has sent, counted
//! or locked holds on the other at once. The story checks itself, and leaves nothing behind in
//! Redis but keys that lapse, under a prefix of its own.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::process;

use otp_kit::prelude::*;
use otp_kit::store::{RedisOptions, RedisStore};
use otp_kit::testing::Outbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let prefix = format!("fleet-{}", process::id());
    let options = || RedisOptions::new(&url).prefix(&prefix);
    // The key ring and the messages are shared too: the first by the host's configuration, the
    // second here only, so that the story can read what was sent.
    let keys = KeyRing::generate(&OsRandom)?;
    let outbox = Outbox::new();
    let instance = async || -> Result<Verifier, Box<dyn Error>> {
        let store = RedisStore::with_options(options()).await?;
        let verifier = Verifier::builder(store, keys.clone())
            .route(Channel::Sms, Route::primary(outbox.clone()))
            .limits(Limits::recommended())
            .build()?;
        Ok(verifier)
    };
    let (one, two) = (instance().await?, instance().await?);
    let context = RequestContext::from_address("203.0.113.7".parse()?);

    let phone = PhoneNumber::parse("+14155550123")?;
    let code = || {
        outbox
            .last_code_for(&phone.clone().into())
            .ok_or("nothing was sent")
    };
    let issue = || Issue::to(phone.clone()).for_purpose("login").from(&context);
    let issued = one.issue(issue()).await?;
    println!("instance one sent a code to {phone}");
    let code = code()?;
    let verified = two
        .verify(&issued.challenge_id, code.expose(), &context)
        .await?;
    println!("instance two accepted it for {}", verified.purpose());
    let again = one
        .verify(&issued.challenge_id, code.expose(), &context)
        .await;
    expect(matches!(again, Err(VerifyError::Rejected)), "it works once")?;
    println!("instance one refuses it from then on");

    let (mut sent, mut turn) = (1, [&two, &one].into_iter().cycle());
    let refused = loop {
        let Some(instance) = turn.next() else {
            break None;
        };
        match instance.issue(issue()).await {
            Ok(_) => sent += 1,
            Err(error) => break Some(error),
        }
        expect(sent < 100, "somebody counts")?;
    };
    expect(
        matches!(refused, Some(IssueError::Throttled(_))),
        "the limit is one for both",
    )?;
    println!("{sent} codes an hour for one number, however the instances take turns");
    Ok(())
}

fn expect(holds: bool, promise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(promise) }
}
