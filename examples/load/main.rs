//! Load on the reference server: people who sign in and people who guess, at a stated rate.
//!
//! ```text
//! # A server that shows its codes and believes the addresses that this sends:
//! TRUSTED_PROXIES=127.0.0.1 cargo run --release --features danger-preview --example server
//! cargo run --release --example load -- --rate 50 --seconds 30 --hostile 20
//! ```
//!
//! `--primary works|fails|hangs` also plays two vendors of text messages, of which the first does as it
//! is told and the second works, and reads the codes there. The server has to know them:
//!
//! ```text
//! TWILIO_BASE_URL=http://127.0.0.1:9601 TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001 \
//! TWILIO_AUTH_TOKEN=any-token TWILIO_FROM=+15005550006 \
//! PLIVO_BASE_URL=http://127.0.0.1:9602 PLIVO_AUTH_ID=MA00000000000000000A \
//! PLIVO_AUTH_TOKEN=any-token PLIVO_FROM=+15005550007 \
//! DEV_MODE=false TRUSTED_PROXIES=127.0.0.1 ... cargo run --release --example server
//! cargo run --release --example load -- --rate 20 --seconds 120 --primary hangs
//! ```
//!
//! Requests begin on a schedule, whether or not earlier ones were answered, and each is timed from
//! the moment at which it was due: a server that is slow does not slow its measure down. Ends with 1
//! where starts take 500 ms or checks 200 ms (p95), or one request of a hundred fails.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks to its reader"
)]

mod people;
mod plan;
mod report;
mod traffic;
mod vendors;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use plan::Plan;
use report::Report;
use traffic::Traffic;
use vendors::Inbox;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().skip(1).any(|word| word == "--help") {
        println!("{}", plan::HELP);
        return ExitCode::SUCCESS;
    }
    let plan = match Plan::of(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(why) => {
            eprintln!("load: {why}\n\n{}", plan::HELP);
            return ExitCode::from(2);
        }
    };
    let inbox = match plan.primary {
        None => None,
        Some(primary) => match vendors::open(primary).await {
            Ok(inbox) => Some(inbox),
            Err(why) => {
                eprintln!("load: {} and {}: {why}", vendors::TWILIO, vendors::PLIVO);
                return ExitCode::from(2);
            }
        },
    };
    let report = run(&plan, inbox.clone()).await;
    match plan.json {
        true => println!("{}", report.json()),
        false => println!("{report}"),
    }
    if let Some([primary, backup]) = inbox.map(|inbox| inbox.asked()) {
        eprintln!("the primary was asked {primary} times, the backup {backup} times");
    }
    match report.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    }
}

/// Begins a visit each time one is due, and waits for the last answers.
async fn run(plan: &Plan, inbox: Option<Arc<Inbox>>) -> Report {
    let traffic = Arc::new(Traffic::new(&plan.site, inbox));
    let visits = plan.rate.saturating_mul(plan.seconds);
    let apart = SECOND / plan.rate.max(1);
    let begun = Instant::now();
    let mut under_way = JoinSet::new();
    for number in 0..visits {
        let due = begun + apart * number;
        sleep_until(due).await;
        let traffic = Arc::clone(&traffic);
        let hostile = plan.is_hostile(number);
        under_way.spawn(async move {
            match hostile {
                true => traffic.guesses(number, due).await,
                false => traffic.signs_in(number, due).await,
            }
        });
    }
    let mut report = Report::default();
    while let Some(samples) = under_way.join_next().await {
        for sample in samples.unwrap_or_default() {
            report.add(sample);
        }
    }
    report
}
