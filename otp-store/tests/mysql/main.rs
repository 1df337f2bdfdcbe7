//! The `MySQL` engine: what is promised beyond the contract that every engine keeps.
#![cfg(feature = "mysql")]
#![expect(clippy::expect_used, reason = "helpers of tests report as tests do")]

mod clock;
mod conformance;
mod crowd;
mod fixture;
#[path = "../support/instances.rs"]
mod instances;
mod lifecycle;
mod outage;
mod outbox;
mod purge;
mod sessions;
mod stripes;
