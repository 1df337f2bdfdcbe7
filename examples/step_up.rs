//! Lets a session look around, and asks for an authenticator before it moves money.
//!
//! ```text
//! cargo run --example step_up
//! ```
//!
//! It plays both sides, and fails where a step is not as it should be.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::time::Duration;

use otp_kit::factor::{OtpAccount, Totp};
use otp_kit::policy::{Assurance, FactorRules};
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;
use otp_kit::verifier::{Enrolment, Proven, StepUp, StepUpError};

const PERIOD: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let outbox = Outbox::new();
    // What needs a second factor is policy, not code: here, whatever is asked for as `mfa`.
    let rules = FactorRules::recommended().requiring(Purpose::MFA, Assurance::RestrictedPair);
    let verifier = Verifier::builder(MemoryStore::new(), KeyRing::generate(&OsRandom)?)
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .factors(rules)
        .build()?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    let ann = SubjectId::new("ann")?;
    let phone = PhoneNumber::parse("+14155550123")?;

    println!("1. Ann signs in by a text message.");
    let issue = Issue::to(phone.clone())
        .for_purpose("login")
        .for_subject(ann.clone())
        .from(&context);
    let issued = verifier.issue(issue).await?;
    let code = outbox
        .last_code_for(&phone.into())
        .ok_or("no message arrived")?;
    let verified = verifier.verify(&issued.challenge_id, code.expose(), &context);
    let proven = Proven::by_code(&verified.await?, &ann);
    println!("   she has proven: {}", proven.assurance().name());
    let app = enrolled(&verifier, &ann, &proven, &context).await?;

    println!("2. Looking at her account is allowed.");
    verifier.step_up(&Purpose::LOGIN, &proven).await?;

    println!("3. Sending money asks for more:");
    let asked = needed(&verifier, &proven).await?;
    let offers: Vec<&str> = asked.offers.iter().map(|offer| offer.name()).collect();
    println!("   {}, by {}", asked.required.name(), offers.join(" or "));

    println!("4. She shows the code of her authenticator:");
    let code = app.code(verifier.clock().now().saturating_add(PERIOD));
    let shown = verifier.verify_totp(&ann, code.expose(), &context).await?;
    let stronger = proven.and(&shown)?;
    verifier.step_up(&Purpose::MFA, &stronger).await?;
    println!(
        "   allowed, for some minutes: {}",
        stronger.assurance().name()
    );
    println!("All as it should be.");
    Ok(())
}

/// Says what more is asked for before money moves.
async fn needed(verifier: &Verifier, proven: &Proven) -> Result<StepUp, Box<dyn Error>> {
    match verifier.step_up(&Purpose::MFA, proven).await {
        Err(StepUpError::Needed(asked)) => Ok(asked),
        Err(error) => Err(error.into()),
        Ok(()) => Err("a text message is no second factor".into()),
    }
}

/// Gives her an authenticator; `totp_enrolment` shows this part.
async fn enrolled(
    verifier: &Verifier,
    ann: &SubjectId,
    proven: &Proven,
    context: &RequestContext,
) -> Result<Totp, Box<dyn Error>> {
    let enrolment = Enrolment::totp(OtpAccount::new("Acme Co", "ann@example.com")?);
    let pending = verifier.enrol_factor(enrolment, proven, context).await?;
    let app = pending
        .uri()
        .as_totp()
        .ok_or("it does not go by the time")?;
    let code = app.code(verifier.clock().now());
    let first = verifier.confirm_factor(ann, pending.id(), code.expose(), context);
    drop(first.await?);
    Ok(app)
}
