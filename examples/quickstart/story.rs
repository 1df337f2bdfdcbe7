//! The whole story: every step says what happened, and must be as it should be.

use std::error::Error;

use otp_kit::prelude::*;
use otp_kit::verifier::ResendError;

use crate::terminal::TerminalOutbox;

/// Who types the code.
pub(crate) enum Typist {
    /// Whoever sits at the terminal.
    Person,
    /// Nobody: it is taken from the message.
    Story(TerminalOutbox),
}

/// Plays it from the first message to the refused second use.
pub(crate) async fn play(
    verifier: &Verifier,
    typed: &str,
    context: &RequestContext,
    typist: &Typist,
) -> Result<(), Box<dyn Error>> {
    let destination = Destination::parse(typed, None)?;
    println!("1. A code for {destination}:");
    let issue = Issue::to(destination).for_purpose("login").from(context);
    let issued = verifier.issue(issue).await?;

    println!("2. A resend at once:");
    match verifier.resend(&issued.challenge_id, context).await {
        Err(ResendError::TooEarly(wait)) => {
            let seconds = wait.retry_after().as_secs_f64().ceil();
            println!("   too early, in {seconds} seconds");
        }
        other => return Err(format!("a resend at once answered {other:?}").into()),
    }

    println!("3. A code that is not the one:");
    expect_refused(verifier, &issued, "no-code-at-all", context).await?;

    println!("4. The code that arrived, mistyped once on purpose and then right:");
    let code = sign_in(verifier, &issued, context, typist).await?;

    println!("5. The same code once more:");
    expect_refused(verifier, &issued, &code, context).await?;

    println!("All as it should be.");
    Ok(())
}

/// Tries codes until one is right, and gives that one back.
async fn sign_in(
    verifier: &Verifier,
    issued: &Issued,
    context: &RequestContext,
    typist: &Typist,
) -> Result<String, Box<dyn Error>> {
    if let Typist::Story(outbox) = typist {
        let right = outbox.take_code().ok_or("no message arrived")?;
        expect_refused(verifier, issued, &wrong(&right), context).await?;
        let verified = verifier
            .verify(&issued.challenge_id, &right, context)
            .await?;
        greet(&verified);
        return Ok(right);
    }
    loop {
        let code = crate::ask("   Code: ")?;
        match verifier.verify(&issued.challenge_id, &code, context).await {
            Ok(verified) => {
                greet(&verified);
                return Ok(code);
            }
            Err(VerifyError::Rejected) => println!("   refused: {}", VerifyError::Rejected),
            Err(error) => return Err(error.into()),
        }
    }
}

fn greet(verified: &Verified) {
    let (destination, purpose) = (verified.destination(), verified.purpose());
    println!("   signed in: {destination} is proven, for {purpose}");
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
