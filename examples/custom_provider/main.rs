//! A vendor of your own: one file, `acme.rs`, proven by the provider suite.
//!
//! ```text
//! cargo run --example custom_provider    # sends through a stand-in on this machine
//! cargo test --example custom_provider   # the suite: one test a promise
//! ```

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod acme;

use std::error::Error;

use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::provider::{Behaviour, Reply, Vendor};

use acme::Acme;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In a test the vendor is a stand-in on loopback; in production, `https://api.acme.example`.
    let vendor = Vendor::start(Behaviour::Answer(
        Reply::new(202).json(r#"{"id":"acme-1"}"#),
    ))
    .await?;
    let acme = Acme::builder("an-api-key")
        .base_url(vendor.base_url())
        .and_then(acme::AcmeBuilder::build)
        .map_err(|error| error.to_string())?;

    let verifier = Verifier::builder(MemoryStore::new(), KeyRing::generate(&OsRandom)?)
        .route(Channel::Sms, Route::primary(acme))
        .limits(Limits::recommended())
        .build()?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    let phone = PhoneNumber::parse("+14155550123")?;
    let issue = Issue::to(phone).for_purpose("login").from(&context);
    let issued = verifier.issue(issue).await?;
    println!("accepted; the code expires at {:?}", issued.expires_at);
    println!("Acme was asked {} time(s)", vendor.requests().len());
    Ok(())
}
