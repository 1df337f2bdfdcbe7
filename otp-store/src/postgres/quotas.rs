//! Quotas by themselves.

use async_trait::async_trait;
use otp_core::quota::{QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{QuotaStore, StoreError};
use serde_json::{Value, json};

use super::PostgresStore;
use super::link::Function;
use crate::wire::{admission, request};

/// Writes claims with the buckets that they are counted in.
pub(super) fn written(claims: &[QuotaClaim]) -> Value {
    request::quotas(claims, |claim| claim.key.as_str().to_owned())
}

impl PostgresStore {
    async fn count(
        &self,
        function: Function,
        step: &str,
        claims: &[QuotaClaim],
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let request = self.request(step).with("quotas", written(claims));
        let reply = self.ask(function, request).await?;
        admission::readings(claims, &reply, 0)
    }
}

#[async_trait]
impl QuotaStore for PostgresStore {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.count(Function::Desk, "charge", claims).await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.count(Function::Query, "peek", claims).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        let named = keys.iter().map(|key| json!({"key": key.as_str()}));
        let request = self.request("clear").with("quotas", named.collect());
        self.ask(Function::Desk, request).await.map(drop)
    }
}
