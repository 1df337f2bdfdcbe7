//! Guess budgets. What changes one is a function; a reading is judged here, by the pure rules.

use async_trait::async_trait;
use otp_core::challenge::Lane;
use otp_core::event::Event;
use otp_core::quota::{Budget, BudgetRules};
use otp_core::store::{BudgetKey, BudgetReading, BudgetStore, StoreError};
use serde_json::{Value, json};

use super::PostgresStore;
use super::link::Function;
use crate::wire::budget;
use crate::wire::request::Request;

/// Names a budget.
pub(super) fn written(key: &BudgetKey) -> Value {
    json!({
        "tenant": key.tenant.as_str(),
        "subject": key.subject.as_str(),
        "class": key.class.name(),
    })
}

impl PostgresStore {
    fn on_budget(&self, step: &str, key: &BudgetKey) -> Request {
        self.request(step).with("budget", written(key))
    }
}

#[async_trait]
impl BudgetStore for PostgresStore {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        let request = self.on_budget("budget", key);
        let reply = self.ask(Function::Query, request).await?;
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
        let request = self.on_budget("unlock", key).event(&event);
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        let request = self.on_budget("disable", key).event(&event);
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        let request = self
            .on_budget("carry_over", key)
            .text("lane", lane.name())
            .with("guesses", guesses.min(Budget::MOST_CARRIED).into())
            .event(&event);
        self.ask(Function::Desk, request).await.map(drop)
    }
}
