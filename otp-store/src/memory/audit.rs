use std::collections::{HashSet, VecDeque};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use otp_core::event::{Event, EventId};
use otp_core::store::{AuditStore, OutboxEntry, SealBatch, Sealing, StoreError};

use super::chain::Chained;
use super::lanes::Lanes;
use super::{MemoryStore, lock};

/// How many records wait in a lane at the most.
const WAITING: usize = 256;

/// The newest records, in one order, without one lock for all who write: a record gets its place in
/// a lane that its id names, and whoever reads brings the lanes together.
#[derive(Debug)]
pub(super) struct Outbox {
    next: AtomicU64,
    lanes: Lanes<Lane>,
    records: Mutex<Records>,
}

#[derive(Debug)]
struct Lane {
    /// How many wait here at the most.
    room: usize,
    /// In order: a place is given under the lane's lock.
    waiting: Vec<OutboxEntry>,
    /// The ids of those that came alone: only they are ever sent twice.
    appended: HashSet<EventId>,
}

/// The records that were brought together. There is no room for all of them in memory: of a full
/// outbox the oldest goes, and the gap in the sequence shows it.
#[derive(Debug)]
pub(super) struct Records {
    entries: VecDeque<OutboxEntry>,
    /// The place that nobody has reached here.
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
            next: AtomicU64::new(1),
            lanes: Lanes::new(capacity, |share| Lane {
                room: share.min(WAITING),
                waiting: Vec::new(),
                appended: HashSet::new(),
            }),
            records: Mutex::new(Records {
                entries: VecDeque::new(),
                next: 1,
                acknowledged: 0,
                capacity: capacity.get(),
                chain: Chained::default(),
            }),
        }
    }

    pub(super) fn push(&self, event: Event) {
        self.put(event, |_| true);
    }

    /// Adds a record once, however often it comes.
    pub(super) fn append(&self, event: Event) {
        let id = event.id;
        self.put(event, |lane| lane.appended.insert(id));
    }

    fn put(&self, event: Event, is_new: impl FnOnce(&mut Lane) -> bool) {
        let is_full = {
            let mut lane = self.lanes.of(&event.id);
            if !is_new(&mut lane) {
                return;
            }
            let sequence = self.next.fetch_add(1, Ordering::Relaxed);
            lane.waiting.push(OutboxEntry { sequence, event });
            lane.waiting.len() >= lane.room
        };
        if is_full {
            drop(self.records());
        }
    }

    /// Brings together all that is written.
    ///
    /// Places below the one that is next now were given under locks of lanes, each of which is
    /// taken after that: none of them can be missed, and what came since waits for the next reader.
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        let mut records = lock(&self.records);
        let next = self.next.load(Ordering::Relaxed);
        let mut fresh = Vec::new();
        for mut lane in self.lanes.each() {
            let up_to = lane.waiting.partition_point(|entry| entry.sequence < next);
            fresh.extend(lane.waiting.drain(..up_to));
        }
        fresh.sort_unstable_by_key(|entry| entry.sequence);
        records.next = next;
        self.forget(records.add(fresh));
        records
    }

    /// Stores links of a batch, of those records that are still there.
    pub(super) fn seal(&self, batch: SealBatch) -> Sealing {
        let mut records = self.records();
        let first = records.entries.front();
        let first = first.map_or(records.next, |one| one.sequence);
        let sealing = records.chain.extend(batch, first);
        self.forget(records.let_go());
        sealing
    }

    fn acknowledge(&self, up_to: u64) {
        let mut records = self.records();
        let known = up_to.min(records.next.saturating_sub(1));
        records.acknowledged = records.acknowledged.max(known);
        self.forget(records.let_go());
    }

    /// Lets the ids of records go that are gone.
    fn forget(&self, gone: Vec<EventId>) {
        for id in gone {
            self.lanes.of(&id).appended.remove(&id);
        }
    }
}

impl Records {
    #[cfg(feature = "composite")]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives the records after a place, oldest first.
    pub(super) fn after(&self, place: u64) -> impl Iterator<Item = &OutboxEntry> {
        let from = self
            .entries
            .partition_point(|entry| entry.sequence <= place);
        self.entries.iter().skip(from)
    }

    fn add(&mut self, fresh: Vec<OutboxEntry>) -> Vec<EventId> {
        self.entries.extend(fresh);
        let over = self.entries.len().saturating_sub(self.capacity);
        self.drop_first(over)
    }

    fn let_go(&mut self) -> Vec<EventId> {
        let up_to = match self.chain.sealed_up_to() {
            Some(sealed) => self.acknowledged.min(sealed),
            None => self.acknowledged,
        };
        let over = self
            .entries
            .partition_point(|entry| entry.sequence <= up_to);
        self.drop_first(over)
    }

    fn drop_first(&mut self, count: usize) -> Vec<EventId> {
        let gone = self.entries.drain(..count.min(self.entries.len()));
        gone.map(|entry| {
            self.chain.forget(entry.sequence);
            entry.event.id
        })
        .collect()
    }
}

#[async_trait]
impl AuditStore for MemoryStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let now = self.now()?;
        self.inner.outbox.append(event.at(now));
        Ok(())
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let outbox = self.inner.outbox.records();
        let entries = outbox.after(after.unwrap_or(outbox.acknowledged));
        Ok(entries.take(limit).cloned().collect())
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        self.inner.outbox.acknowledge(up_to);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use otp_core::event::EventKind;
    use otp_core::request::Tenant;

    use super::*;

    fn record() -> Event {
        Event::new(EventKind::OperatorAction, &Tenant::default())
    }

    const WRITERS: u64 = 8;
    const EACH: u64 = 4_000;

    #[test]
    fn what_many_write_at_once_is_read_in_one_order_without_a_gap() {
        let outbox = Outbox::new(NonZeroUsize::MIN.saturating_add(1_000_000));
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        outbox.push(record());
                    }
                });
            }
            let mut last = 0;
            while last < WRITERS * EACH {
                for entry in outbox.records().after(last) {
                    assert_eq!(entry.sequence, last + 1);
                    last = entry.sequence;
                }
            }
        });
    }

    #[test]
    fn a_full_outbox_keeps_the_newest_and_lets_their_ids_go_with_the_others() {
        let outbox = Outbox::new(NonZeroUsize::MIN.saturating_add(2_047));
        let first = record();
        outbox.append(first.clone());
        outbox.append(first.clone());
        for _ in 0..10_000 {
            outbox.append(record());
        }
        let kept: Vec<u64> = outbox.records().after(0).map(|one| one.sequence).collect();
        assert_eq!(kept, (7_954..=10_001).collect::<Vec<_>>());
        let ids: usize = outbox.lanes.each().map(|lane| lane.appended.len()).sum();
        assert_eq!(ids, kept.len());
    }
}
