//! What a fleet shares besides: counts, and one policy.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::Tenant;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StatKey,
    StatName, StatWindow, StatsStore, Store, StoreError,
};

use super::Degrading;

// Whatever this instance counts is counted beneath too, so that an outage does not begin blind.
#[async_trait]
impl<P: Store> StatsStore for Degrading<P> {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        let inner = &self.inner;
        let beneath = inner.memory.count(counts).await;
        if self.away().is_none() {
            return inner.above(inner.primary.count(counts)).await;
        }
        inner.serves()?;
        beneath
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        let inner = &self.inner;
        if self.away().is_none() {
            return inner.above(inner.primary.sums(keys, window)).await;
        }
        inner.serves()?;
        inner.memory.sums(keys, window).await
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let inner = &self.inner;
        if self.away().is_none() {
            let call = inner.primary.top(name, tenant, window, limit);
            return inner.above(call).await;
        }
        inner.serves()?;
        inner.memory.top(name, tenant, window, limit).await
    }
}

// A policy is the fleet's, and not one instance's: what is in force is asked above alone.
#[async_trait]
impl<P: Store> PolicyStore for Degrading<P> {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let call = self.inner.primary.publish(expected, document, event);
        self.ask(self.away(), call).await
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        self.ask(self.away(), self.inner.primary.current()).await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.ask(self.away(), self.inner.primary.version()).await
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        self.ask(self.away(), self.inner.primary.history(limit))
            .await
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.adopt(record))
            .await
    }

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
