//! The blocklist.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{Block, BlockEntry, BlockKind, BlocklistStore, StoreError, StoreErrorKind};
use serde_json::{Value, json};

use super::PostgresStore;
use super::link::Function;
use crate::wire::corrupt;
use crate::wire::reply::{Fields, time};
use crate::wire::request::millis;

/// The longest note or author, in bytes: 256 characters of the longest encoding.
const LONGEST: usize = 1_024;
/// The most that is listed at once.
const LONGEST_LIST: usize = 100_000;

/// Writes a value that a request is matched by.
pub(super) fn written(block: &Block) -> Value {
    json!([block.kind().name(), block.value()])
}

#[async_trait]
impl BlocklistStore for PostgresStore {
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
        let entry = json!({
            "kind": block.kind().name(),
            "value": block.value(),
            "note": note,
            "author": author,
        });
        let mut request = self.request("block").with("entry", entry).event(&event);
        if let Some(life) = life {
            request = request.with("life", millis(life).into());
        }
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        let entry = json!({"kind": block.kind().name(), "value": block.value()});
        let request = self.request("unblock").with("entry", entry).event(&event);
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        let request = self
            .request("blocks")
            .with("limit", limit.min(LONGEST_LIST).into());
        let reply = self.ask(Function::Query, request).await?;
        let entries = reply.lists(0)?.into_iter();
        entries.map(|entry| read(&Fields::new(entry))).collect()
    }
}

fn read(row: &Fields) -> Result<BlockEntry, StoreError> {
    let kind = row.parsed("kind", BlockKind::from_name)?;
    Ok(BlockEntry {
        block: Block::new(kind, row.text("value")?).map_err(|_| corrupt("a block"))?,
        note: row.text("note")?.to_owned(),
        author: row.text("author")?.to_owned(),
        added_at: row.time("added_at")?,
        expires_at: row.opt_text("expires_at")?.map(time).transpose()?,
    })
}
