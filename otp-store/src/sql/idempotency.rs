//! The host's keys of requests that it may repeat.

use otp_core::clock::Timestamp;
use otp_core::store::{Granted, IdempotencyClaim, IdempotencyKey, RecordedIssue, StoreError};

use super::{Intent, Locks, Tx};

const KNOWN: &str = "SELECT fingerprint, challenge_id, expires_at, resend_at FROM idempotency_keys
    WHERE tenant = ? AND idempotency_key = ? AND expires_at > ?";

const RELEASE: &str = "DELETE FROM idempotency_keys WHERE tenant = ? AND idempotency_key = ?";

/// Says what came of a key that was used before.
pub(crate) async fn known(
    tx: &mut Tx<'_>,
    claim: &IdempotencyClaim,
    now: Timestamp,
) -> Result<Option<Granted>, StoreError> {
    let row = tx
        .row(
            KNOWN,
            &[
                claim.key.tenant().as_str().into(),
                claim.key.as_str().into(),
                now.into(),
            ],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
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
pub(crate) async fn take(
    tx: &mut Tx<'_>,
    claim: &IdempotencyClaim,
    now: Timestamp,
) -> Result<(), StoreError> {
    let record = claim.record(now);
    tx.execute(
        tx.dialect().put_request,
        &[
            claim.key.tenant().as_str().into(),
            claim.key.as_str().into(),
            claim.fingerprint.as_slice().into(),
            (&record.challenge.to_string()).into(),
            record.expires_at.into(),
            record.resend_at.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Gives a key back.
pub(crate) struct Release(pub(crate) IdempotencyKey);

impl Intent for Release {
    type Answer = ();

    fn locks(&self) -> Locks {
        Locks::default().request(&self.0)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.now()?;
        tx.execute(
            RELEASE,
            &[self.0.tenant().as_str().into(), self.0.as_str().into()],
        )
        .await?;
        Ok(())
    }
}
