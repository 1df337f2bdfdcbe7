//! What is counted, by the minute and by the hour.

use async_trait::async_trait;
use otp_core::request::Tenant;
use otp_core::store::{StatKey, StatName, StatWindow, StatsStore, StoreError, StoreErrorKind};
use serde_json::{Value, json};

use super::PostgresStore;
use super::link::Function;
use crate::wire::stats;

fn parts(key: &StatKey) -> Value {
    json!([key.name().as_str(), key.tenant().as_str(), key.value()])
}

#[async_trait]
impl StatsStore for PostgresStore {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        let merged = StatKey::merged(counts)?;
        let counts: Value = merged.into_iter().map(stats::count).collect();
        let request = self.request("count").with("counts", counts).grains();
        self.ask(Function::Stats, request).await.map(drop)
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        if keys.len() > StatKey::MOST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let request = self
            .request("sums")
            .with("keys", keys.iter().map(parts).collect())
            .window(window);
        let reply = self.ask(Function::Stats, request).await?;
        stats::sums(&reply, keys.len())
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let request = self
            .request("top")
            .text("name", name.as_str())
            .text("tenant", tenant.as_str())
            .with("limit", limit.min(StatKey::MOST).into())
            .window(window);
        stats::top(&self.ask(Function::Stats, request).await?)
    }
}
