//! A store of your own, around one that exists: `counting.rs` counts the round trips of each
//! operation, and passes the same suite as every engine.
//!
//! ```text
//! cargo run --example custom_store    # how many round trips an issue and a verify take
//! cargo test --example custom_store   # the suite: one test a promise, races included
//! ```
//!
//! A store from nothing is `otp_kit::testing::store::ReferenceStore`: one lock over plain maps,
//! every decision taken from the library's pure parts. Start there for an engine of your own.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod counting;
#[cfg(test)]
mod proof;

use std::error::Error;

use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;

use counting::Counting;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Counting::around(MemoryStore::new());
    let outbox = Outbox::new();
    let verifier = Verifier::builder(store.clone(), KeyRing::generate(&OsRandom)?)
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .build()?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    let phone = PhoneNumber::parse("+14155550123")?;

    let issue = Issue::to(phone.clone()).for_purpose("login").from(&context);
    let issued = verifier.issue(issue).await?;
    println!("issue:  {}", store.take_calls().join(", "));

    let code = outbox.last_code_for(&phone.into()).ok_or("no message")?;
    let verified = verifier
        .verify(&issued.challenge_id, code.expose(), &context)
        .await?;
    println!("verify: {}", store.take_calls().join(", "));
    println!("signed in: {}", verified.destination());
    Ok(())
}
