//! Faults that are really made: servers killed, paused and restarted, connections cut at any byte.
//! Each test is named by what a service may count on.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and real servers keep real time"
)]

mod bench;
mod cancelled;
mod crash;
mod cut;
mod engine;
mod errors;
mod killed;
#[path = "../../otp-store/tests/support/port.rs"]
mod port;
#[path = "../support/proxy.rs"]
mod proxy;
mod repeats;
mod server;
mod unreachable;
mod versions;
