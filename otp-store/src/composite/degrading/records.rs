//! The blocklist, replay memory and the audit outbox.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{
    AuditStore, Block, BlockEntry, BlocklistStore, ChallengeStore as _, OutboxEntry, Seen,
    SeenStore, Store, StoreError, StoreErrorKind,
};

use super::{Degrading, Inner};

/// How many blocks are copied down at the most: the newest.
const MOST_BLOCKS: usize = 100_000;

#[async_trait]
impl<P: Store> BlocklistStore for Degrading<P> {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        let call = self.inner.primary.block(block, note, author, life, event);
        self.ask(self.away(), call).await?;
        // The block holds; a copy that fails now is made with the next round of upkeep.
        self.inner.copy_blocks().await.or(Ok(()))
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        let call = self.inner.primary.unblock(block, event);
        self.ask(self.away(), call).await?;
        self.inner.copy_blocks().await.or(Ok(()))
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        match self.away() {
            None => self.inner.above(self.inner.primary.blocks(limit)).await,
            Some(_) => {
                self.inner.serves()?;
                self.inner.memory.blocks(limit).await
            }
        }
    }
}

impl<P: Store> Inner<P> {
    /// Puts what is blocked above in place of what is blocked beneath, dated by the clock beneath.
    pub(super) async fn copy_blocks(&self) -> Result<(), StoreError> {
        let _alone = self.copying.lock().await;
        let there = self.above(self.primary.ping()).await?;
        let mut entries = self.above(self.primary.blocks(MOST_BLOCKS)).await?;
        let here = self.memory.ping().await?;
        for entry in &mut entries {
            entry.expires_at = entry
                .expires_at
                .map(|end| here.saturating_add(end.since(there)));
        }
        self.memory.mirror(entries);
        Ok(())
    }
}

// What was seen above is not known beneath: to let a thing happen once, it must be asked there.
#[async_trait]
impl<P: Store> SeenStore for Degrading<P> {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        self.ask(self.away(), self.inner.primary.first_seen(key, life))
            .await
    }
}

#[async_trait]
impl<P: Store> AuditStore for Degrading<P> {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let inner = &self.inner;
        let answer = self
            .ask(self.away(), inner.primary.append(event.clone()))
            .await;
        match answer {
            // It has a name: where the primary did hear of it, it is not added again.
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                inner.serves()?;
                inner.memory.append(event).await
            }
            answer => answer,
        }
    }

    // Its places are the primary's: what waits beneath is read when it was told there.
    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.ask(self.away(), self.inner.primary.outbox(after, limit))
            .await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.acknowledge(up_to))
            .await
    }
}
