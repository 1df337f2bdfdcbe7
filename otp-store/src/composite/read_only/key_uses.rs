//! What hangs on which key is what the primary says.

use async_trait::async_trait;
use otp_core::store::{KeyUse, KeyUseStore, Store, StoreError};

use super::ReadOnlyFallback;

#[async_trait]
impl<P: Store, M: Store> KeyUseStore for ReadOnlyFallback<P, M> {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.ask(self.away(), self.inner.primary.key_uses()).await
    }
}
