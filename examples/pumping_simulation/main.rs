//! What the toll-fraud guard stops, whom it bothers and what it saves, on four shapes of traffic.
//!
//! ```text
//! cargo run --example pumping_simulation
//! ```
//!
//! The shapes follow what is published of such traffic:
//! - of attacks: many numbers of few ranges, adjacent numbers, countries that a service has no
//!   users in, no code ever typed (Twilio, "Preventing Toll Fraud in Verify" and "SMS Pumping
//!   Fraud"; GSMA, "International Revenue Share Fraud" and its figures on artificially inflated
//!   traffic);
//! - of people: most codes are typed within a minute, and between three and four in five are typed
//!   at all (vendors' documentation of conversion rates);
//! - of launches: growth from nothing to hundreds a minute within an hour.
//!
//! Change a budget of [`TollFraud`](otp_kit::policy::TollFraud) below, and see what it costs.

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "an example prints, and draws from its own tables"
)]

mod shapes;
mod simulation;

use otp_kit::delivery::Price;
use otp_kit::policy::{GuardMode, TollFraud};

/// What a message to the ranges of an attacker costs: dear countries are where the money is.
const DEAR: Price = Price::from_micros(150_000);

fn main() {
    let rules = TollFraud::new(GuardMode::Enforce);
    println!("shape            messages  attack stopped  people denied  captchas  saved");
    for (name, asks) in [
        ("usual hours", shapes::honest()),
        ("attack", shapes::attack()),
        ("attack in both", shapes::mixed()),
        ("viral launch", shapes::launch()),
    ] {
        let outcome = simulation::run(&asks, &rules);
        let attacker = outcome.attacker;
        let saved = attacker.asked.saturating_sub(attacker.sent);
        let saved = Price::from_micros(saved.saturating_mul(DEAR.as_micros()));
        let stopped = if attacker.asked == 0 {
            "-".to_owned()
        } else {
            format!("{:.1} %", outcome.stopped())
        };
        println!(
            "{name:<15} {:>9}  {stopped:>14}  {:>11.2} %  {:>6.2} %  {saved}",
            asks.len(),
            outcome.false_positives(),
            outcome.inconvenienced(),
        );
    }
}
