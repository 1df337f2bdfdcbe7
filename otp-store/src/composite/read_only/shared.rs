//! What a fleet shares besides: counts are the primary's alone, the policy is copied.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::Tenant;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StatKey,
    StatName, StatWindow, StatsStore, Store, StoreError, StoreErrorKind,
};

use super::{Inner, ReadOnlyFallback};

#[async_trait]
impl<P: Store, M: Store> StatsStore for ReadOnlyFallback<P, M> {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.count(counts))
            .await
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        self.ask(self.away(), self.inner.primary.sums(keys, window))
            .await
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let call = self.inner.primary.top(name, tenant, window, limit);
        self.ask(self.away(), call).await
    }
}

#[async_trait]
impl<P: Store, M: Store> PolicyStore for ReadOnlyFallback<P, M> {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let call = self.inner.primary.publish(expected, document, event);
        let published = self.ask(self.away(), call).await?;
        // It is in force; a copy that fails now is made with the next round.
        let _ = self.inner.copy_policy().await;
        Ok(published)
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        match self.ask(self.away(), self.inner.primary.current()).await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.inner.copy.current().await
            }
            answer => answer,
        }
    }

    async fn version(&self) -> Result<u64, StoreError> {
        match self.ask(self.away(), self.inner.primary.version()).await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.inner.copy.version().await
            }
            answer => answer,
        }
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        self.ask(self.away(), self.inner.primary.history(limit))
            .await
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.adopt(record))
            .await
    }

    // Boards are not copied: what they say goes by the primary's clock.
    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        let call = self.inner.primary.post(board, expected, text, events);
        self.ask(self.away(), call).await
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        let call = self.inner.primary.posted(board, known);
        self.ask(self.away(), call).await
    }
}

impl<P: Store, M: Store> Inner<P, M> {
    /// Copies the policy that is in force, where the copy has an older one.
    pub(super) async fn copy_policy(&self) -> Result<(), StoreError> {
        let version = self.above(self.primary.version()).await?;
        if version <= self.copy.version().await? {
            return Ok(());
        }
        match self.above(self.primary.current()).await? {
            Some(record) => self.copy.adopt(&record).await,
            None => Ok(()),
        }
    }
}
