//! Who sealed which part of the chain, so that seals are counted without reading the log.

use otp_core::event::chain::Link;
use otp_core::key::KeyId;
use otp_core::store::{KeyHold, KeyUse, StoreError};

use super::{Intent, Row, Tx, corrupt};

/// Links that are entered in one step.
const STEP: usize = 2_000;

/// Whoever seals or enters meanwhile waits.
const HOLD: &str = "UPDATE audit_chain SET place = place WHERE id = 1";

const NEWEST: &str = "SELECT first_place, last_place, sequence, key_id FROM audit_seals
    ORDER BY first_place DESC LIMIT 1";

const NOT_ENTERED: &str = "SELECT sequence, link FROM audit_links
    WHERE sequence > ? ORDER BY sequence LIMIT ?";

const BEGIN: &str = "INSERT INTO audit_seals (last_place, sequence, first_place, key_id)
    VALUES (?, ?, ?, ?)";

const GO_ON: &str = "UPDATE audit_seals SET last_place = ?, sequence = ?
    WHERE first_place = ? AND key_id = ?";

const OLDEST: &str = "SELECT link FROM audit_links ORDER BY sequence LIMIT 1";

const KEPT: &str = "SELECT first_place, last_place, sequence, key_id FROM audit_seals
    WHERE last_place >= ?";

/// Records in a row that one key sealed.
struct Run {
    first: i64,
    last: i64,
    sequence: i64,
    key: KeyId,
}

impl Run {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            first: row.int("first_place")?,
            last: row.int("last_place")?,
            sequence: row.int("sequence")?,
            key: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        })
    }

    /// Begins with a link and its place in the log.
    fn of(row: &Row) -> Result<Self, StoreError> {
        let link = link(row)?;
        let place = place(&link)?;
        Ok(Self {
            first: place,
            last: place,
            sequence: row.int("sequence")?,
            key: *link.seal.key(),
        })
    }

    fn goes_on_with(&self, next: &Self) -> bool {
        self.key == next.key && self.last.checked_add(1) == Some(next.first)
    }

    async fn write(&self, tx: &mut Tx<'_>, sql: &'static str) -> Result<(), StoreError> {
        let values = [
            self.last.into(),
            self.sequence.into(),
            self.first.into(),
            self.key.as_str().into(),
        ];
        tx.execute(sql, &values).await.map(drop)
    }
}

/// Whether there may be more to enter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entered {
    All,
    Some,
}

/// Enters who sealed a part of the chain that nobody has entered yet.
pub(crate) struct EnterSeals;

impl Intent for EnterSeals {
    type Answer = Entered;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Entered, StoreError> {
        tx.execute(HOLD, &[]).await?;
        enter(tx, STEP).await
    }
}

/// Enters so many links at the most, while the end of the chain is held.
pub(super) async fn enter(tx: &mut Tx<'_>, most: usize) -> Result<Entered, StoreError> {
    let newest = tx.row(NEWEST, &[]).await?;
    let mut run = newest.as_ref().map(Run::read).transpose()?;
    let mut sql = GO_ON;
    let after = run.as_ref().map_or(0, |run| run.sequence);
    let rows = tx.rows(NOT_ENTERED, &[after.into(), most.into()]).await?;
    for row in &rows {
        let next = Run::of(row)?;
        match &mut run {
            Some(run) if run.goes_on_with(&next) => {
                (run.last, run.sequence) = (next.last, next.sequence);
            }
            _ => {
                if let Some(ended) = run.replace(next) {
                    ended.write(tx, sql).await?;
                }
                sql = BEGIN;
            }
        }
    }
    if let Some(last) = run.filter(|_| !rows.is_empty()) {
        last.write(tx, sql).await?;
    }
    Ok(if rows.len() < most {
        Entered::All
    } else {
        Entered::Some
    })
}

/// Counts the seals of the records that are still there.
pub(crate) struct Seals;

impl Intent for Seals {
    type Answer = Vec<KeyUse>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses = Vec::new();
        let Some(row) = tx.row(OLDEST, &[]).await? else {
            return Ok(uses);
        };
        let oldest = place(&link(&row)?)?;
        for row in tx.rows(KEPT, &[oldest.into()]).await? {
            let run = Run::read(&row)?;
            let before = run.first.max(oldest).saturating_sub(1);
            let count = run.last.saturating_sub(before);
            let one = KeyUse {
                key: run.key,
                hold: KeyHold::Chain,
                count: u64::try_from(count).map_err(|_| corrupt("last_place"))?,
                until: None,
            };
            one.add_to(&mut uses);
        }
        Ok(uses)
    }
}

fn link(row: &Row) -> Result<Link, StoreError> {
    row.parsed("link", |text| text.parse().ok())
}

fn place(link: &Link) -> Result<i64, StoreError> {
    i64::try_from(link.place).map_err(|_| corrupt("link"))
}
