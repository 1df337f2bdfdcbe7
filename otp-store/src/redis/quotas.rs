//! Quotas by themselves.

use async_trait::async_trait;
use otp_core::quota::{QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{QuotaStore, StoreError};

use super::admit::readings;
use super::request::quotas;
use super::{RedisStore, script};

impl RedisStore {
    async fn count(
        &self,
        step: &str,
        claims: &[QuotaClaim],
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let request = self
            .request(step)
            .with("quotas", quotas(&self.inner.keys, claims));
        let reply = self.ask(&script::DESK, request).await?;
        readings(claims, &reply, 0)
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
