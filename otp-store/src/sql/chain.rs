//! The chain over the audit log: its links, its end, and who makes it longer.

use std::time::Duration;

use otp_core::event::chain::{ChainedRecord, Head, Link, LinkHash, Record};
use otp_core::store::{Lease, SealBatch, SealerId, Sealing, StoreError};

use super::audit;
use super::json::json_pairs;
use super::seals;
use super::{Intent, Row, Tx, corrupt};

const HEAD: &str = "SELECT place, hash, sequence FROM audit_chain WHERE id = 1";

const LEASE: &str = "UPDATE audit_chain SET holder = ?, leased_until = ?
    WHERE id = 1 AND (holder = ? OR leased_until <= ?)";

const MOVE_ON: &str = "UPDATE audit_chain SET place = ?, hash = ?, sequence = ?
    WHERE id = 1 AND place = ? AND hash = ?";

const UNSEALED: &str = "SELECT * FROM audit_logs
    WHERE sequence > (SELECT sequence FROM audit_chain WHERE id = 1) AND sequence <= ?
    ORDER BY sequence LIMIT ?";

const SEALED: &str = "SELECT audit_logs.*, audit_links.link AS link FROM audit_links
    JOIN audit_logs ON audit_logs.sequence = audit_links.sequence
    WHERE audit_links.sequence > ? ORDER BY audit_links.sequence LIMIT ?";

/// Takes the lease, where nobody else has it.
pub(crate) struct TakeLease(pub(crate) SealerId, pub(crate) Duration);

impl Intent for TakeLease {
    type Answer = Lease;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Lease, StoreError> {
        let Self(holder, life) = self;
        let now = tx.now()?;
        let until = now.saturating_add(*life).as_millis();
        let holder = holder.as_str().into();
        let values = [holder, until.into(), holder, now.as_millis().into()];
        match tx.execute(LEASE, &values).await? {
            0 => Ok(Lease::Taken),
            _ => head(tx).await.map(Lease::Held),
        }
    }
}

/// Reads the end of the chain.
pub(crate) struct ChainHead;

impl Intent for ChainHead {
    type Answer = Head;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Head, StoreError> {
        head(tx).await
    }
}

async fn head(tx: &mut Tx<'_>) -> Result<Head, StoreError> {
    let row = tx.row(HEAD, &[]).await?;
    let row = row.ok_or_else(|| corrupt("place"))?;
    let number = |column| u64::try_from(row.int(column)?).map_err(|_| corrupt(column));
    Ok(Head {
        place: number("place")?,
        hash: row.parsed("hash", |text| text.parse::<LinkHash>().ok())?,
        sequence: number("sequence")?,
    })
}

/// Reads what comes after the end of the chain, up to the horizon.
pub(crate) struct Unsealed {
    pub(crate) horizon: i64,
    pub(crate) limit: usize,
}

impl Intent for Unsealed {
    type Answer = Vec<Record>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<Record>, StoreError> {
        let values = [self.horizon.into(), self.limit.into()];
        let rows = tx.rows(UNSEALED, &values).await?;
        // What only a later version can read, a later version has to seal, before all after it.
        let known = rows.iter().map(audit::record).map_while(Result::transpose);
        known.collect()
    }
}

/// Stores the links of a batch, where the chain still ends where the batch begins.
pub(crate) struct SealLinks(pub(crate) SealBatch);

impl Intent for SealLinks {
    type Answer = Sealing;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Sealing, StoreError> {
        let SealBatch {
            from, links, to, ..
        } = &self.0;
        let (hash, prev) = (to.hash.to_string(), from.hash.to_string());
        // Of two who seal at once the second waits here, and finds that the chain has gone on.
        let values = [
            number(to.place).into(),
            (&hash).into(),
            number(to.sequence).into(),
            number(from.place).into(),
            (&prev).into(),
        ];
        if tx.execute(MOVE_ON, &values).await? == 0 {
            return Ok(Sealing::Overtaken);
        }
        let links: Vec<_> = links
            .iter()
            .map(|(sequence, link)| (sequence.to_string(), link.to_string()))
            .collect();
        let pairs = links.iter().map(|(one, two)| (one.as_str(), two.as_str()));
        tx.execute(tx.dialect().add_links, &[(&json_pairs(pairs)).into()])
            .await?;
        // More than a batch, so that what another version left out is made up for little by little.
        seals::enter(tx, 2 * links.len()).await?;
        Ok(Sealing::Done)
    }
}

/// Reads records with their links.
pub(crate) struct SealedAfter(pub(crate) Option<u64>, pub(crate) usize);

impl Intent for SealedAfter {
    type Answer = Vec<ChainedRecord>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<ChainedRecord>, StoreError> {
        let Self(after, limit) = self;
        let values = [number(after.unwrap_or_default()).into(), (*limit).into()];
        let rows = tx.rows(SEALED, &values).await?;
        rows.iter()
            .map(chained)
            .map_while(Result::transpose)
            .collect()
    }
}

fn chained(row: &Row) -> Result<Option<ChainedRecord>, StoreError> {
    let link = row.parsed("link", |text| text.parse::<Link>().ok())?;
    Ok(audit::record(row)?.map(|record| ChainedRecord { record, link }))
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
