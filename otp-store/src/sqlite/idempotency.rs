//! The host's keys of requests that it may repeat.

use otp_core::clock::Timestamp;
use otp_core::store::{Granted, IdempotencyClaim, IdempotencyKey, RecordedIssue, StoreError};

use super::engine::failed;
use super::intent::{Intent, Tx};
use super::row::Fields;

const KNOWN: &str = "SELECT fingerprint, challenge_id, expires_at, resend_at FROM idempotency_keys
    WHERE tenant = ?1 AND idempotency_key = ?2 AND expires_at > ?3";

const TAKE: &str = "INSERT INTO idempotency_keys
        (tenant, idempotency_key, fingerprint, challenge_id, expires_at, resend_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (tenant, idempotency_key) DO UPDATE SET
        fingerprint = excluded.fingerprint, challenge_id = excluded.challenge_id,
        expires_at = excluded.expires_at, resend_at = excluded.resend_at";

const RELEASE: &str = "DELETE FROM idempotency_keys WHERE tenant = ?1 AND idempotency_key = ?2";

/// Says what came of a key that was used before.
pub(super) async fn known(
    tx: &mut Tx<'_>,
    claim: &IdempotencyClaim,
    now: Timestamp,
) -> Result<Option<Granted>, StoreError> {
    let row = sqlx::query(KNOWN)
        .bind(claim.key.tenant().as_str())
        .bind(claim.key.as_str())
        .bind(now.as_millis())
        .fetch_optional(tx.conn())
        .await
        .map_err(failed)?;
    let Some(row) = row else {
        return Ok(None);
    };
    let row = Fields(&row);
    if row.bytes::<32>("fingerprint")? != claim.fingerprint {
        return Ok(Some(Granted::IdempotencyConflict));
    }
    Ok(Some(Granted::IssuedBefore(RecordedIssue {
        challenge: row.parsed("challenge_id", |text| text.parse().ok())?,
        expires_at: row.time("expires_at")?,
        resend_at: row.time("resend_at")?,
    })))
}

/// Takes a key that is free or has lapsed.
pub(super) async fn take(
    tx: &mut Tx<'_>,
    claim: &IdempotencyClaim,
    now: Timestamp,
) -> Result<(), StoreError> {
    let record = claim.record(now);
    sqlx::query(TAKE)
        .bind(claim.key.tenant().as_str())
        .bind(claim.key.as_str())
        .bind(claim.fingerprint.as_slice())
        .bind(record.challenge.to_string())
        .bind(record.expires_at.as_millis())
        .bind(record.resend_at.as_millis())
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    Ok(())
}

/// Gives a key back.
pub(super) struct Release(pub(super) IdempotencyKey);

impl Intent for Release {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.now()?;
        sqlx::query(RELEASE)
            .bind(self.0.tenant().as_str())
            .bind(self.0.as_str())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        Ok(())
    }
}
