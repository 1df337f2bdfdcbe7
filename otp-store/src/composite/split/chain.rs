//! The chain is over the audit log, where that is kept.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::event::chain::{ChainedRecord, Head, Record};
use otp_core::store::{
    ChainStore, KeyUse, Lease, PolicyStore, SealBatch, SealerId, Sealing, Store, StoreError,
};

use super::Split;

#[async_trait]
impl<D: Store, A: ChainStore + PolicyStore> ChainStore for Split<D, A> {
    async fn lease(&self, holder: &SealerId, life: Duration) -> Result<Lease, StoreError> {
        self.inner.audit.lease(holder, life).await
    }

    async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
        // What cannot be handed over waits; what was can be sealed all the same.
        let _ = self.hand_over().await;
        self.inner.audit.unsealed(limit).await
    }

    async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError> {
        self.inner.audit.seal(batch).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.inner.audit.head().await
    }

    async fn sealed(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ChainedRecord>, StoreError> {
        self.inner.audit.sealed(after, limit).await
    }

    async fn sealed_by(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.inner.audit.sealed_by().await
    }
}
