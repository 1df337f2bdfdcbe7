use std::fmt::Debug;

use async_trait::async_trait;

use crate::quota::{QuotaClaim, QuotaKey, QuotaReading};

use super::StoreError;

/// Keeps quotas: sends, requests, whatever is counted by a key.
#[async_trait]
pub trait QuotaStore: Debug + Send + Sync + 'static {
    /// Charges every claim with one, or none where any has no room; one reading a claim, in
    /// order. A reading with a retry time is one that refused. Of callers that race for the last
    /// place, one gets it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError>;

    /// Reads claims without charging them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError>;

    /// Forgets what was counted under the keys.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError>;
}
