//! The contract's quota intents.

use async_trait::async_trait;
use otp_core::quota::{QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{QuotaStore, StoreError};

use super::SqliteStore;
use super::engine::{failed, json_texts};
use super::intent::{Intent, Tx};
use super::quota_rows::Buckets;

const CLEAR_HITS: &str =
    "DELETE FROM rate_limit_attempts WHERE bucket IN (SELECT value FROM json_each(?1))";
const CLEAR_CELLS: &str =
    "DELETE FROM rate_limit_cells WHERE bucket IN (SELECT value FROM json_each(?1))";

struct CheckAll(Vec<QuotaClaim>);

impl Intent for CheckAll {
    type Answer = Vec<QuotaReading>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<QuotaReading>, StoreError> {
        let now = tx.now()?;
        let buckets = Buckets::load(tx, &self.0, now).await?;
        let readings = buckets.look();
        if readings
            .iter()
            .any(|reading| reading.retry_after().is_some())
        {
            return Ok(readings);
        }
        buckets.charge(tx, None).await
    }
}

struct Peek(Vec<QuotaClaim>);

impl Intent for Peek {
    type Answer = Vec<QuotaReading>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<QuotaReading>, StoreError> {
        let now = tx.now()?;
        Ok(Buckets::load(tx, &self.0, now).await?.look())
    }
}

struct Clear(String);

impl Intent for Clear {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.now()?;
        for sql in [CLEAR_HITS, CLEAR_CELLS] {
            sqlx::query(sql)
                .bind(self.0.as_str())
                .execute(tx.conn())
                .await
                .map_err(failed)?;
        }
        Ok(())
    }
}

#[async_trait]
impl QuotaStore for SqliteStore {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.write(CheckAll(claims.to_vec())).await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.read(Peek(claims.to_vec())).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        let keys = json_texts(keys.iter().map(QuotaKey::as_str));
        self.write(Clear(keys)).await
    }
}
