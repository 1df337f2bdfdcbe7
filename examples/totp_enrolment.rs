//! Gives an account an authenticator: shows the QR code, takes the first code, hands out recovery
//! codes, and signs in with the next code.
//!
//! ```text
//! cargo run --example totp_enrolment
//! ```
//!
//! Without a terminal on standard input it plays both sides, and fails where a step is not as it
//! should be.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use otp_kit::clock::Timestamp;
use otp_kit::factor::{OtpAccount, Totp};
use otp_kit::policy::Assurance;
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;
use otp_kit::verifier::{Enrolment, PendingFactor, Proven};

const PERIOD: Duration = Duration::from_secs(30);

/// Who has the app.
enum Owner {
    /// Whoever sits at the terminal.
    Person,
    /// Nobody: the codes are computed here.
    Story(Option<Box<Totp>>),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys = KeyRing::generate(&OsRandom)?;
    let verifier = Verifier::builder(MemoryStore::new(), keys)
        .route(Channel::Sms, Route::primary(Outbox::new()))
        .limits(Limits::recommended())
        .build()?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    let ann = SubjectId::new("ann")?;

    println!("1. Ann has signed in just now, so she may enrol an authenticator.");
    let now = verifier.clock().now();
    let proven = Proven::by_host(&Tenant::default(), &ann, Assurance::Single, now.into());
    let enrolment = Enrolment::totp(OtpAccount::new("Acme Co", "ann@example.com")?);
    let pending = verifier.enrol_factor(enrolment, &proven, &context).await?;
    println!("{}", pending.uri().to_qr()?.to_terminal());
    println!("   or type: {}", pending.secret().to_base32().expose());
    let owner = Owner::of(&pending);

    println!("2. The first code makes it count:");
    let code = owner.code(&verifier, Duration::ZERO)?;
    let first = verifier.confirm_factor(&ann, pending.id(), &code, &context);
    let first = first.await?;

    println!("3. Recovery codes, shown this once:");
    let proven = proven.and(&first)?;
    let set = verifier.regenerate_recovery(&proven, &context).await?;
    for code in set.codes() {
        println!("   {}", code.to_text().expose());
    }

    println!("4. The same code once more:");
    match verifier.verify_totp(&ann, &code, &context).await {
        Err(VerifyError::Rejected) => println!("   refused: it is used up"),
        other => return Err(format!("a used code answered {other:?}").into()),
    }

    println!("5. The next code:");
    let code = owner.code(&verifier, PERIOD)?;
    let shown = verifier.verify_totp(&ann, &code, &context).await?;
    println!("   accepted, as `{}`", shown.method().name());
    println!("All as it should be.");
    Ok(())
}

impl Owner {
    fn of(pending: &PendingFactor) -> Self {
        if std::io::stdin().is_terminal() {
            Self::Person
        } else {
            Self::Story(pending.uri().as_totp().map(Box::new))
        }
    }

    /// Reads the code off the app. In the story its clock may be one step ahead of ours.
    fn code(&self, verifier: &Verifier, ahead: Duration) -> Result<String, Box<dyn Error>> {
        let totp = match self {
            Self::Person => return ask("   The code that the app shows now: "),
            Self::Story(totp) => totp.as_deref().ok_or("it does not go by the time")?,
        };
        let at: Timestamp = verifier.clock().now().saturating_add(ahead);
        let code = totp.code(at);
        println!("   {}", code.expose());
        Ok(code.expose().to_owned())
    }
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
