//! The `SQLite` engine: what is promised beyond the contract that every engine keeps.
#![cfg(feature = "sqlite")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests report as tests do"
)]

mod clock;
mod conformance;
mod corruption;
mod crowd;
mod fixture;
#[path = "../support/instances.rs"]
mod instances;
mod kill;
mod lifecycle;
mod operator;
mod outage;
mod outbox;
mod seals;
mod sessions;
