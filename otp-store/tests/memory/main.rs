//! The memory store: the contract, and what is its own.
#![cfg(feature = "memory")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capacity;
mod conformance;
