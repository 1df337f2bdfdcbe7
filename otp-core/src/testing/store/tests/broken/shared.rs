use async_trait::async_trait;

use super::{Broken, Fault};
use crate::event::Event;
use crate::request::Tenant;
use crate::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StatKey,
    StatName, StatWindow, StatsStore, StoreError,
};

#[async_trait]
impl StatsStore for Broken {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        if self.has(Fault::CountsTwice) {
            self.inner.count(counts).await?;
        }
        self.inner.count(counts).await
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        let window = if self.has(Fault::SumsForEver) {
            StatWindow::WEEK
        } else {
            window
        };
        self.inner.sums(keys, window).await
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.inner.top(name, tenant, window, limit).await
    }
}

#[async_trait]
impl PolicyStore for Broken {
    async fn publish(
        &self,
        mut expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        if self.has(Fault::PublishesBlindly) {
            expected = Some(self.inner.version().await?);
        }
        self.inner.publish(expected, document, event).await
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        self.inner.current().await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.inner.version().await
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        self.inner.history(limit).await
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        self.inner.adopt(record).await
    }

    async fn post(
        &self,
        board: Board,
        mut expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        if self.has(Fault::PostsBlindly) {
            expected = self.inner.posted(board, 0).await?.revision;
        }
        self.inner.post(board, expected, text, events).await
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        let mut posted = self.inner.posted(board, known).await?;
        if self.has(Fault::ForgetsPosts) {
            posted.text = posted.text.map(|_| BoardText::default());
        }
        Ok(posted)
    }
}
