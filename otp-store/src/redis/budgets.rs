//! Guess budgets. What changes one is a script; a reading is judged here, by the pure rules.

use async_trait::async_trait;
use otp_core::challenge::Lane;
use otp_core::event::Event;
use otp_core::quota::{Budget, BudgetRules, Disabled};
use otp_core::store::{BudgetKey, BudgetReading, BudgetStore, StoreError};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::corrupt;
use crate::wire::reply::{Fields, time};
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
        let budget = fields.as_ref().map(read).transpose()?.unwrap_or_default();
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

fn read(row: &Fields) -> Result<Budget, StoreError> {
    let mut guesses = Vec::new();
    for guess in row.text("guesses")?.split_inclusive(['p', 'k']) {
        let lane = match guess.chars().next_back() {
            Some('p') => Lane::Public,
            Some('k') => Lane::KnownDevice,
            _ => return Err(corrupt("guesses")),
        };
        guesses.push((time(guess.trim_end_matches(['p', 'k']))?, lane));
    }
    let paused = |name| row.opt_text(name)?.map(time).transpose();
    Ok(Budget {
        guesses,
        consecutive: row.count("run")?,
        strikes: [row.count("strikes_p")?, row.count("strikes_k")?],
        paused_until: [paused("paused_p")?, paused("paused_k")?],
        disabled: match row.text("disabled")? {
            "0" => Disabled::No,
            "1" => Disabled::Yes,
            _ => return Err(corrupt("disabled")),
        },
    })
}
