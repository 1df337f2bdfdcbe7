//! The composite stores: what they promise when a part of them is away, beyond the contract that
//! they keep when none is.
//!
//! Tests with a real Redis need the server that `TEST_REDIS_URL` names, or the program
//! `redis-server`, and are ignored where nobody asks for them.
#![cfg(all(feature = "memory", feature = "redis"))]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests report as tests do"
)]

mod beneath;
mod conformance;
mod down;
mod factors;
mod fixture;
mod hand_back;
mod journey;
mod outage;
#[path = "../support/port.rs"]
mod port;
mod read_only;
mod redis_outage;
mod server;
mod sessions;
mod shared;
mod split;
mod switch;
