//! Kills a text-message provider under load and brings it back: not one sign-in is lost, and
//! nobody gets two messages. No network, no account.
//!
//! ```text
//! cargo run --example failover
//! ```
//!
//! It ends with an error where the story does not hold.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::time::Duration;

use otp_kit::delivery::{DeliveryErrorKind, ProviderHealth, RouteHealth};
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::{Behaviour, Inbox, StandIn};
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;

/// How long a message takes at a provider that is well.
const WELL: Behaviour = Behaviour::Slow(Duration::from_millis(3));
/// What a provider that is down answers: the connection is refused.
const DOWN: Behaviour = Behaviour::Refuse(DeliveryErrorKind::Unavailable);
/// A real service leaves it at the default, 30 seconds; here nobody waits that long.
const REST: Duration = Duration::from_millis(200);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let inbox = Inbox::new();
    let (twilio, plivo) = (
        StandIn::new("twilio", &inbox),
        StandIn::new("plivo", &inbox),
    );
    twilio.set(WELL);
    plivo.set(WELL);
    let route = Route::primary(twilio.clone())
        .backup(plivo.clone())
        .rest(REST);
    let verifier = Verifier::builder(MemoryStore::new(), KeyRing::generate(&OsRandom)?)
        .route(Channel::Sms, route)
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .build()?;

    println!("400 people sign in while twilio is killed and brought back.");
    sign_in(&verifier, &inbox, 0..100).await?;
    let well = told(&verifier, "twilio is well")?;
    same("people served by twilio", well.accepted, 100)?;

    // It dies in the middle of the next hundred.
    for _ in 0..30 {
        twilio.then(WELL);
    }
    twilio.set(DOWN);
    sign_in(&verifier, &inbox, 100..200).await?;
    let killed = told(&verifier, "twilio was killed under them")?;
    // Those who were at twilio already when it opened found out for themselves, and went on.
    same("people served by twilio", killed.accepted, 130)?;
    same(
        "health of the route",
        health(&verifier)?,
        RouteHealth::Degraded,
    )?;

    sign_in(&verifier, &inbox, 200..300).await?;
    let out = told(&verifier, "plivo carries on")?;
    twilio.set(WELL);
    tokio::time::sleep(REST).await;
    sign_in(&verifier, &inbox, 300..400).await?;
    let back = told(&verifier, "twilio is back")?;
    same("health of the route", health(&verifier)?, RouteHealth::Up)?;
    holds("twilio serves people again", back.accepted > out.accepted)?;
    holds(
        "people passed by twilio while it was down",
        out.passed_over > killed.passed_over,
    )?;

    same("people who got a message", inbox.people(), 400)?;
    same("messages for any one of them", inbox.most_for_one(), 1)?;
    println!("Nobody was lost and nobody was sent two: the story holds.");
    Ok(())
}

/// Signs people in, all at once: each asks for a code, reads it, and types it.
async fn sign_in(verifier: &Verifier, inbox: &Inbox, people: Range<u16>) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    for person in people {
        let (verifier, inbox) = (verifier.clone(), inbox.clone());
        tasks.spawn(async move {
            let phone = PhoneNumber::parse(&format!("+1415555{person:04}"))?;
            let home = Ipv6Addr::new(0x2001, 0xdb8, 0, person, 0, 0, 0, 1);
            let context = RequestContext::from_address(home.into());
            let issue = Issue::to(phone.clone()).for_purpose("login").from(&context);
            let issued = verifier.issue(issue).await?;
            let code = inbox
                .last_code_for(&phone.into())
                .ok_or("no message came")?;
            let verified = verifier
                .verify(&issued.challenge_id, code.expose(), &context)
                .await?;
            drop(verified);
            Ok::<(), Failure>(())
        });
    }
    while let Some(person) = tasks.join_next().await {
        person??;
    }
    Ok(())
}

/// Shows how the providers are doing, and gives the first one.
fn told(verifier: &Verifier, what: &str) -> Result<ProviderHealth, Failure> {
    println!("\n{what}:");
    let routes = verifier.routes().status();
    let providers = routes.into_iter().flat_map(|route| route.providers);
    let providers: Vec<_> = providers.collect();
    for provider in &providers {
        println!(
            "  {:<8} breaker {:<9} accepted {:>3}, failed {:>3}, passed over {:>3}",
            provider.provider,
            provider.breaker.name(),
            provider.accepted,
            provider.failed,
            provider.passed_over,
        );
    }
    providers
        .into_iter()
        .next()
        .ok_or_else(|| "no provider".into())
}

fn health(verifier: &Verifier) -> Result<RouteHealth, Failure> {
    let routes = verifier.routes().status();
    let first = routes.first().ok_or("no route")?;
    Ok(first.health)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), Failure> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what}: {found:?}, not {wanted:?}").into())
}

fn holds(what: &str, found: bool) -> Result<(), Failure> {
    same(what, found, true)
}
