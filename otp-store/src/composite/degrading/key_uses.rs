//! What hangs on which key, above and beneath.

use async_trait::async_trait;
use otp_core::store::{KeyUse, KeyUseStore, Store, StoreError};

use super::Degrading;

#[async_trait]
impl<P: Store> KeyUseStore for Degrading<P> {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses = self.ask(self.away(), self.inner.primary.key_uses()).await?;
        // Challenges that were issued beneath are checked here, and hang on their keys as well.
        for one in self.inner.memory.key_uses().await? {
            one.add_to(&mut uses);
        }
        Ok(uses)
    }
}
