//! Load on the reference server: people who sign in and people who guess, at a stated rate.
//!
//! ```text
//! # A server that shows its codes and believes the addresses that this sends:
//! TRUSTED_PROXIES=127.0.0.1 cargo run --release --features danger-preview --example server
//! cargo run --release --example load -- --rate 50 --seconds 30 --hostile 20
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

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use plan::Plan;
use report::Report;
use traffic::Traffic;

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
    let report = run(&plan).await;
    match plan.json {
        true => println!("{}", report.json()),
        false => println!("{report}"),
    }
    match report.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(1),
    }
}

/// Begins a visit each time one is due, and waits for the last answers.
async fn run(plan: &Plan) -> Report {
    let traffic = Arc::new(Traffic::new(&plan.site));
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
