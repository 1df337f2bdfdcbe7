//! Conformance suites, doubles, a manual clock and an outbox, for the tests of stores, providers
//! and hosts.

mod cases;
pub mod chain;
mod outbox;
pub mod provider;
pub mod session;
mod stand_in;
pub mod store;
mod verification;

pub use outbox::Outbox;
pub use stand_in::{Behaviour, Inbox, Receipts, StandIn};
pub use verification::StandInVerification;

pub use crate::clock::ManualClock;
pub use crate::random::{BrokenRandom, SeededRandom};
