use std::time::Duration;

use async_trait::async_trait;

use super::{Broken, Fault};
use crate::challenge::Lane;
use crate::event::{Event, EventId};
use crate::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use crate::store::{
    AuditStore, Block, BlockEntry, BlocklistStore, BudgetKey, BudgetReading, BudgetStore,
    ChallengeStore as _, OutboxEntry, QuotaStore, Seen, SeenStore, StoreError,
};

#[async_trait]
impl BudgetStore for Broken {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.inner.budget(key, rules).await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.inner.unlock(key, event).await
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.inner.disable(key, event).await
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        self.inner.carry_over(key, lane, guesses, event).await
    }
}

#[async_trait]
impl QuotaStore for Broken {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        if !self.has(Fault::ChargesOneByOne) {
            return self.inner.check_all(claims).await;
        }
        let mut readings = Vec::new();
        for claim in claims {
            readings.extend(self.inner.check_all(std::slice::from_ref(claim)).await?);
        }
        Ok(readings)
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.inner.peek(claims).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        self.inner.clear(keys).await
    }
}

#[async_trait]
impl BlocklistStore for Broken {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        let life = life.filter(|_| !self.has(Fault::BlocksForEver));
        self.inner.block(block, note, author, life, event).await
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        self.inner.unblock(block, event).await
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        self.inner.blocks(limit).await
    }
}

#[async_trait]
impl SeenStore for Broken {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        let seen = self.inner.first_seen(key, life).await?;
        if self.has(Fault::ProlongsMemory) {
            let now = self.inner.ping().await?;
            let until = now.saturating_add(life);
            self.tinker(|state| state.seen.insert(key.to_owned(), until));
        }
        Ok(seen)
    }
}

#[async_trait]
impl AuditStore for Broken {
    async fn append(&self, mut event: Event) -> Result<(), StoreError> {
        if self.has(Fault::AppendsTwice) {
            event.id = EventId::next();
        }
        self.inner.append(event).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.inner.outbox(after, limit).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let all = self.has(Fault::AcknowledgesAll);
        self.inner
            .acknowledge(if all { u64::MAX } else { up_to })
            .await
    }
}
