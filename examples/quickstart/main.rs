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
use std::path::Path;

use otp_kit::prelude::*;
use otp_kit::store::SqliteStore;

use story::Typist;
use terminal::TerminalOutbox;

/// What a service needs: ten lines.
async fn service(file: &Path, outbox: TerminalOutbox) -> Result<Verifier, Box<dyn Error>> {
    let store = SqliteStore::open(file).await?;
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
    let folder = tempfile::tempdir()?;
    let outbox = TerminalOutbox::default();
    let verifier = service(&folder.path().join("quickstart.db"), outbox.clone()).await?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);

    let person = std::io::stdin().is_terminal();
    let typed = match (std::env::args().nth(1), person) {
        (Some(typed), _) => typed,
        (None, true) => ask("Phone number (+14155550123) or e-mail address: ")?,
        (None, false) => "+14155550123".to_owned(),
    };
    let typist = if person {
        Typist::Person
    } else {
        Typist::Story(outbox)
    };
    story::play(&verifier, &typed, &context, &typist).await
}

/// Asks whoever sits at the terminal.
fn ask(question: &str) -> Result<String, Box<dyn Error>> {
    print!("{question}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        return Err("standard input ended".into());
    }
    Ok(line.trim().to_owned())
}
