//! Quotas by themselves.

use async_trait::async_trait;
use otp_core::quota::{QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{QuotaStore, StoreError};
use serde_json::json;

use super::{RedisStore, script};
use crate::wire::admission;

impl RedisStore {
    async fn count(
        &self,
        step: &str,
        claims: &[QuotaClaim],
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let shelf = self.inner.keys.shelves.first();
        let request = self
            .request(shelf, step)
            .with("quotas", self.inner.keys.quotas(claims));
        let reply = self.ask(shelf, &script::QUOTAS, request).await?;
        admission::readings(claims, &reply, 0)
    }
}

#[async_trait]
impl QuotaStore for RedisStore {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        if self.inner.keys.shelves.is_one() {
            return self.count("charge", claims).await;
        }
        let (store, claims) = (self.clone(), claims.to_vec());
        self.whole(async move { store.charge_apart(&claims).await })
            .await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        if self.inner.keys.shelves.is_one() {
            return self.count("peek", claims).await;
        }
        self.peek_apart(claims).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        let names = &self.inner.keys;
        let begun = names.shelves.all().filter_map(|shelf| {
            let of_it = |key: &&QuotaKey| names.shelves.of_quota(key).is(shelf);
            let buckets = keys.iter().filter(of_it).flat_map(|key| names.buckets(key));
            let buckets: Vec<String> = buckets.collect();
            if buckets.is_empty() {
                return None;
            }
            let request = self.request(shelf, "delete").with("keys", json!(buckets));
            Some(self.begin(shelf, &script::DESK, request))
        });
        for pending in begun.collect::<Vec<_>>() {
            pending.answer().await?;
        }
        Ok(())
    }
}
