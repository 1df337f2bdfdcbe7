//! Removes what is over, in transactions that are short enough for others to pass between.

use otp_core::clock::Timestamp;
use otp_core::store::StoreError;
use sqlx::Row as _;

use super::engine::{failed, json_texts};
use super::intent::{Intent, Tx};
use super::options::Retention;
use super::{SqliteStore, row::corrupt};

/// The most that one transaction removes.
const BATCH: usize = 500;

const ENDED: &str =
    "SELECT id FROM auth_challenges WHERE ended_at <= ?1 ORDER BY ended_at LIMIT ?2";

// What belongs to a challenge goes with it and is not counted.
const WITH_CHALLENGES: [&str; 3] = [
    "DELETE FROM challenge_attempt_log WHERE challenge_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM challenge_validation_attempts
        WHERE challenge_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM auth_challenges WHERE id IN (SELECT value FROM json_each(?1))",
];

// What a challenge that was deleted by hand has left behind.
const ORPHANS: [&str; 2] = [
    "DELETE FROM challenge_attempt_log WHERE rowid IN (
        SELECT rowid FROM challenge_attempt_log AS kept WHERE tried_at <= ?1 AND NOT EXISTS
            (SELECT 1 FROM auth_challenges WHERE id = kept.challenge_id) LIMIT ?2)",
    "DELETE FROM challenge_validation_attempts WHERE rowid IN (
        SELECT rowid FROM challenge_validation_attempts AS kept
        WHERE last_attempt_at <= ?1 AND NOT EXISTS
            (SELECT 1 FROM auth_challenges WHERE id = kept.challenge_id) LIMIT ?2)",
];

const LAPSED: [&str; 4] = [
    "DELETE FROM rate_limit_attempts WHERE rowid IN
        (SELECT rowid FROM rate_limit_attempts WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM idempotency_keys WHERE rowid IN
        (SELECT rowid FROM idempotency_keys WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM seen_keys WHERE rowid IN
        (SELECT rowid FROM seen_keys WHERE expires_at <= ?1 LIMIT ?2)",
    "DELETE FROM blocklist WHERE rowid IN
        (SELECT rowid FROM blocklist WHERE expires_at <= ?1 LIMIT ?2)",
];

const FULL_CELLS: &str = "DELETE FROM rate_limit_cells WHERE rowid IN
    (SELECT rowid FROM rate_limit_cells WHERE tat <= ?1 LIMIT ?2)";

// Only what was taken over elsewhere may go.
const OLD_AUDIT: &str = "DELETE FROM audit_logs WHERE rowid IN
    (SELECT rowid FROM audit_logs WHERE created_at <= ?1
        AND sequence <= (SELECT acknowledged FROM audit_outbox WHERE id = 1) LIMIT ?2)";

struct Purge {
    retention: Retention,
    limit: usize,
}

impl Intent for Purge {
    type Answer = usize;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let now = tx.now()?;
        let cutoff = now.saturating_sub(self.retention.challenges);
        let mut removed = ended_challenges(tx, cutoff, self.limit).await?;
        for sql in ORPHANS {
            delete(tx, sql, cutoff.as_millis(), self.limit).await?;
        }
        for sql in LAPSED {
            let rest = self.limit.saturating_sub(removed);
            let gone = delete(tx, sql, now.as_millis(), rest).await?;
            removed = removed.saturating_add(gone);
        }
        let rest = self.limit.saturating_sub(removed);
        let micros = now.as_millis().saturating_mul(1_000);
        removed = removed.saturating_add(delete(tx, FULL_CELLS, micros, rest).await?);
        if let Some(kept) = self.retention.audit {
            let rest = self.limit.saturating_sub(removed);
            let before = now.saturating_sub(kept).as_millis();
            removed = removed.saturating_add(delete(tx, OLD_AUDIT, before, rest).await?);
        }
        Ok(removed)
    }
}

async fn ended_challenges(
    tx: &mut Tx<'_>,
    cutoff: Timestamp,
    limit: usize,
) -> Result<usize, StoreError> {
    let rows = sqlx::query(ENDED)
        .bind(cutoff.as_millis())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(tx.conn())
        .await
        .map_err(failed)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<&str> = rows
        .iter()
        .map(|row| row.try_get("id").map_err(|_| corrupt("id")))
        .collect::<Result<_, _>>()?;
    let json = json_texts(ids.iter().copied());
    for sql in WITH_CHALLENGES {
        sqlx::query(sql)
            .bind(json.as_str())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
    }
    Ok(ids.len())
}

async fn delete(
    tx: &mut Tx<'_>,
    sql: &'static str,
    until: i64,
    limit: usize,
) -> Result<usize, StoreError> {
    if limit == 0 {
        return Ok(0);
    }
    let deleted = sqlx::query(sql)
        .bind(until)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    Ok(usize::try_from(deleted.rows_affected()).unwrap_or(usize::MAX))
}

impl SqliteStore {
    /// Removes up to `limit` things, a transaction a few hundred.
    pub(super) async fn purge_in_batches(&self, limit: usize) -> Result<u64, StoreError> {
        let mut removed = 0_usize;
        while removed < limit {
            let share = BATCH.min(limit.saturating_sub(removed));
            let retention = self.inner.retention;
            let gone = self
                .write(Purge {
                    retention,
                    limit: share,
                })
                .await?;
            removed = removed.saturating_add(gone);
            if gone < share {
                break;
            }
        }
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}
