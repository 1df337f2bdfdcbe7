//! The operator's command: each step of a runbook, against a running server, or against its store
//! where none runs.
//!
//! ```text
//! export OTPCTL_SERVER=http://127.0.0.1:9090 OTPCTL_TOKEN=...   # the operator's listener
//! cargo run --example otpctl -- status
//! cargo run --example otpctl -- block phone +14155550123 --for 2h --reason "toll fraud" --dry-run
//! ```
//!
//! It prints tables for people, and with `--json` what the server said. It ends with
//!
//! | code | where |
//! |---|---|
//! | 0 | it was done, or would be |
//! | 1 | the answer is no: a box that does not hold or waits for a look, an audit log that is broken |
//! | 2 | the command is not one, or not one for a store |
//! | 3 | the server refused it |
//! | 4 | the server cannot be asked, or is out of order: asking again may help |

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks to its reader"
)]

mod arguments;
mod commands;
mod desk;
mod failure;
mod show;
mod store;

use std::process::ExitCode;

use arguments::Arguments;
use failure::Failure;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(failure) => return refuse(&failure),
    };
    match commands::run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => refuse(&failure),
    }
}

fn refuse(failure: &Failure) -> ExitCode {
    eprintln!("otpctl: {failure}");
    if matches!(failure, Failure::Usage(_)) {
        let typed = std::env::args().skip(1);
        eprintln!("see: {}", commands::help::hint(typed));
    }
    failure.code()
}
