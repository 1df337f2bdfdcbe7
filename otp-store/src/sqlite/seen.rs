//! What may happen once.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::store::{Seen, SeenStore, StoreError, StoreErrorKind};

use super::SqliteStore;
use super::engine::failed;
use super::intent::{Intent, Tx};

/// The longest key, in bytes.
const LONGEST: usize = 1_024;

// A key that has lapsed is taken anew; one that holds keeps its time.
const TAKE: &str = "INSERT INTO seen_keys (seen_key, expires_at) VALUES (?1, ?2)
    ON CONFLICT (seen_key) DO UPDATE SET expires_at = excluded.expires_at
        WHERE seen_keys.expires_at <= ?3";

struct FirstSeen(String, Duration);

impl Intent for FirstSeen {
    type Answer = Seen;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Seen, StoreError> {
        let Self(key, life) = self;
        let now = tx.now()?;
        let taken = sqlx::query(TAKE)
            .bind(key.as_str())
            .bind(now.saturating_add(*life).as_millis())
            .bind(now.as_millis())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        Ok(match taken.rows_affected() {
            0 => Seen::Again,
            _ => Seen::First,
        })
    }
}

#[async_trait]
impl SeenStore for SqliteStore {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        if key.len() > LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        self.write(FirstSeen(key.to_owned(), life)).await
    }
}
