//! Messages are the primary's; nothing of them is copied.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{MessageId, Report};
use otp_core::store::{Advanced, Delivery, DeliveryStore, Settled, Store, StoreError};

use super::ReadOnlyFallback;

#[async_trait]
impl<P: Store, M: Store> DeliveryStore for ReadOnlyFallback<P, M> {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.settle(settled))
            .await
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        self.ask(self.away(), self.inner.primary.advance(report))
            .await
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.ask(self.away(), self.inner.primary.delivery(id)).await
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.ask(self.away(), self.inner.primary.failures(window, limit))
            .await
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.ask(self.away(), self.inner.primary.claim_resend(ids))
            .await
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.ask(
            self.away(),
            self.inner.primary.fail_unsent(older_than, limit),
        )
        .await
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.ask(self.away(), self.inner.primary.overdue(age, limit))
            .await
    }
}
