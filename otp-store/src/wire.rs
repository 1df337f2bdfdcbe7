//! Intents as JSON, and what came of them as lists of texts: how an engine that decides by itself
//! (a Lua script, a function of the database) is asked, and how it answers.

pub(crate) mod admission;
pub(crate) mod budget;
pub(crate) mod challenge;
pub(crate) mod delivery;
pub(crate) mod device;
pub(crate) mod event;
pub(crate) mod factor;
pub(crate) mod factor_store;
pub(crate) mod policy;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod session;
pub(crate) mod stats;

use otp_core::store::{StoreError, StoreErrorKind};

/// What is stored cannot be read; names the part, never its value.
#[derive(Debug, thiserror::Error)]
#[error("{0} cannot be read")]
struct Unreadable(&'static str);

pub(crate) fn corrupt(part: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt).with_source(Unreadable(part))
}
