use std::time::Duration;

use async_trait::async_trait;

use super::ReferenceStore;
use crate::challenge::Lane;
use crate::event::Event;
use crate::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use crate::store::{
    AuditStore, Block, BlockEntry, BlocklistStore, BudgetKey, BudgetReading, BudgetStore,
    OutboxEntry, QuotaStore, Seen, SeenStore, StoreError,
};

#[async_trait]
impl BudgetStore for ReferenceStore {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        let (state, now) = self.begin()?;
        let budget = state.budgets.get(key).cloned().unwrap_or_default();
        Ok(BudgetReading {
            public: budget.look(rules, Lane::Public, now).err(),
            known_device: budget.look(rules, Lane::KnownDevice, now).err(),
            budget,
        })
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        state.budgets.remove(key);
        state.record(event, now);
        Ok(())
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        state.budgets.entry(key.clone()).or_default().disable();
        state.record(event, now);
        Ok(())
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        let budget = state.budgets.entry(key.clone()).or_default();
        budget.carry_over(lane, guesses, now);
        state.record(event, now);
        Ok(())
    }
}

#[async_trait]
impl QuotaStore for ReferenceStore {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let (state, now) = self.begin()?;
        Ok(state.charge(claims, now))
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        let (state, now) = self.begin()?;
        Ok(state.peek(claims, now))
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        let (state, _) = self.begin()?;
        for key in keys {
            state.quotas.clear(key);
        }
        Ok(())
    }
}

#[async_trait]
impl BlocklistStore for ReferenceStore {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        state.blocks.retain(|entry| entry.block != *block);
        state.blocks.push(BlockEntry {
            block: block.clone(),
            note: note.to_owned(),
            author: author.to_owned(),
            added_at: now,
            expires_at: life.map(|life| now.saturating_add(life)),
        });
        state.record(event, now);
        Ok(())
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        state.blocks.retain(|entry| entry.block != *block);
        state.record(event, now);
        Ok(())
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        let (state, now) = self.begin()?;
        let holds = |entry: &&BlockEntry| entry.expires_at.is_none_or(|until| now < until);
        let newest_first = state.blocks.iter().rev().filter(holds);
        Ok(newest_first.take(limit).cloned().collect())
    }
}

#[async_trait]
impl SeenStore for ReferenceStore {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        let (mut state, now) = self.begin()?;
        if state.seen.get(key).is_some_and(|until| now < *until) {
            return Ok(Seen::Again);
        }
        state.seen.insert(key.to_owned(), now.saturating_add(life));
        Ok(Seen::First)
    }
}

#[async_trait]
impl AuditStore for ReferenceStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        if !state.outbox.iter().any(|entry| entry.event.id == event.id) {
            state.record(event, now);
        }
        Ok(())
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let (state, _) = self.begin()?;
        let later = |entry: &&OutboxEntry| after.is_none_or(|after| entry.sequence > after);
        Ok(state
            .outbox
            .iter()
            .filter(later)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let (mut state, _) = self.begin()?;
        state.outbox.retain(|entry| entry.sequence > up_to);
        Ok(())
    }
}
