//! The chain over the newest records; its links go with them.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::event::chain::{ChainedRecord, Head, Link, Record};
use otp_core::store::{
    ChainStore, KeyHold, KeyUse, Lease, OutboxEntry, SealBatch, SealerId, Sealing, StoreError,
};

use super::MemoryStore;

/// The chain's end, who seals, and the links of records that are still there.
#[derive(Debug)]
pub(super) struct Chained {
    head: Head,
    lease: Option<(SealerId, Timestamp)>,
    links: BTreeMap<u64, Link>,
}

impl Default for Chained {
    fn default() -> Self {
        Self {
            head: Head::START,
            lease: None,
            links: BTreeMap::new(),
        }
    }
}

impl Chained {
    /// Says up to which record all are sealed; `None` where nobody has begun to.
    pub(super) fn sealed_up_to(&self) -> Option<u64> {
        let has_begun = self.lease.is_some() || self.head != Head::START;
        has_begun.then_some(self.head.sequence)
    }

    /// Adds a batch that begins where the chain ends; of its links, those of records from `first` on.
    pub(super) fn extend(&mut self, batch: SealBatch, first: u64) -> Sealing {
        if self.head != batch.from {
            return Sealing::Overtaken;
        }
        self.head = batch.to;
        let links = batch.links.into_iter();
        self.links
            .extend(links.filter(|(sequence, _)| *sequence >= first));
        Sealing::Done
    }

    pub(super) fn forget(&mut self, sequence: u64) {
        self.links.remove(&sequence);
    }

    fn of(&self, entry: &OutboxEntry) -> Option<ChainedRecord> {
        let link = self.links.get(&entry.sequence)?.clone();
        let record = Record::new(entry.sequence, entry.event.clone());
        Some(ChainedRecord { record, link })
    }
}

#[async_trait]
impl ChainStore for MemoryStore {
    async fn lease(&self, holder: &SealerId, life: Duration) -> Result<Lease, StoreError> {
        let now = self.now()?;
        let mut outbox = self.inner.outbox.records();
        let chain = &mut outbox.chain;
        let is_taken = |(other, until): &(SealerId, Timestamp)| other != holder && now < *until;
        if chain.lease.as_ref().is_some_and(is_taken) {
            return Ok(Lease::Taken);
        }
        chain.lease = Some((holder.clone(), now.saturating_add(life)));
        Ok(Lease::Held(chain.head))
    }

    async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
        let outbox = self.inner.outbox.records();
        let entries = outbox.after(outbox.chain.head.sequence).take(limit);
        Ok(entries
            .map(|entry| Record::new(entry.sequence, entry.event.clone()))
            .collect())
    }

    async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError> {
        Ok(self.inner.outbox.seal(batch))
    }

    async fn head(&self) -> Result<Head, StoreError> {
        Ok(self.inner.outbox.records().chain.head)
    }

    async fn sealed(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ChainedRecord>, StoreError> {
        let outbox = self.inner.outbox.records();
        let entries = outbox.after(after.unwrap_or_default());
        let chained = entries.filter_map(|entry| outbox.chain.of(entry));
        Ok(chained.take(limit).collect())
    }

    async fn sealed_by(&self) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses = Vec::new();
        for link in self.inner.outbox.records().chain.links.values() {
            KeyUse::add(&mut uses, *link.seal.key(), KeyHold::Chain, None);
        }
        Ok(uses)
    }
}
