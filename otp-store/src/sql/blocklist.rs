//! The blocklist as rows.

use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::store::{self, BlockEntry, BlockKind, StoreError, StoreErrorKind};

use super::json::json_pairs;
use super::{Intent, Locks, Row, Tx, audit, corrupt};

/// The longest note or author, in bytes: 256 characters of the longest encoding.
const LONGEST: usize = 1_024;

const REMOVE: &str = "DELETE FROM blocklist WHERE kind = ? AND value = ?";

const LIST: &str = "SELECT kind, value, note, author, added_at, expires_at FROM blocklist
    WHERE expires_at IS NULL OR expires_at > ?
    ORDER BY added_at DESC, kind, value LIMIT ?";

/// Gives those of a request's values that are on the list now.
pub(crate) async fn matching(
    tx: &mut Tx<'_>,
    asked: &[store::Block],
    now: Timestamp,
) -> Result<Vec<store::Block>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = json_pairs(
        asked
            .iter()
            .map(|block| (block.kind().name(), block.value())),
    );
    let rows = tx
        .rows(tx.dialect().matching_blocks, &[(&pairs).into(), now.into()])
        .await?;
    rows.iter()
        .map(|row| {
            let place = row.place("place")?;
            asked.get(place).cloned().ok_or_else(|| corrupt("place"))
        })
        .collect()
}

/// Adds an entry, or replaces it.
pub(crate) struct Block {
    pub(crate) block: store::Block,
    pub(crate) note: String,
    pub(crate) author: String,
    pub(crate) life: Option<Duration>,
    pub(crate) event: Event,
}

impl Intent for Block {
    type Answer = ();

    fn locks(&self) -> Locks {
        locks(&self.block)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.note.len() > LONGEST || self.author.len() > LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let now = tx.now()?;
        let values = [
            self.block.kind().name().into(),
            self.block.value().into(),
            (&self.note).into(),
            (&self.author).into(),
            now.into(),
            self.life.map(|life| now.saturating_add(life)).into(),
        ];
        tx.execute(tx.dialect().put_block, &values).await?;
        audit::write(tx, &self.event).await
    }
}

/// Takes an entry off.
pub(crate) struct Unblock(pub(crate) store::Block, pub(crate) Event);

impl Intent for Unblock {
    type Answer = ();

    fn locks(&self) -> Locks {
        locks(&self.0)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Self(block, event) = self;
        let values = [block.kind().name().into(), block.value().into()];
        tx.execute(REMOVE, &values).await?;
        audit::write(tx, event).await
    }
}

fn locks(block: &store::Block) -> Locks {
    Locks::default().block(block.kind().name(), block.value())
}

/// Lists entries, newest first.
pub(crate) struct Blocks(pub(crate) usize);

impl Intent for Blocks {
    type Answer = Vec<BlockEntry>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<BlockEntry>, StoreError> {
        let now = tx.now()?;
        let rows = tx.rows(LIST, &[now.into(), self.0.into()]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<BlockEntry, StoreError> {
    let kind = row.parsed("kind", BlockKind::from_name)?;
    Ok(BlockEntry {
        block: row.parsed("value", |value| store::Block::new(kind, value).ok())?,
        note: row.text("note")?.to_owned(),
        author: row.text("author")?.to_owned(),
        added_at: row.time("added_at")?,
        expires_at: row.opt_time("expires_at")?,
    })
}
