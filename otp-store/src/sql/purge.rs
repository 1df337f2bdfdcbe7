//! Removes what is over, in transactions that are short enough for others to pass between.

use otp_core::store::StoreError;

use super::json::{json_pairs, json_texts};
use super::{Engine, Intent, Removal, Tx, Value};
use crate::terms::Retention;

/// The most that one transaction removes.
const BATCH: usize = 500;

/// Removes up to `limit` things, a transaction a few hundred.
pub(crate) async fn purge<E: Engine>(engine: &E, limit: usize) -> Result<u64, StoreError> {
    let mut removed = 0_usize;
    while removed < limit {
        let share = BATCH.min(limit.saturating_sub(removed));
        let retention = engine.retention();
        let gone = engine
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

// It names no locks: what it removes is over, whoever looks at it meanwhile decides as if it were
// not there, and where many write at once it passes over rows that somebody has in hand.
struct Purge {
    retention: Retention,
    limit: usize,
}

impl Intent for Purge {
    type Answer = usize;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
        let (now, dialect) = (tx.now()?, tx.dialect());
        let cutoff = now.saturating_sub(self.retention.challenges).into();
        let mut removed = ended_challenges(tx, cutoff, self.limit).await?;
        for removal in dialect.orphans {
            remove(tx, removal, cutoff, self.limit).await?;
        }
        for removal in dialect.lapsed {
            let rest = self.limit.saturating_sub(removed);
            let gone = remove(tx, removal, now.into(), rest).await?;
            removed = removed.saturating_add(gone);
        }
        let rest = self.limit.saturating_sub(removed);
        let micros = now.as_millis().saturating_mul(1_000).into();
        let gone = remove(tx, dialect.full_cells, micros, rest).await?;
        removed = removed.saturating_add(gone);
        if let Some(kept) = self.retention.audit {
            let rest = self.limit.saturating_sub(removed);
            let before = now.saturating_sub(kept).into();
            let gone = remove(tx, dialect.old_records, before, rest).await?;
            removed = removed.saturating_add(gone);
            // A link goes with its record, and is not counted.
            tx.execute(dialect.old_links, &[self.limit.into()]).await?;
        }
        Ok(removed)
    }
}

async fn ended_challenges(
    tx: &mut Tx<'_>,
    cutoff: Value<'_>,
    limit: usize,
) -> Result<usize, StoreError> {
    let dialect = tx.dialect();
    let rows = tx.rows(dialect.ended, &[cutoff, limit.into()]).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids = rows.iter().map(|row| row.text("id"));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let json = json_texts(ids);
    for sql in dialect.with_challenges {
        tx.execute(sql, &[(&json).into()]).await?;
    }
    Ok(rows.len())
}

async fn remove(
    tx: &mut Tx<'_>,
    removal: Removal,
    until: Value<'_>,
    limit: usize,
) -> Result<usize, StoreError> {
    if limit == 0 {
        return Ok(0);
    }
    let removed = match removal {
        Removal::AtOnce(sql) => tx.execute(sql, &[until, limit.into()]).await?,
        Removal::Picked { pick, drop } => {
            let rows = tx.rows(pick, &[until, limit.into()]).await?;
            if rows.is_empty() {
                return Ok(0);
            }
            let pairs = rows
                .iter()
                .map(|row| Ok((row.text("one")?, row.text("two")?)));
            let pairs = pairs.collect::<Result<Vec<_>, StoreError>>()?;
            tx.execute(drop, &[(&json_pairs(pairs)).into()]).await?
        }
    };
    Ok(usize::try_from(removed).unwrap_or(usize::MAX))
}
