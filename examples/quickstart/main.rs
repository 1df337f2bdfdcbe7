//! Signs a person in, on this machine alone: a SQLite file for the store, the terminal for the
//! network.
//!
//! ```text
//! cargo run --example quickstart                  # asks for a phone number or e-mail address
//! cargo run --example quickstart -- +14155550123  # takes it as an argument
//! ```
//!
//! Without a terminal on standard input it plays the whole story by itself, and fails where a
//! step is not as it should be.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

mod story;
mod terminal;

use std::error::Error;
use std::io::{IsTerminal as _, Write as _};

use otp_kit::prelude::*;
use otp_kit::store::SqliteStore;
use otp_kit::verifier::ResendError;

use terminal::TerminalOutbox;

/// What a service needs: ten lines.
async fn service(outbox: TerminalOutbox) -> Result<Verifier, Box<dyn Error>> {
    let folder = tempfile::tempdir()?.keep();
    let store = SqliteStore::open(folder.join("quickstart.db")).await?;
    let keys = KeyRing::generate(&OsRandom)?;
    let verifier = Verifier::builder(store, keys)
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .route(Channel::Email, Route::primary(outbox))
        .limits(Limits::recommended())
        .build()?;
    Ok(verifier)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let outbox = TerminalOutbox::default();
    let verifier = service(outbox.clone()).await?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    let argument = std::env::args().nth(1);
    if std::io::stdin().is_terminal() {
        let typed = match argument {
            Some(typed) => typed,
            None => ask("Phone number (+14155550123) or e-mail address: ")?,
        };
        sign_in(&verifier, &typed, &context).await
    } else {
        let typed = argument.unwrap_or_else(|| "+14155550123".to_owned());
        story::play(&verifier, &outbox, &typed, &context).await
    }
}

/// Signs whoever sits at the terminal in.
async fn sign_in(
    verifier: &Verifier,
    typed: &str,
    context: &RequestContext,
) -> Result<(), Box<dyn Error>> {
    let destination = Destination::parse(typed, None)?;
    let issued = verifier
        .issue(Issue::to(destination).for_purpose("login").from(context))
        .await?;
    println!("A code is on its way. Type it, or `again` for another one.");
    loop {
        let code = ask("Code: ")?;
        if code == "again" {
            match verifier.resend(&issued.challenge_id, context).await {
                Ok(_) => println!("Another one is on its way; the first no longer works."),
                Err(ResendError::TooEarly(wait)) => {
                    println!("Too early: in {} seconds.", wait.retry_after().as_secs());
                }
                Err(error) => println!("Not sent: {error}."),
            }
            continue;
        }
        match verifier.verify(&issued.challenge_id, &code, context).await {
            Ok(verified) => {
                println!("Signed in: {} is yours.", verified.destination());
                break;
            }
            Err(VerifyError::Rejected) => println!("Invalid code."),
            Err(error) => return Err(error.into()),
        }
    }
    let code = ask("Type it once more, to see what a second use answers: ")?;
    match verifier.verify(&issued.challenge_id, &code, context).await {
        Ok(_) => Err("a code worked twice".into()),
        Err(error) => {
            println!("Refused: {error}.");
            Ok(())
        }
    }
}

fn ask(question: &str) -> Result<String, Box<dyn Error>> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err("standard input ended".into());
    }
    Ok(line.trim().to_owned())
}
