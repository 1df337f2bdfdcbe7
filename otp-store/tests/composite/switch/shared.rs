//! What a fleet shares besides, passed on as the rest is.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::Tenant;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StatKey,
    StatName, StatWindow, StatsStore, Store, StoreError,
};

use super::Switched;

#[async_trait]
impl<S: Store> StatsStore for Switched<S> {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        self.pass("count", self.inner.count(counts)).await
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        self.pass("sums", self.inner.sums(keys, window)).await
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.pass("top", self.inner.top(name, tenant, window, limit))
            .await
    }
}

#[async_trait]
impl<S: Store> PolicyStore for Switched<S> {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        self.pass("publish", self.inner.publish(expected, document, event))
            .await
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        self.pass("current", self.inner.current()).await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.pass("version", self.inner.version()).await
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        self.pass("history", self.inner.history(limit)).await
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        self.pass("adopt", self.inner.adopt(record)).await
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        let call = self.inner.post(board, expected, text, events);
        self.pass("post", call).await
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        self.pass("posted", self.inner.posted(board, known)).await
    }
}
