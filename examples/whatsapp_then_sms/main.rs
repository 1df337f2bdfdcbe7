//! Sends a code over WhatsApp, and over SMS or e-mail where that fails: one challenge, one budget
//! of guesses, whatever way the message takes. No network, no account.
//!
//! ```text
//! cargo run --example whatsapp_then_sms
//! ```
//!
//! It ends with an error where the story does not hold.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;

use otp_kit::delivery::DeliveryErrorKind;
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::{Behaviour, Inbox, StandIn};

/// The providers of a service, and what they deliver.
struct Providers {
    inbox: Inbox,
    whatsapp: StandIn,
    sms: StandIn,
    email: StandIn,
}

/// A service that prefers WhatsApp, then SMS, then e-mail.
fn service(providers: &Providers) -> Result<Verifier, Box<dyn Error>> {
    let verifier = Verifier::builder(MemoryStore::new(), KeyRing::generate(&OsRandom)?)
        .route(
            Channel::WhatsApp,
            Route::primary(providers.whatsapp.clone()),
        )
        .route(Channel::Sms, Route::primary(providers.sms.clone()))
        .route(Channel::Email, Route::primary(providers.email.clone()))
        .channel_order([Channel::WhatsApp, Channel::Sms, Channel::Email])
        .limits(Limits::recommended())
        .build()?;
    Ok(verifier)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let inbox = Inbox::new();
    let providers = Providers {
        whatsapp: StandIn::new("meta", &inbox),
        sms: StandIn::new("twilio", &inbox),
        email: StandIn::new("sendgrid", &inbox),
        inbox,
    };
    let verifier = service(&providers)?;

    sign_in(
        &verifier,
        &providers,
        "All is well",
        Some(Channel::WhatsApp),
    )
    .await?;

    // She has no WhatsApp: the vendor says so, and surely sent nothing.
    let unreachable = Behaviour::Refuse(DeliveryErrorKind::Unreachable);
    providers.whatsapp.set(unreachable);
    sign_in(&verifier, &providers, "No WhatsApp", Some(Channel::Sms)).await?;

    providers
        .sms
        .set(Behaviour::Refuse(DeliveryErrorKind::Unavailable));
    sign_in(&verifier, &providers, "No SMS either", Some(Channel::Email)).await?;

    // An operator takes WhatsApp out of the order while the service runs.
    providers.sms.set(Behaviour::Accept);
    let asked = providers.whatsapp.calls();
    verifier.routes().disable(Channel::WhatsApp)?;
    sign_in(&verifier, &providers, "WhatsApp is off", Some(Channel::Sms)).await?;
    if providers.whatsapp.calls() != asked {
        return Err("a channel that is off was asked".into());
    }
    verifier.routes().enable(Channel::WhatsApp)?;

    // She told the vendor to stop: that is no failure to go round.
    providers
        .whatsapp
        .set(Behaviour::Refuse(DeliveryErrorKind::OptedOut));
    sign_in(&verifier, &providers, "She opted out", None).await?;

    println!("Each message took the way that it should: the story holds.");
    Ok(())
}

/// Asks for a code, and types it where one came; it should come over this channel.
async fn sign_in(
    verifier: &Verifier,
    providers: &Providers,
    chapter: &str,
    expected: Option<Channel>,
) -> Result<(), Box<dyn Error>> {
    let phone: Destination = PhoneNumber::parse("+14155550123")?.into();
    let mail: Destination = EmailAddress::parse("ada@example.org")?.into();
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    // Both addresses are the account's own, proven before. So the account is named.
    let issue = Issue::to(phone.clone())
        .or_to(mail.clone())
        .for_purpose("login")
        .for_subject(SubjectId::new("ada")?)
        .from(&context);
    let issued = match (verifier.issue(issue).await, expected) {
        (Ok(issued), Some(_)) => issued,
        (Err(IssueError::NotSent(_)), None) => {
            println!("{chapter:<16} nothing is sent");
            return Ok(());
        }
        (answer, _) => return Err(format!("{chapter}: {answer:?}").into()),
    };
    println!("{chapter:<16} the code comes by {}", issued.channel);
    if Some(issued.channel) != expected {
        return Err(format!("{chapter}: expected {expected:?}").into());
    }
    let to = if issued.channel == Channel::Email {
        mail
    } else {
        phone
    };
    let code = providers
        .inbox
        .last_code_for(&to)
        .ok_or("no message came")?;
    let verified = verifier
        .verify(&issued.challenge_id, code.expose(), &context)
        .await?;
    if verified.channel() != issued.channel || verified.destination() != &to {
        return Err("it proves another address than it went to".into());
    }
    Ok(())
}
