//! The whole story without a person: every step says what happened and must be as it should be.

use std::error::Error;

use otp_kit::prelude::*;
use otp_kit::verifier::ResendError;

use crate::terminal::TerminalOutbox;

/// Plays it from the first message to the refused second use.
pub(crate) async fn play(
    verifier: &Verifier,
    outbox: &TerminalOutbox,
    typed: &str,
    context: &RequestContext,
) -> Result<(), Box<dyn Error>> {
    let destination = Destination::parse(typed, None)?;
    println!("1. A code for {destination}:");
    let issue = Issue::to(destination).for_purpose("login").from(context);
    let issued = verifier.issue(issue).await?;
    let code = outbox.take_code().ok_or("no message arrived")?;

    println!("2. A resend at once:");
    match verifier.resend(&issued.challenge_id, context).await {
        Err(ResendError::TooEarly(wait)) => {
            println!("   too early, in {} seconds", wait.retry_after().as_secs());
        }
        other => return Err(format!("a resend at once answered {other:?}").into()),
    }

    println!("3. A wrong code:");
    expect_refused(verifier, &issued, &wrong(&code), context).await?;

    println!("4. The right code:");
    let verified = verifier
        .verify(&issued.challenge_id, &code, context)
        .await?;
    println!(
        "   signed in: {} is proven, for {}",
        verified.destination(),
        verified.purpose()
    );

    println!("5. The right code once more:");
    expect_refused(verifier, &issued, &code, context).await?;

    println!("All as it should be.");
    Ok(())
}

async fn expect_refused(
    verifier: &Verifier,
    issued: &Issued,
    code: &str,
    context: &RequestContext,
) -> Result<(), Box<dyn Error>> {
    match verifier.verify(&issued.challenge_id, code, context).await {
        Err(VerifyError::Rejected) => {
            println!("   refused: {}", VerifyError::Rejected);
            Ok(())
        }
        other => Err(format!("expected a refusal, got {other:?}").into()),
    }
}

/// Changes the first digit.
fn wrong(code: &str) -> String {
    let first = if code.starts_with('0') { "1" } else { "0" };
    let rest = code.get(1..).unwrap_or_default();
    format!("{first}{rest}")
}
