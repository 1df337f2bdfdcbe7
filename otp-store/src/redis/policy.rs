//! What a server must say of itself before a store is kept in it.

use otp_core::store::{StoreError, StoreErrorKind};

use super::{RedisStore, script};

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
}

impl RedisStore {
    /// Refuses servers that evict keys or do not say, and another number of shelves than the
    /// store was made with.
    pub(super) async fn enter(&self, eviction: Eviction) -> Result<(), StoreError> {
        let shelves = &self.inner.keys.shelves;
        let count = shelves.count().to_string();
        let asked = shelves.all().map(|shelf| {
            let request = self.request(shelf, "enter");
            let request = if shelves.is_one() {
                request
            } else {
                request.text("shelves", &count)
            };
            self.begin(shelf, &script::DESK, request)
        });
        for pending in asked.collect::<Vec<_>>() {
            let refused = match (pending.answer().await?.text(0)?, eviction) {
                ("other_shelves", _) => Unfit::Shelves,
                ("noeviction", _) | (_, Eviction::Allowed) => continue,
                ("", Eviction::Refused) => Unfit::Silent,
                (_, Eviction::Refused) => Unfit::Evicts,
            };
            return Err(StoreError::new(StoreErrorKind::Invalid).with_source(refused));
        }
        Ok(())
    }
}
