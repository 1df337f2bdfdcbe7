//! What is copied down, and how.

use std::collections::{HashMap, HashSet};

use otp_core::clock::Timestamp;
use otp_core::event::{Event, EventKind};
use otp_core::request::Tenant;
use otp_core::store::{Block, BlockEntry, Store, StoreError};

use super::Inner;

/// How many blocks are copied down at the most: the newest.
const MOST_BLOCKS: usize = 100_000;
/// How many records are read at once.
const PAGE: usize = 256;
/// How many pages of records one round copies: what is left is copied by the next.
const MOST_PAGES: usize = 40;
/// Marks the records that the copying itself makes beneath.
const COPYING: &str = "copied_down";

/// What this process has copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    blocks: HashMap<Block, Entry>,
    /// The place of the last record.
    place: Option<u64>,
}

/// All that an entry says but its own name.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    note: String,
    author: String,
    added_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl From<&BlockEntry> for Entry {
    fn from(entry: &BlockEntry) -> Self {
        Self {
            note: entry.note.clone(),
            author: entry.author.clone(),
            added_at: entry.added_at,
            expires_at: entry.expires_at,
        }
    }
}

impl<P: Store, M: Store> Inner<P, M> {
    pub(super) async fn round(&self) -> Result<(), StoreError> {
        let blocks = self.copy_blocks().await;
        self.copy_records().await.and(blocks)
    }

    pub(super) async fn copy_blocks(&self) -> Result<(), StoreError> {
        let mut copied = self.copied.lock().await;
        let now = self.above(self.primary.ping()).await?;
        let entries = self.above(self.primary.blocks(MOST_BLOCKS)).await?;
        let blocked: HashSet<&Block> = entries.iter().map(|entry| &entry.block).collect();
        copied.blocks.retain(|block, _| blocked.contains(block));
        if entries.len() < MOST_BLOCKS {
            for stale in self.copy.blocks(MOST_BLOCKS).await? {
                if !blocked.contains(&stale.block) {
                    self.copy.unblock(&stale.block, copying()).await?;
                }
            }
        }
        // Oldest first, so that the copy lists them in the same order.
        for entry in entries.iter().rev() {
            let said = Entry::from(entry);
            if copied.blocks.get(&entry.block) == Some(&said) {
                continue;
            }
            let life = entry.expires_at.map(|end| end.since(now));
            self.copy
                .block(&entry.block, &entry.note, &entry.author, life, copying())
                .await?;
            copied.blocks.insert(entry.block.clone(), said);
        }
        Ok(())
    }

    pub(super) async fn copy_records(&self) -> Result<(), StoreError> {
        let mut copied = self.copied.lock().await;
        for _ in 0..MOST_PAGES {
            let page = self.above(self.primary.outbox(copied.place, PAGE)).await?;
            let last = page.len() < PAGE;
            for entry in page {
                self.copy.append(entry.event).await?;
                copied.place = Some(entry.sequence);
            }
            if last {
                break;
            }
        }
        self.let_go_of_old_records().await
    }

    /// Keeps the newest records of the copy.
    async fn let_go_of_old_records(&self) -> Result<(), StoreError> {
        let held = self.held().await?;
        let old = held.len().checked_sub(self.keep.saturating_add(1));
        match old.and_then(|last| held.get(last)) {
            Some(last) => self.copy.acknowledge(last.sequence).await,
            None => Ok(()),
        }
    }

    pub(super) async fn recent(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        let held = self.held().await?.into_iter().map(|entry| entry.event);
        let mut events: Vec<Event> = held.filter(|event| !is_copying(event)).collect();
        let over = events.len().saturating_sub(limit);
        Ok(events.split_off(over))
    }

    async fn held(&self) -> Result<Vec<otp_core::store::OutboxEntry>, StoreError> {
        // As many as there can be: what is kept, and what one round adds to it.
        let most = self.keep.saturating_add(MOST_PAGES * PAGE);
        let most = most.saturating_add(MOST_BLOCKS);
        self.copy.outbox(None, most).await
    }
}

fn copying() -> Event {
    let mut event = Event::new(EventKind::OperatorAction, &Tenant::default());
    event.reason = Some(COPYING.into());
    event
}

fn is_copying(event: &Event) -> bool {
    event.kind == EventKind::OperatorAction && event.reason.as_deref() == Some(COPYING)
}
