//! The contract's quota intents.

use otp_core::quota::{QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::StoreError;

use super::json::json_texts;
use super::quota_rows::Buckets;
use super::{Intent, Locks, Tx};

/// Charges claims, all or none.
pub(crate) struct CheckAll(pub(crate) Vec<QuotaClaim>);

impl Intent for CheckAll {
    type Answer = Vec<QuotaReading>;

    fn locks(&self) -> Locks {
        Locks::default().quotas(&self.0)
    }

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

/// Reads claims.
pub(crate) struct Peek(pub(crate) Vec<QuotaClaim>);

impl Intent for Peek {
    type Answer = Vec<QuotaReading>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<QuotaReading>, StoreError> {
        let now = tx.now()?;
        Ok(Buckets::load(tx, &self.0, now).await?.look())
    }
}

/// Forgets what was counted under keys.
pub(crate) struct Clear(pub(crate) Vec<QuotaKey>);

impl Intent for Clear {
    type Answer = ();

    fn locks(&self) -> Locks {
        let keys = self.0.iter().map(QuotaKey::as_str);
        keys.fold(Locks::default(), Locks::quota)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.now()?;
        let keys = json_texts(self.0.iter().map(QuotaKey::as_str));
        for sql in tx.dialect().clear {
            tx.execute(sql, &[(&keys).into()]).await?;
        }
        Ok(())
    }
}
