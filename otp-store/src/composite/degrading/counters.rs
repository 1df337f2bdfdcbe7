//! Budgets and quotas.

use async_trait::async_trait;
use otp_core::challenge::Lane;
use otp_core::event::Event;
use otp_core::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{
    BudgetKey, BudgetReading, BudgetStore, ChallengeStore as _, QuotaStore, Store, StoreError,
};

use super::{Degrading, Inner};

#[async_trait]
impl<P: Store> BudgetStore for Degrading<P> {
    // What is beneath is a share, and says nothing about the whole.
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.ask(self.away(), self.inner.primary.budget(key, rules))
            .await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let inner = &self.inner;
        let away = self.away();
        // What is being told is told before this, and nothing of it afterwards.
        let _alone = inner.owing.lock().await;
        self.ask(away, inner.primary.unlock(key, event)).await?;
        inner.ledger().forgive_guesses(key);
        inner.memory.forgive(key).or(Ok(()))
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
        let call = self.inner.primary.carry_over(key, lane, guesses, event);
        self.ask(self.away(), call).await
    }
}

#[async_trait]
impl<P: Store> QuotaStore for Degrading<P> {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let inner = &self.inner;
        if self.away().is_none() {
            return inner.above(inner.primary.check_all(claims)).await;
        }
        inner.serves()?;
        let now = inner.memory.ping().await?;
        let readings = inner.memory.check_all(&inner.shares(claims)).await?;
        if readings.iter().all(|one| one.retry_after().is_none()) {
            inner.ledger().charge(claims, now);
        }
        Ok(readings)
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let inner = &self.inner;
        if self.away().is_none() {
            return inner.above(inner.primary.peek(claims)).await;
        }
        inner.serves()?;
        inner.memory.peek(&inner.shares(claims)).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        let inner = &self.inner;
        let away = self.away();
        let _alone = inner.owing.lock().await;
        self.ask(away, inner.primary.clear(keys)).await?;
        // What an operator forgave must not come back from here.
        for key in keys {
            inner.ledger().forgive_charges(key);
        }
        inner.memory.clear(keys).await.or(Ok(()))
    }
}

impl<P: Store> Inner<P> {
    /// Makes claims on this instance's share.
    pub(super) fn shares(&self, claims: &[QuotaClaim]) -> Vec<QuotaClaim> {
        let share = |claim: &QuotaClaim| QuotaClaim {
            quota: claim.quota.divided(self.instances),
            ..claim.clone()
        };
        claims.iter().map(share).collect()
    }
}
