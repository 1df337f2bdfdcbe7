use async_trait::async_trait;
use otp_core::challenge::Lane;
use otp_core::event::Event;
use otp_core::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{BudgetKey, BudgetReading, BudgetStore, QuotaStore, StoreError};

use super::MemoryStore;

#[async_trait]
impl BudgetStore for MemoryStore {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        let now = self.now()?;
        let budget = self
            .shard_of_subject(&key.subject)?
            .budget(key)
            .into_owned();
        Ok(BudgetReading {
            public: budget.look(rules, Lane::Public, now).err(),
            known_device: budget.look(rules, Lane::KnownDevice, now).err(),
            budget,
        })
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let now = self.now()?;
        self.shard_of_subject(&key.subject)?.open_budget(key);
        self.inner.outbox.push(event.at(now));
        Ok(())
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let now = self.now()?;
        let capacity = self.inner.capacity.budgets.get();
        let mut shard = self.shard_of_subject(&key.subject)?;
        shard.budget_mut(key, capacity)?.disable();
        self.inner.outbox.push(event.at(now));
        Ok(())
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        let now = self.now()?;
        let capacity = self.inner.capacity.budgets.get();
        let mut shard = self.shard_of_subject(&key.subject)?;
        shard
            .budget_mut(key, capacity)?
            .carry_over(lane, guesses, now);
        self.inner.outbox.push(event.at(now));
        Ok(())
    }
}

#[async_trait]
impl QuotaStore for MemoryStore {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let now_ms = self.now()?.as_millis();
        Ok(match self.inner.quotas.check_all(claims, now_ms) {
            Ok(readings) => readings,
            Err(refused) => refused.readings().to_vec(),
        })
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let now_ms = self.now()?.as_millis();
        let peek = |claim| self.inner.quotas.peek(claim, now_ms);
        Ok(claims.iter().map(peek).collect())
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        self.now()?;
        for key in keys {
            self.inner.quotas.clear(key);
        }
        Ok(())
    }
}
