//! Counts go with decisions, the policy with what lasts.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::Tenant;
use otp_core::store::{
    AuditStore, Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published,
    StatKey, StatName, StatWindow, StatsStore, Store, StoreError,
};

use super::Split;

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> StatsStore for Split<D, A> {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        self.inner.decisions.count(counts).await
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        self.inner.decisions.sums(keys, window).await
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.inner.decisions.top(name, tenant, window, limit).await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> PolicyStore for Split<D, A> {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        // The record is written where the policy is, in one step with it.
        self.inner.audit.publish(expected, document, event).await
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        self.inner.audit.current().await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.inner.audit.version().await
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        self.inner.audit.history(limit).await
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        self.inner.audit.adopt(record).await
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        self.inner.audit.post(board, expected, text, events).await
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        self.inner.audit.posted(board, known).await
    }
}
