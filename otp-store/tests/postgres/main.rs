//! The `PostgreSQL` engine: what is promised beyond the contract that every engine keeps.
//!
//! The tests need a `PostgreSQL` that `TEST_POSTGRES_URL` names, as a user who may make schemas and
//! databases, and are ignored where nobody asks for them. Each makes a schema of its own.
#![cfg(feature = "postgres")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests report as tests do"
)]

mod batches;
mod cancel;
mod clock;
mod conformance;
mod cost;
mod counting;
mod crowd;
mod equality;
mod fixture;
#[path = "../support/instances.rs"]
mod instances;
mod kill;
mod lifecycle;
mod outbox;
mod runbook;
mod schema;
mod seals;
mod sessions;
mod waits;
