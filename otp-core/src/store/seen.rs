use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// Whether a thing was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Never within its time.
    First,
    /// It was.
    Again,
}

/// Remembers what may happen once: webhook events, links, nonces.
#[async_trait]
pub trait SeenStore: Debug + Send + Sync + 'static {
    /// Remembers a key for a time and says whether it was there. Of any number of racing callers
    /// exactly one hears [`Seen::First`]. Seeing it again does not extend its time.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError>;
}
