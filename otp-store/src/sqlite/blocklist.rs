//! The blocklist as rows.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::store::{Block, BlockEntry, BlockKind, BlocklistStore, StoreError, StoreErrorKind};

use super::engine::{failed, json_pairs};
use super::intent::{Intent, Tx};
use super::row::{Fields, corrupt};
use super::{SqliteStore, audit};

const MATCHING: &str = "SELECT asked.key AS place
    FROM json_each(?1) AS asked JOIN blocklist AS entry
        ON entry.kind = json_extract(asked.value, '$[0]')
        AND entry.value = json_extract(asked.value, '$[1]')
    WHERE entry.expires_at IS NULL OR entry.expires_at > ?2
    ORDER BY asked.key";

const PUT: &str = "INSERT INTO blocklist (kind, value, note, author, added_at, expires_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (kind, value) DO UPDATE SET
        note = excluded.note, author = excluded.author,
        added_at = excluded.added_at, expires_at = excluded.expires_at";

const REMOVE: &str = "DELETE FROM blocklist WHERE kind = ?1 AND value = ?2";

const LIST: &str = "SELECT kind, value, note, author, added_at, expires_at FROM blocklist
    WHERE expires_at IS NULL OR expires_at > ?1
    ORDER BY added_at DESC, kind, value LIMIT ?2";

/// Gives those of a request's values that are on the list now.
pub(super) async fn matching(
    tx: &mut Tx<'_>,
    asked: &[Block],
    now: Timestamp,
) -> Result<Vec<Block>, StoreError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = json_pairs(
        asked
            .iter()
            .map(|block| (block.kind().name(), block.value())),
    );
    let rows = sqlx::query(MATCHING)
        .bind(pairs)
        .bind(now.as_millis())
        .fetch_all(tx.conn())
        .await
        .map_err(failed)?;
    rows.iter()
        .map(|row| {
            let place = Fields(row).place("place")?;
            asked.get(place).cloned().ok_or_else(|| corrupt("place"))
        })
        .collect()
}

struct Add {
    block: Block,
    note: String,
    author: String,
    life: Option<Duration>,
    event: Event,
}

impl Intent for Add {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let now = tx.now()?;
        let expires = self.life.map(|life| now.saturating_add(life).as_millis());
        sqlx::query(PUT)
            .bind(self.block.kind().name())
            .bind(self.block.value())
            .bind(self.note.as_str())
            .bind(self.author.as_str())
            .bind(now.as_millis())
            .bind(expires)
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        audit::write(tx, &self.event).await
    }
}

struct Remove(Block, Event);

impl Intent for Remove {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Self(block, event) = self;
        sqlx::query(REMOVE)
            .bind(block.kind().name())
            .bind(block.value())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        audit::write(tx, event).await
    }
}

struct List(usize);

impl Intent for List {
    type Answer = Vec<BlockEntry>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<BlockEntry>, StoreError> {
        let now = tx.now()?;
        let rows = sqlx::query(LIST)
            .bind(now.as_millis())
            .bind(i64::try_from(self.0).unwrap_or(i64::MAX))
            .fetch_all(tx.conn())
            .await
            .map_err(failed)?;
        rows.iter().map(|row| read(&Fields(row))).collect()
    }
}

fn read(row: &Fields<'_>) -> Result<BlockEntry, StoreError> {
    let kind = row.parsed("kind", BlockKind::from_name)?;
    Ok(BlockEntry {
        block: row.parsed("value", |value| Block::new(kind, value).ok())?,
        note: row.text("note")?,
        author: row.text("author")?,
        added_at: row.time("added_at")?,
        expires_at: row.opt_time("expires_at")?,
    })
}

/// The longest note or author, in bytes: 256 characters of the longest encoding.
const LONGEST: usize = 1_024;

#[async_trait]
impl BlocklistStore for SqliteStore {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        if note.len() > LONGEST || author.len() > LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        self.write(Add {
            block: block.clone(),
            note: note.to_owned(),
            author: author.to_owned(),
            life,
            event,
        })
        .await
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        self.write(Remove(block.clone(), event)).await
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        self.read(List(limit)).await
    }
}
