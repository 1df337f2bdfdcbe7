use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryState, MessageId, Report};
use otp_core::event::Event;
use otp_core::store::{
    Advanced, Delivery, DeliveryStore, KeptReport, NewDelivery, Settled, StoreError,
};

use super::seen::drop_over;
use super::{MemoryStore, lock};

/// How many of the oldest are looked at for one that nobody will ask for.
const LOOKED_AT: usize = 64;

/// Who sent a message, and under which name.
type Name = (String, String);

/// The newest messages. Of a full table what went well and is oldest goes, else the oldest.
#[derive(Debug)]
pub(super) struct Deliveries {
    rows: HashMap<MessageId, Delivery>,
    /// Oldest first.
    order: VecDeque<MessageId>,
    names: HashMap<Name, MessageId>,
    reports: HashMap<Name, KeptReport>,
    capacity: usize,
}

impl Deliveries {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            rows: HashMap::new(),
            order: VecDeque::new(),
            names: HashMap::new(),
            reports: HashMap::new(),
            capacity: capacity.get(),
        }
    }

    /// Writes the intent to send a message; one that is written already stays.
    pub(super) fn intend(&mut self, new: Option<NewDelivery>, now: Timestamp) {
        let Some(new) = new.filter(|new| !self.rows.contains_key(&new.id)) else {
            return;
        };
        if self.rows.len() >= self.capacity {
            self.evict();
        }
        self.order.push_back(new.id.clone());
        self.rows.insert(new.id.clone(), Delivery::queued(new, now));
    }

    fn evict(&mut self) {
        let dull = |id: &MessageId| {
            let row = self.rows.get(id);
            row.is_none_or(|row| !row.is_unsettled() && !row.is_failure())
        };
        let at = self.order.iter().take(LOOKED_AT).position(dull);
        if let Some(id) = self.order.remove(at.unwrap_or_default()) {
            self.remove(&id);
        }
    }

    /// Takes a message out of every table but the order.
    fn remove(&mut self, id: &MessageId) {
        if let Some(row) = self.rows.remove(id)
            && let Some(name) = row.provider.zip(row.reference)
        {
            self.names.remove(&name);
        }
    }

    fn settle(&mut self, settled: &Settled, now: Timestamp) {
        let Some(row) = self.rows.get_mut(&settled.id) else {
            return;
        };
        row.settle(settled, now);
        let (Some(provider), Some(reference)) = (&row.provider, &row.reference) else {
            return;
        };
        let name = (provider.clone(), reference.clone());
        if let Some(kept) = self.reports.remove(&name) {
            row.take_kept(&kept, now);
        }
        self.names.insert(name, settled.id.clone());
    }

    #[cfg(feature = "composite")]
    pub(super) fn knows(&self, report: &Report) -> bool {
        let name = (report.provider().to_owned(), report.reference().to_owned());
        self.names.contains_key(&name)
    }

    fn advance(&mut self, report: &Report, now: Timestamp) -> Advanced {
        let name = (report.provider().to_owned(), report.reference().to_owned());
        let id = self.names.get(&name);
        if let Some(row) = id.and_then(|id| self.rows.get_mut(id)) {
            return row.take(report, now);
        }
        if self.reports.len() >= self.capacity && !self.reports.contains_key(&name) {
            self.reports.retain(|_, kept| now < kept.until);
        }
        // Of a full table none goes for a newer one: whose message is on its way was there first.
        if self.reports.len() < self.capacity || self.reports.contains_key(&name) {
            self.reports
                .entry(name)
                .and_modify(|kept| kept.add(report, now))
                .or_insert_with(|| KeptReport::new(report, now));
        }
        Advanced::Unknown
    }

    fn failures(&self, window: &Range<Timestamp>, limit: usize) -> Vec<Delivery> {
        let newest_first = self.order.iter().rev().filter_map(|id| self.rows.get(id));
        newest_first
            .filter(|row| row.is_failure() && window.contains(&row.created_at))
            .take(limit)
            .cloned()
            .collect()
    }

    fn claim(&mut self, ids: &[MessageId], now: Timestamp) -> Vec<MessageId> {
        let mut claimed = Vec::new();
        for id in ids {
            let row = self.rows.get_mut(id);
            if let Some(row) = row.filter(|row| row.is_failure() && row.resent_at.is_none()) {
                row.resent_at = Some(now);
                claimed.push(id.clone());
            }
        }
        claimed
    }

    /// Changes the oldest that are meant, and answers them as they are then.
    fn change(
        &mut self,
        limit: usize,
        meant: impl Fn(&Delivery) -> bool,
        change: impl Fn(&mut Delivery),
    ) -> Vec<Delivery> {
        let mut changed = Vec::new();
        for id in &self.order {
            if changed.len() >= limit {
                break;
            }
            if let Some(row) = self.rows.get_mut(id).filter(|row| meant(row)) {
                change(row);
                changed.push(row.clone());
            }
        }
        changed
    }

    pub(super) fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        let over = |row: &Delivery| row.kept_until() <= now;
        let gone: Vec<MessageId> = self
            .order
            .iter()
            .filter(|id| self.rows.get(id).is_some_and(over))
            .take(limit)
            .cloned()
            .collect();
        for id in &gone {
            self.remove(id);
        }
        if !gone.is_empty() {
            self.order.retain(|id| self.rows.contains_key(id));
        }
        let rest = limit.saturating_sub(gone.len());
        let kept = drop_over(&mut self.reports, rest, |kept| kept.until <= now);
        gone.len().saturating_add(kept)
    }
}

#[async_trait]
impl DeliveryStore for MemoryStore {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        let now = self.now()?;
        let mut deliveries = lock(&self.inner.deliveries);
        deliveries.settle(&settled, now);
        if let Some(event) = settled.event {
            self.outbox_lock().append(event.at(now));
        }
        Ok(())
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let now = self.now()?;
        Ok(lock(&self.inner.deliveries).advance(report, now))
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.now()?;
        Ok(lock(&self.inner.deliveries).rows.get(id).cloned())
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.now()?;
        Ok(lock(&self.inner.deliveries).failures(&window, limit))
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let now = self.now()?;
        Ok(lock(&self.inner.deliveries).claim(ids, now))
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let now = self.now()?;
        let before = now.saturating_sub(older_than);
        let mut deliveries = lock(&self.inner.deliveries);
        let ended = deliveries.change(
            limit,
            |row| row.is_unsettled() && !row.is_decoy() && row.created_at <= before,
            |row| {
                row.climb(Delivery::UNSENT, Some(Delivery::NOT_SENT_IN_TIME), now);
            },
        );
        let mut outbox = self.outbox_lock();
        for record in ended.iter().map(Delivery::unsent) {
            outbox.push(Event::at(record, now));
        }
        Ok(ended)
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let now = self.now()?;
        let sent = now.saturating_sub(age.end)..=now.saturating_sub(age.start);
        let mut deliveries = lock(&self.inner.deliveries);
        Ok(deliveries.change(
            limit,
            |row| {
                row.state == DeliveryState::Sent
                    && row.overdue_at.is_none()
                    && !row.is_decoy()
                    && sent.contains(&row.updated_at)
            },
            |row| row.overdue_at = Some(now),
        ))
    }
}

#[cfg(test)]
mod tests {
    use otp_core::testing::store::kit;

    use super::*;

    #[test]
    fn of_a_full_table_the_oldest_that_went_well_goes_and_a_failure_stays() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let mut table = Deliveries::new(NonZeroUsize::MIN.saturating_add(2));
        let mut ids = Vec::new();
        for (subject, state) in [
            (
                "ann",
                DeliveryState::Failed(otp_core::delivery::DeliveryErrorKind::Timeout),
            ),
            ("bob", DeliveryState::Sent),
            ("cy", DeliveryState::Sent),
            ("dan", DeliveryState::Sent),
        ] {
            let new = kit::delivery(&kit::challenge(subject, now));
            ids.push(new.id.clone());
            table.intend(Some(new.clone()), now);
            table.settle(&kit::settled(&new, state), now);
        }
        let kept: Vec<bool> = ids.iter().map(|id| table.rows.contains_key(id)).collect();
        assert_eq!(kept, [true, false, true, true]);
        assert_eq!((table.order.len(), table.names.len()), (3, 2));
    }

    #[test]
    fn a_table_full_of_failures_takes_what_is_new() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let mut table = Deliveries::new(NonZeroUsize::MIN);
        for subject in ["ann", "bob"] {
            let new = kit::delivery(&kit::challenge(subject, now));
            table.intend(Some(new.clone()), now);
            assert!(table.rows.contains_key(&new.id), "{subject}");
        }
        assert_eq!(table.rows.len(), 1);
    }
}
