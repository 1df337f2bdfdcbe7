//! What users do, from first request to last answer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../support/factors.rs"]
mod factors;
#[path = "../support/service.rs"]
mod support;

mod channel_order;
mod channels;
mod cost;
mod delivery;
mod failover;
mod fleet_overrides;
mod fleet_policy;
mod hang_up;
mod last_factor;
mod limits;
mod lost_answers;
mod managed;
mod messages;
mod missing_receipt;
mod operator;
mod policy;
mod receipts;
mod rotation;
mod second_factors;
mod sign_in;
