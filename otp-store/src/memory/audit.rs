use std::collections::{HashSet, VecDeque};
use std::num::NonZeroUsize;

use async_trait::async_trait;
use otp_core::event::{Event, EventId};
use otp_core::store::{AuditStore, OutboxEntry, SealBatch, Sealing, StoreError};

use super::MemoryStore;
use super::chain::Chained;

/// The newest records. There is no room for all of them in memory: of a full outbox the oldest
/// goes, and the gap in the sequence shows it.
#[derive(Debug)]
pub(super) struct Outbox {
    records: VecDeque<OutboxEntry>,
    /// The ids of those that came alone: only they are ever sent twice.
    appended: HashSet<EventId>,
    next: u64,
    /// Up to which place the records were taken over elsewhere. Those that are still to be sealed
    /// stay for that.
    acknowledged: u64,
    capacity: usize,
    pub(super) chain: Chained,
}

impl Outbox {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            records: VecDeque::new(),
            appended: HashSet::new(),
            next: 1,
            acknowledged: 0,
            capacity: capacity.get(),
            chain: Chained::default(),
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        if self.records.len() >= self.capacity {
            self.drop_first(1);
        }
        self.records.push_back(OutboxEntry {
            sequence: self.next,
            event,
        });
        self.next = self.next.saturating_add(1);
    }

    #[cfg(feature = "composite")]
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn append(&mut self, event: Event) {
        if self.appended.insert(event.id) {
            self.push(event);
        }
    }

    /// Gives the records after a place, oldest first.
    pub(super) fn after(&self, place: u64) -> impl Iterator<Item = &OutboxEntry> {
        let from = self
            .records
            .partition_point(|entry| entry.sequence <= place);
        self.records.iter().skip(from)
    }

    /// Stores links of a batch, of those records that are still there.
    pub(super) fn seal(&mut self, batch: SealBatch) -> Sealing {
        let first = self.records.front().map_or(self.next, |one| one.sequence);
        let sealing = self.chain.extend(batch, first);
        self.let_go();
        sealing
    }

    fn let_go(&mut self) {
        let up_to = match self.chain.sealed_up_to() {
            Some(sealed) => self.acknowledged.min(sealed),
            None => self.acknowledged,
        };
        let over = self
            .records
            .partition_point(|entry| entry.sequence <= up_to);
        self.drop_first(over);
    }

    fn drop_first(&mut self, count: usize) {
        for entry in self.records.drain(..count.min(self.records.len())) {
            self.appended.remove(&entry.event.id);
            self.chain.forget(entry.sequence);
        }
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let now = self.now()?;
        self.outbox_lock().append(event.at(now));
        Ok(())
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let outbox = self.outbox_lock();
        let entries = outbox.after(after.unwrap_or(outbox.acknowledged));
        Ok(entries.take(limit).cloned().collect())
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let mut outbox = self.outbox_lock();
        outbox.acknowledged = outbox
            .acknowledged
            .max(up_to.min(outbox.next.saturating_sub(1)));
        outbox.let_go();
        Ok(())
    }
}
