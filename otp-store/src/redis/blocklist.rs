//! The blocklist: one hash, so that a request's values are matched in one look.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{Block, BlockEntry, BlockKind, BlocklistStore, StoreError, StoreErrorKind};
use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::corrupt;
use crate::wire::reply::time;
use crate::wire::request::{Request, millis};

/// The longest note or author, in bytes: 256 characters of the longest encoding.
const LONGEST: usize = 1_024;

/// Names the entry of a block; no kind has a colon in its name.
pub(super) fn field(block: &Block) -> String {
    format!("{}:{}", block.kind().name(), block.value())
}

#[async_trait]
impl BlocklistStore for RedisStore {
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
        let field = field(block);
        self.on_all(event, move |store, shelf| {
            let request = store
                .request(shelf, "block")
                .text("field", &field)
                .with("entry", entry.clone());
            match life {
                Some(life) => request.with("life", millis(life).into()),
                None => request,
            }
        })
        .await
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        let field = field(block);
        self.on_all(event, move |store, shelf| {
            store.request(shelf, "unblock").text("field", &field)
        })
        .await
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        let shelf = self.inner.keys.shelves.first();
        let request = self.request(shelf, "blocks");
        let reply = self.ask(shelf, &script::DESK, request).await?;
        let now = reply.time(0)?;
        let entries = reply.texts(1)?;
        let entries = entries.iter().map(|entry| read(entry));
        let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
        entries.retain(|entry| entry.expires_at.is_none_or(|at| now < at));
        entries.sort_by(|one, two| {
            let newest = two.added_at.cmp(&one.added_at);
            newest.then_with(|| one.block.cmp(&two.block))
        });
        entries.truncate(limit);
        Ok(entries)
    }
}

impl RedisStore {
    /// Writes to every shelf, so that each decides by itself: to the first one first, which lists
    /// the entries, has the record and says whose turn it is, so that of calls that race all
    /// shelves keep the same one. What failed half-way is an error, and holds where it was
    /// written; the same once more makes it whole.
    async fn on_all(
        &self,
        event: Event,
        request: impl Fn(&Self, &Shelf) -> Request + Send + Sync + 'static,
    ) -> Result<(), StoreError> {
        let store = self.clone();
        self.whole(async move {
            let shelves = &store.inner.keys.shelves;
            let first = shelves.first();
            let asked = request(&store, first).event(&event);
            let reply = store.ask(first, &script::DESK, asked).await?;
            let turn = reply.text(0)?;
            let begun = shelves.others().iter().map(|shelf| {
                let asked = request(&store, shelf).text("version", turn);
                store.begin(shelf, &script::DESK, asked)
            });
            let mut failure = None;
            for pending in begun.collect::<Vec<_>>() {
                failure = pending.answer().await.err().or(failure);
            }
            failure.map_or(Ok(()), Err)
        })
        .await
    }
}

fn read(json: &str) -> Result<BlockEntry, StoreError> {
    let value: Value = serde_json::from_str(json).map_err(|_| corrupt("a block"))?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let needed = |name| text(name).ok_or_else(|| corrupt("a block"));
    let kind = BlockKind::from_name(needed("kind")?).ok_or_else(|| corrupt("a block"))?;
    Ok(BlockEntry {
        block: Block::new(kind, needed("value")?).map_err(|_| corrupt("a block"))?,
        note: needed("note")?.to_owned(),
        author: needed("author")?.to_owned(),
        added_at: time(needed("added_at")?)?,
        expires_at: text("expires_at").map(time).transpose()?,
    })
}
