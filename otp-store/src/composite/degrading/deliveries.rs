//! Messages: each stays where its challenge was put.

use std::cmp::Reverse;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{MessageId, Report};
use otp_core::store::{
    Advanced, AuditStore as _, Delivery, DeliveryStore, Settled, Store, StoreError, StoreErrorKind,
};

use super::Degrading;

#[async_trait]
impl<P: Store> DeliveryStore for Degrading<P> {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        let inner = &self.inner;
        let away = self.away();
        if inner.memory.keeps(&settled.challenge)? {
            return inner.memory.settle(settled).await;
        }
        let event = settled.event.clone();
        match (self.ask(away, inner.primary.settle(settled)).await, event) {
            // Its record has a name: where the primary did hear of it, it is not added again.
            (Err(error), Some(event)) if error.kind() == StoreErrorKind::Unavailable => {
                inner.serves()?;
                inner.memory.append(event).await
            }
            (answer, _) => answer,
        }
    }

    // While the primary is away what it may know is not kept beneath: the vendor reports it again.
    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let inner = &self.inner;
        if inner.memory.knows_sending(report) {
            return inner.memory.advance(report).await;
        }
        self.ask(self.away(), inner.primary.advance(report)).await
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        let inner = &self.inner;
        let away = self.away();
        match inner.memory.delivery(id).await? {
            Some(beneath) => Ok(Some(beneath)),
            None => self.ask(away, inner.primary.delivery(id)).await,
        }
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let inner = &self.inner;
        let above = inner.primary.failures(window.clone(), limit);
        let mut found = self.ask(self.away(), above).await?;
        found.extend(inner.memory.failures(window, limit).await?);
        found.sort_by_key(|failure| Reverse(failure.created_at));
        found.truncate(limit);
        Ok(found)
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let inner = &self.inner;
        let above = inner.primary.claim_resend(ids);
        let above = self.ask(self.away(), above).await?;
        let beneath = inner.memory.claim_resend(ids).await?;
        let claimed = |id: &&MessageId| above.contains(id) || beneath.contains(id);
        Ok(ids.iter().filter(claimed).cloned().collect())
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let inner = &self.inner;
        let away = self.away();
        let mut ended = inner.memory.fail_unsent(older_than, limit).await?;
        if away.is_none() {
            let rest = limit.saturating_sub(ended.len());
            let above = inner.primary.fail_unsent(older_than, rest);
            ended.extend(inner.above(above).await?);
        }
        Ok(ended)
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let inner = &self.inner;
        let away = self.away();
        let mut late = inner.memory.overdue(age.clone(), limit).await?;
        if away.is_none() {
            let rest = limit.saturating_sub(late.len());
            late.extend(inner.above(inner.primary.overdue(age, rest)).await?);
        }
        Ok(late)
    }
}
