//! What may happen once.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::store::{Seen, SeenStore, StoreError, StoreErrorKind};

use super::{RedisStore, script};
use crate::wire::corrupt;
use crate::wire::request::millis;

/// The longest key, in bytes.
const LONGEST: usize = 1_024;

#[async_trait]
impl SeenStore for RedisStore {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        if key.len() > LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let shelf = self.inner.keys.shelves.of_name(key);
        let request = self
            .request(shelf, "seen")
            .text("key", &self.inner.keys.seen(key))
            .with("life", millis(life).into());
        match self.ask(shelf, &script::DESK, request).await?.text(0)? {
            "first" => Ok(Seen::First),
            "again" => Ok(Seen::Again),
            _ => Err(corrupt("an answer")),
        }
    }
}
