//! What a server must say of itself before a store is kept in it.

use otp_core::store::{StoreError, StoreErrorKind};

use super::{RedisStore, script};
use crate::wire::reply::Reply;

/// What is thought of a server that evicts keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    Refused,
    Allowed,
}

/// Whether a challenge outlives the run of the server that it was issued in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restarts {
    EndChallenges,
    KeepChallenges,
}

#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the server's maxmemory-policy is not noeviction")]
    Evicts,
    #[error("the server does not tell its maxmemory-policy")]
    Silent,
    #[error("the store was made with another number of shelves")]
    Shelves,
    #[error("another version of the library made the store in a form of its own")]
    Form,
}

impl RedisStore {
    /// Refuses servers that evict keys or do not say, another form of what is stored, and another
    /// number of shelves than the store was made with: the first shelf decides about that, before
    /// the others hear of it.
    pub(super) async fn enter(&self, eviction: Eviction) -> Result<(), StoreError> {
        let shelves = &self.inner.keys.shelves;
        let ask = |shelf| {
            let request = self.request(shelf, "enter");
            let request = match shelves.divided() {
                Some(count) => request.text("shelves", &count.to_string()),
                None => request,
            };
            self.begin_at_once(shelf, &script::DESK, request)
        };
        fit(&ask(shelves.first()).answer().await?, eviction)?;
        let asked = shelves.others().iter().map(ask);
        for pending in asked.collect::<Vec<_>>() {
            fit(&pending.answer().await?, eviction)?;
        }
        Ok(())
    }
}

/// Says whether a server's account of its memory is that it evicts nothing.
pub(super) fn keeps_everything(memory: &str) -> bool {
    let mut lines = memory.lines();
    let policy = lines.find_map(|line| line.strip_prefix("maxmemory_policy:"));
    policy == Some("noeviction")
}

fn fit(told: &Reply, eviction: Eviction) -> Result<(), StoreError> {
    let refused = match (told.text(0)?, eviction) {
        ("other_form", _) => Unfit::Form,
        ("other_shelves", _) => Unfit::Shelves,
        ("noeviction", _) | (_, Eviction::Allowed) => return Ok(()),
        ("", Eviction::Refused) => Unfit::Silent,
        (_, Eviction::Refused) => Unfit::Evicts,
    };
    Err(StoreError::new(StoreErrorKind::Invalid).with_source(refused))
}
