//! Everything is the primary's. What is not copied is not answered from beneath.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome, Lane};
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{
    Admission, AuditStore, Block, BlockEntry, BlocklistStore, BudgetKey, BudgetReading,
    BudgetStore, ChallengeQuery, ChallengeStore, Condition, Consume, Duty, EngineStatus,
    IdempotencyKey, Insert, OutboxEntry, Plan, QuotaStore, Reissue, Reject, Revocation, Seen,
    SeenStore, Store, StoreError, StoreErrorKind,
};

use super::ReadOnlyFallback;

#[async_trait]
impl<P: Store, M: Store> ChallengeStore for ReadOnlyFallback<P, M> {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.ask(self.away(), self.inner.primary.admit(plan)).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.insert(insert))
            .await
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.reissue(reissue))
            .await
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        self.ask(self.away(), self.inner.primary.consume(consume))
            .await
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.reject(reject))
            .await
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.ask(self.away(), self.inner.primary.find(id)).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        self.ask(self.away(), self.inner.primary.list(query, limit))
            .await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        self.ask(self.away(), self.inner.primary.revoke(revocation))
            .await
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.release(key)).await
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        self.ask(self.away(), self.inner.primary.ping()).await
    }

    fn engine(&self) -> &'static str {
        self.inner.primary.engine()
    }

    async fn status(&self) -> Vec<EngineStatus> {
        let condition = match self.ping().await {
            Ok(_) => Condition::Connected,
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                Condition::ReadOnly(StoreErrorKind::Unavailable)
            }
            // Other errors are the primary's own answers: nothing is read in its place.
            Err(error) => Condition::Down(error.kind()),
        };
        vec![EngineStatus {
            engine: self.engine(),
            duty: Duty::Decisions,
            condition,
        }]
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        self.ask(self.away(), self.inner.primary.purge(limit)).await
    }
}

#[async_trait]
impl<P: Store, M: Store> BudgetStore for ReadOnlyFallback<P, M> {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.ask(self.away(), self.inner.primary.budget(key, rules))
            .await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.unlock(key, event))
            .await
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.disable(key, event))
            .await
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        self.ask(
            self.away(),
            self.inner.primary.carry_over(key, lane, guesses, event),
        )
        .await
    }
}

#[async_trait]
impl<P: Store, M: Store> QuotaStore for ReadOnlyFallback<P, M> {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.ask(self.away(), self.inner.primary.check_all(claims))
            .await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.ask(self.away(), self.inner.primary.peek(claims)).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.clear(keys)).await
    }
}

#[async_trait]
impl<P: Store, M: Store> BlocklistStore for ReadOnlyFallback<P, M> {
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
        // The block holds; a copy that fails now is made with the next round.
        self.inner.copy_blocks().await.or(Ok(()))
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        let call = self.inner.primary.unblock(block, event);
        self.ask(self.away(), call).await?;
        self.inner.copy_blocks().await.or(Ok(()))
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        let call = self.inner.primary.blocks(limit);
        match self.ask(self.away(), call).await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.inner.copy.blocks(limit).await
            }
            answer => answer,
        }
    }
}

#[async_trait]
impl<P: Store, M: Store> SeenStore for ReadOnlyFallback<P, M> {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        self.ask(self.away(), self.inner.primary.first_seen(key, life))
            .await
    }
}

#[async_trait]
impl<P: Store, M: Store> AuditStore for ReadOnlyFallback<P, M> {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.append(event))
            .await
    }

    async fn append_all(&self, events: Vec<Event>) -> Result<(), StoreError> {
        self.ask(self.away(), self.inner.primary.append_all(events))
            .await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.ask(self.away(), self.inner.primary.outbox(after, limit))
            .await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let away = self.away();
        if away.is_none() {
            // They may be gone afterwards. A copy that fails must not keep them there for ever.
            let _ = self.inner.copy_records().await;
        }
        self.ask(away, self.inner.primary.acknowledge(up_to)).await
    }
}
