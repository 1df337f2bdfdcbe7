//! Messages are kept where their challenges are decided.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{MessageId, Report};
use otp_core::store::{Advanced, AuditStore, Delivery, DeliveryStore, Settled, Store, StoreError};

use super::Split;

#[async_trait]
impl<D: Store, A: AuditStore> DeliveryStore for Split<D, A> {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        self.inner.decisions.settle(settled).await
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        self.inner.decisions.advance(report).await
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.inner.decisions.delivery(id).await
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.inner.decisions.failures(window, limit).await
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.inner.decisions.claim_resend(ids).await
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.inner.decisions.fail_unsent(older_than, limit).await
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.inner.decisions.overdue(age, limit).await
    }
}
