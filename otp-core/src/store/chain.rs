use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::event::chain::{Chain, ChainedRecord, Head, Link, Record};
use crate::key::KeySet;
use crate::random::{RandomError, SecureRandom};

use super::{AuditStore, KeyHold, KeyUse, StoreError};

/// Keeps the audit log's [chain](crate::event::chain): one for all instances that share the store.
///
/// The log is that of [`AuditStore`]; a link is stored beside its record. A record is unsealed from
/// the step that makes it true until a [`Sealer`](crate::audit::Sealer) links it, about a second
/// later.
///
/// # Contract
/// Whatever racing callers do, links are stored in the order of the log, each once: a batch is
/// stored where it follows upon the end of the chain as it is at that moment, and else changes
/// nothing. The lease only saves work.
#[async_trait]
pub trait ChainStore: AuditStore {
    /// Takes the lease, or takes it anew, for so long. Of racing callers one has it; it lapses by
    /// itself, by the store's clock.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn lease(&self, holder: &SealerId, life: Duration) -> Result<Lease, StoreError>;

    /// Reads records that are not sealed yet, in the order of the log: those before which no other
    /// can come any more, and none beyond one that only a later version of this library can read.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// Stores the links of a batch and moves the end of the chain on, in one step, where the chain
    /// still ends where the batch begins.
    ///
    /// # Errors
    /// [`StoreError`]. Where its outcome is unknown, [`head`](Self::head) tells it.
    async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError>;

    /// Reads the end of the chain.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn head(&self) -> Result<Head, StoreError>;

    /// Reads sealed records after a place in the log, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sealed(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ChainedRecord>, StoreError>;

    /// Counts the seals of the records that are still there by their keys, for an operator. An
    /// engine that keeps a long log keeps the counts beside it; without a body of its own it reads
    /// the whole log, page by page.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sealed_by(&self) -> Result<Vec<KeyUse>, StoreError> {
        let (mut uses, mut after) = (Vec::new(), None);
        loop {
            let page = self.sealed(after, PAGE).await?;
            for one in &page {
                KeyUse::add(&mut uses, *one.link.seal.key(), KeyHold::Chain, None);
            }
            match page.last().map(|one| one.record.sequence) {
                Some(last) if Some(last) > after => after = Some(last),
                _ => return Ok(uses),
            }
        }
    }
}

/// How many records are read at once.
const PAGE: usize = 1_000;

/// Names one sealer among the instances: 64 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct SealerId(Box<str>);

impl SealerId {
    /// Draws a name.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        let mut bytes = [0; 8];
        random.fill(&mut bytes)?;
        Ok(Self(format!("{:016x}", u64::from_be_bytes(bytes)).into()))
    }

    /// Gives the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SealerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealerId({})", self.0)
    }
}

/// Who seals at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lease {
    /// The caller; the chain ends there.
    Held(Head),
    /// Another one.
    Taken,
}

/// Links to be stored together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealBatch {
    /// Who seals.
    pub holder: SealerId,
    /// Where the chain ended when they were made.
    pub from: Head,
    /// Each record's place in the log, and its link.
    pub links: Vec<(u64, Link)>,
    /// Where the chain ends with them.
    pub to: Head,
}

impl SealBatch {
    /// Links records, in their order, to an end of the chain; seals are made with the current key.
    #[must_use]
    pub fn link(holder: &SealerId, from: Head, records: Vec<Record>, keys: Arc<KeySet>) -> Self {
        let mut chain = Chain::after(from, keys);
        let link = |record| {
            let ChainedRecord { record, link } = chain.add(record);
            (record.sequence, link)
        };
        let links = records.into_iter().map(link).collect();
        Self {
            holder: holder.clone(),
            from,
            links,
            to: *chain.head(),
        }
    }
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sealing {
    /// It is stored.
    Done,
    /// Another one was faster, and nothing is changed.
    Overtaken,
}
