//! Guess budgets. What changes one is a script; a reading is judged here, by the pure rules.

use async_trait::async_trait;
use otp_core::challenge::Lane;
use otp_core::event::Event;
use otp_core::quota::{Budget, BudgetRules};
use otp_core::store::{BudgetKey, BudgetReading, BudgetStore, StoreError};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::budget;
use crate::wire::request::Request;

impl RedisStore {
    fn on_budget(&self, step: &str, key: &BudgetKey) -> (&Shelf, Request) {
        let shelf = self.inner.keys.shelves.of(&key.subject);
        let name = self.inner.keys.budget(key);
        (shelf, self.request(shelf, step).text("key", &name))
    }
}

#[async_trait]
impl BudgetStore for RedisStore {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        let (shelf, request) = self.on_budget("budget", key);
        let reply = self.ask(shelf, &script::DESK, request).await?;
        let now = reply.time(0)?;
        let fields = reply.fields(1)?;
        let budget = fields
            .as_ref()
            .map(budget::read)
            .transpose()?
            .unwrap_or_default();
        Ok(BudgetReading {
            public: budget.look(rules, Lane::Public, now).err(),
            known_device: budget.look(rules, Lane::KnownDevice, now).err(),
            budget,
        })
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let (shelf, request) = self.on_budget("unlock", key);
        let request = request.event(&event);
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let (shelf, request) = self.on_budget("disable", key);
        let request = request.event(&event);
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        let (shelf, request) = self.on_budget("carry_over", key);
        let request = request
            .text("lane", lane.name())
            .with("guesses", guesses.min(Budget::MOST_CARRIED).into())
            .event(&event);
        self.ask(shelf, &script::DESK, request).await.map(drop)
    }
}
