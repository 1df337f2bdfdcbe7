//! Everything is decided, and recorded, in one place; the outbox is the other's.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome, Lane};
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{
    Admission, AuditStore, Block, BlockEntry, BlocklistStore, BudgetKey, BudgetReading,
    BudgetStore, ChallengeQuery, ChallengeStore, Condition, Consume, Duty, EngineStatus,
    IdempotencyKey, Insert, OutboxEntry, Plan, PolicyStore, QuotaStore, Reissue, Reject,
    Revocation, Seen, SeenStore, Store, StoreError,
};

use super::{READERS_PAGES, Split};

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> ChallengeStore for Split<D, A> {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.inner.decisions.admit(plan).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        self.inner.decisions.insert(insert).await
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        self.inner.decisions.reissue(reissue).await
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        self.inner.decisions.consume(consume).await
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        self.inner.decisions.reject(reject).await
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.inner.decisions.find(id).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        self.inner.decisions.list(query, limit).await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        self.inner.decisions.revoke(revocation).await
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.inner.decisions.release(key).await
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        self.inner.decisions.ping().await
    }

    fn engine(&self) -> &'static str {
        self.inner.decisions.engine()
    }

    async fn status(&self) -> Vec<EngineStatus> {
        let mut engines = self.inner.decisions.status().await;
        // An audit store has no clock to ask for: that it can be read is its sign of life.
        let condition = match self.inner.audit.outbox(None, 1).await {
            Ok(_) => Condition::Connected,
            Err(error) => Condition::Down(error.kind()),
        };
        engines.push(EngineStatus {
            engine: self.inner.audit_engine,
            duty: Duty::Audit,
            condition,
        });
        engines
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        self.inner.decisions.purge(limit).await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> BudgetStore for Split<D, A> {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.inner.decisions.budget(key, rules).await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.inner.decisions.unlock(key, event).await
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.inner.decisions.disable(key, event).await
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        self.inner
            .decisions
            .carry_over(key, lane, guesses, event)
            .await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> QuotaStore for Split<D, A> {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.inner.decisions.check_all(claims).await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.inner.decisions.peek(claims).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        self.inner.decisions.clear(keys).await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> BlocklistStore for Split<D, A> {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        self.inner
            .decisions
            .block(block, note, author, life, event)
            .await
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        self.inner.decisions.unblock(block, event).await
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        self.inner.decisions.blocks(limit).await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> SeenStore for Split<D, A> {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        self.inner.decisions.first_seen(key, life).await
    }
}

#[async_trait]
impl<D: Store, A: AuditStore + PolicyStore> AuditStore for Split<D, A> {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.inner.decisions.append(event).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        // What cannot be handed over waits; what was can be read all the same.
        let _ = self.hand_over_pages(READERS_PAGES).await;
        self.inner.audit.outbox(after, limit).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let _ = self.hand_over().await;
        self.inner.audit.acknowledge(up_to).await
    }
}
