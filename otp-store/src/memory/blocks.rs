use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::store::{Block, BlockEntry, BlocklistStore, StoreError};

use super::MemoryStore;
use super::seen::drop_over;

/// The blocklist. It is the operator's own size, not an attacker's, so it has no bound.
pub(super) type Blocks = HashMap<Block, BlockEntry>;

impl MemoryStore {
    /// Finds which of the values are blocked now.
    pub(super) fn blocked(&self, wanted: &[Block], now: Timestamp) -> Vec<Block> {
        let blocks = self
            .inner
            .blocks
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if blocks.is_empty() {
            return Vec::new();
        }
        wanted
            .iter()
            .filter(|block| blocks.get(*block).is_some_and(|entry| holds(entry, now)))
            .cloned()
            .collect()
    }

    pub(super) fn purge_blocks(&self, limit: usize, now: Timestamp) -> usize {
        let mut blocks = self
            .inner
            .blocks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        drop_over(&mut blocks, limit, |entry| !holds(entry, now))
    }
}

fn holds(entry: &BlockEntry, now: Timestamp) -> bool {
    entry.expires_at.is_none_or(|until| now < until)
}

#[async_trait]
impl BlocklistStore for MemoryStore {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        let now = self.now()?;
        let entry = BlockEntry {
            block: block.clone(),
            note: note.to_owned(),
            author: author.to_owned(),
            added_at: now,
            expires_at: life.map(|life| now.saturating_add(life)),
        };
        let mut blocks = self
            .inner
            .blocks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        blocks.insert(block.clone(), entry);
        self.inner.outbox.push(event.at(now));
        Ok(())
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        let now = self.now()?;
        let mut blocks = self
            .inner
            .blocks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        blocks.remove(block);
        self.inner.outbox.push(event.at(now));
        Ok(())
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        let now = self.now()?;
        let blocks = self
            .inner
            .blocks
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut held: Vec<BlockEntry> = blocks
            .values()
            .filter(|entry| holds(entry, now))
            .cloned()
            .collect();
        held.sort_by(|a, b| {
            b.added_at
                .cmp(&a.added_at)
                .then_with(|| a.block.cmp(&b.block))
        });
        held.truncate(limit);
        Ok(held)
    }
}
