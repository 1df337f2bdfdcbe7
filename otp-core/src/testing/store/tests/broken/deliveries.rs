use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;

use super::{Broken, Fault};
use crate::clock::Timestamp;
use crate::delivery::{MessageId, Report};
use crate::store::{Advanced, Delivery, DeliveryStore, Settled, StoreError};

#[async_trait]
impl DeliveryStore for Broken {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        if self.has(Fault::SettlesAnew) {
            self.change(&settled.id, |known| known.provider = None);
        }
        if self.has(Fault::LosesEarlyReports) {
            self.tinker(|state| state.reports.clear());
        }
        self.inner.settle(settled).await
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let advanced = self.inner.advance(report).await?;
        if self.has(Fault::GoesBackwards) {
            self.tinker(|state| {
                for known in &mut state.deliveries {
                    known.state = report.state();
                }
            });
        }
        Ok(advanced)
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.inner.delivery(id).await
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut found = self.inner.failures(window.clone(), limit).await?;
        if self.has(Fault::ListsDecoys) {
            let failed = |d: &&Delivery| d.state.failure().is_some() && d.is_decoy();
            self.tinker(|state| found.extend(state.deliveries.iter().filter(failed).cloned()));
        }
        Ok(found)
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let claimed = self.inner.claim_resend(ids).await?;
        if self.has(Fault::ClaimsForAll) {
            return Ok(ids.to_vec());
        }
        Ok(claimed)
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let ended = self.inner.fail_unsent(older_than, limit).await?;
        if self.has(Fault::LosesTheRecord) {
            self.tinker(|state| state.outbox.clear());
        }
        Ok(ended)
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let noticed = self.inner.overdue(age, limit).await?;
        if self.has(Fault::NoticesForEver) {
            for late in &noticed {
                self.change(&late.id, |known| known.overdue_at = None);
            }
        }
        Ok(noticed)
    }
}

impl Broken {
    fn change(&self, id: &MessageId, change: impl FnOnce(&mut Delivery)) {
        self.tinker(|state| {
            state
                .deliveries
                .iter_mut()
                .find(|known| known.id == *id)
                .map(change)
        });
    }
}
