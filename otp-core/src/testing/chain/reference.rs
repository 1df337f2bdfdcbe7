use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::ChainFixture;
use crate::clock::{Clock, ManualClock, SteadyClock, Timestamp};
use crate::event::Event;
use crate::event::chain::{ChainedRecord, Head, Record};
use crate::store::{
    AuditStore, ChainStore, Lease, OutboxEntry, SealBatch, SealerId, Sealing, StoreError,
};
use crate::testing::store::ReferenceStore;

/// The smallest store of a chain that keeps the contract, over the log of a [`ReferenceStore`].
#[derive(Clone, Debug)]
pub struct ReferenceChain {
    clock: SteadyClock,
    log: Arc<ReferenceStore>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct Kept {
    head: Head,
    lease: Option<(SealerId, Timestamp)>,
    links: BTreeMap<u64, ChainedRecord>,
    /// Up to which place the records were taken over elsewhere; they stay in the log.
    acknowledged: u64,
}

impl ReferenceChain {
    /// Makes an empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: SteadyClock::new(Arc::clone(&clock)),
            log: Arc::new(ReferenceStore::new(clock)),
            kept: Arc::new(Mutex::new(Kept {
                head: Head::START,
                lease: None,
                links: BTreeMap::new(),
                acknowledged: 0,
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AuditStore for ReferenceChain {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.log.append(event).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let after = after.unwrap_or_else(|| self.lock().acknowledged);
        self.log.outbox(Some(after), limit).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let all = self.log.outbox(None, usize::MAX).await?;
        let newest = all.last().map_or(0, |entry| entry.sequence);
        let mut kept = self.lock();
        kept.acknowledged = kept.acknowledged.max(up_to.min(newest));
        Ok(())
    }
}

#[async_trait]
impl ChainStore for ReferenceChain {
    async fn lease(&self, holder: &SealerId, life: Duration) -> Result<Lease, StoreError> {
        let now = self.clock.read()?;
        let mut kept = self.lock();
        let is_free = |(other, until): &(SealerId, Timestamp)| other == holder || *until <= now;
        if !kept.lease.as_ref().is_none_or(is_free) {
            return Ok(Lease::Taken);
        }
        kept.lease = Some((holder.clone(), now.saturating_add(life)));
        Ok(Lease::Held(kept.head))
    }

    async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
        let after = self.lock().head.sequence;
        let entries = self.log.outbox(Some(after), limit).await?;
        let record = |entry: OutboxEntry| Record::new(entry.sequence, entry.event);
        Ok(entries.into_iter().map(record).collect())
    }

    async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError> {
        let places: Vec<_> = batch.links.iter().map(|(sequence, _)| *sequence).collect();
        let before = places.first().map(|first| first.saturating_sub(1));
        let entries = self.log.outbox(before, places.len()).await?;
        let mut kept = self.lock();
        if kept.head != batch.from {
            return Ok(Sealing::Overtaken);
        }
        kept.head = batch.to;
        for (entry, (sequence, link)) in entries.into_iter().zip(batch.links) {
            let record = Record::new(entry.sequence, entry.event);
            kept.links.insert(sequence, ChainedRecord { record, link });
        }
        Ok(Sealing::Done)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.lock().head)
    }

    async fn sealed(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ChainedRecord>, StoreError> {
        let from = after.map_or(0, |after| after.saturating_add(1));
        let kept = self.lock();
        let links = kept.links.range(from..).map(|(_, link)| link.clone());
        Ok(links.take(limit).collect())
    }
}

/// A [`ReferenceChain`] on a clock that the test moves.
#[derive(Debug)]
pub struct ReferenceChainFixture {
    store: ReferenceChain,
    clock: ManualClock,
}

impl ReferenceChainFixture {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        let clock = ManualClock::default();
        let store = ReferenceChain::new(Arc::new(clock.clone()));
        Self { store, clock }
    }
}

impl Default for ReferenceChainFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl ChainFixture for ReferenceChainFixture {
    fn chain(&self) -> Arc<dyn ChainStore> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}
