//! Quotas by themselves.

use async_trait::async_trait;
use otp_core::quota::{QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{QuotaStore, StoreError};

use super::{RedisStore, script};
use crate::wire::admission;

impl RedisStore {
    async fn count(
        &self,
        step: &str,
        claims: &[QuotaClaim],
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let request = self
            .request(step)
            .with("quotas", self.inner.keys.quotas(claims));
        let reply = self.ask(&script::DESK, request).await?;
        admission::readings(claims, &reply, 0)
    }
}

#[async_trait]
impl QuotaStore for RedisStore {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.count("charge", claims).await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.count("peek", claims).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        let buckets = keys.iter().flat_map(|key| self.inner.keys.buckets(key));
        let request = self.request("delete").with("keys", buckets.collect());
        self.ask(&script::DESK, request).await.map(drop)
    }
}
