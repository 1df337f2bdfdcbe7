//! The Redis engine: what is promised beyond the contract that every engine keeps.
//!
//! The tests need a Redis that `TEST_REDIS_URL` names, or the program `redis-server`, and are
//! ignored where nobody asks for them.
#![cfg(feature = "redis")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests report as tests do"
)]

mod blocks;
mod cluster;
mod conformance;
mod cost;
mod crowd;
mod equality;
mod eras;
mod fixture;
#[path = "../support/instances.rs"]
mod instances;
mod loss;
mod nodes;
mod outage;
mod outbox;
#[path = "../support/port.rs"]
mod port;
mod refunds;
mod script;
mod sentinel;
mod server;
mod sessions;
mod shared;
mod shelves;
mod tls;
mod topology;
