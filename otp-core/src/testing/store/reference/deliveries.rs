use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;

use super::{ReferenceStore, State};
use crate::clock::Timestamp;
use crate::delivery::{DeliveryState, MessageId, Report};
use crate::store::{
    Advanced, Delivery, DeliveryStore, KeptReport, NewDelivery, Settled, StoreError,
};

impl State {
    /// Writes the intent to send a message; one that is written already stays.
    pub(super) fn intend(&mut self, new: Option<NewDelivery>, now: Timestamp) {
        let new = new.filter(|new| !self.deliveries.iter().any(|known| known.id == new.id));
        self.deliveries
            .extend(new.map(|new| Delivery::queued(new, now)));
    }

    fn reported(&mut self, report: &Report) -> Option<&mut Delivery> {
        self.deliveries.iter_mut().find(|delivery| {
            delivery.provider.as_deref() == Some(report.provider())
                && delivery.reference.as_deref() == Some(report.reference())
        })
    }
}

#[async_trait]
impl DeliveryStore for ReferenceStore {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        let name = settled.provider.clone().zip(settled.reference.clone());
        let known = state.deliveries.iter_mut().find(|d| d.id == settled.id);
        if let Some(known) = known {
            known.settle(&settled, now);
            let own = known.provider.clone().zip(known.reference.clone());
            if let Some(kept) = name.filter(|name| own.as_ref() == Some(name))
                && let Some(kept) = state.reports.remove(&kept)
                && let Some(known) = state.deliveries.iter_mut().find(|d| d.id == settled.id)
            {
                known.take_kept(&kept, now);
            }
        }
        if let Some(event) = settled.event
            && !state.outbox.iter().any(|entry| entry.event.id == event.id)
        {
            state.record(event, now);
        }
        Ok(())
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let (mut state, now) = self.begin()?;
        if let Some(known) = state.reported(report) {
            return Ok(known.take(report, now));
        }
        let name = (report.provider().to_owned(), report.reference().to_owned());
        state
            .reports
            .entry(name)
            .and_modify(|kept| kept.add(report, now))
            .or_insert_with(|| KeptReport::new(report, now));
        Ok(Advanced::Unknown)
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        let (state, _) = self.begin()?;
        Ok(state.deliveries.iter().find(|d| d.id == *id).cloned())
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (state, _) = self.begin()?;
        let meant = |d: &&Delivery| d.is_failure() && window.contains(&d.created_at);
        let newest_first = state.deliveries.iter().rev().filter(meant);
        Ok(newest_first.take(limit).cloned().collect())
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let (mut state, now) = self.begin()?;
        let mut claimed = Vec::new();
        for id in ids {
            let meant = |d: &&mut Delivery| d.id == *id && d.is_failure() && d.resent_at.is_none();
            if let Some(failure) = state.deliveries.iter_mut().find(meant) {
                failure.resent_at = Some(now);
                claimed.push(id.clone());
            }
        }
        Ok(claimed)
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (mut state, now) = self.begin()?;
        let before = now.saturating_sub(older_than);
        let meant = |d: &&mut Delivery| d.is_unsettled() && !d.is_decoy() && d.created_at <= before;
        let mut ended = Vec::new();
        for unsent in state.deliveries.iter_mut().filter(meant).take(limit) {
            unsent.climb(Delivery::UNSENT, Some(Delivery::NOT_SENT_IN_TIME), now);
            ended.push(unsent.clone());
        }
        for unsent in &ended {
            state.record(unsent.unsent(), now);
        }
        Ok(ended)
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (mut state, now) = self.begin()?;
        let sent = now.saturating_sub(age.end)..=now.saturating_sub(age.start);
        let meant = |d: &&mut Delivery| {
            d.state == DeliveryState::Sent
                && d.overdue_at.is_none()
                && !d.is_decoy()
                && sent.contains(&d.updated_at)
        };
        let mut overdue = Vec::new();
        for late in state.deliveries.iter_mut().filter(meant).take(limit) {
            late.overdue_at = Some(now);
            overdue.push(late.clone());
        }
        Ok(overdue)
    }
}
