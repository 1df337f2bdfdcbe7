//! What is copied down, and how.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::event::{Event, EventId, EventKind};
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

/// How many pages are looked through for the last record that an earlier process copied.
const MOST_SEARCHED: usize = 4_096;
/// An end that differs by less is the same: two clocks say when it is.
const SAME_END: Duration = Duration::from_secs(5);

/// What this process has copied.
#[derive(Debug, Default)]
pub(super) struct Copied {
    blocks: HashMap<Block, Entry>,
    records: Place,
}

/// Up to where records are copied.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// An earlier process may have copied some.
    #[default]
    Unknown,
    /// Up to this one, if any.
    After(Option<u64>),
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
        let policy = self.copy_policy().await;
        self.copy_records().await.and(blocks).and(policy)
    }

    pub(super) async fn copy_blocks(&self) -> Result<(), StoreError> {
        let mut copied = self.copied.lock().await;
        let now = self.above(self.primary.ping()).await?;
        let entries = self.above(self.primary.blocks(MOST_BLOCKS)).await?;
        let blocked: HashSet<&Block> = entries.iter().map(|entry| &entry.block).collect();
        copied.blocks.retain(|block, _| blocked.contains(block));
        let here = self.copy.ping().await?;
        let mut beneath = HashMap::new();
        for entry in self.copy.blocks(MOST_BLOCKS).await? {
            if blocked.contains(&entry.block) {
                beneath.insert(entry.block.clone(), entry);
            } else if entries.len() < MOST_BLOCKS {
                self.copy.unblock(&entry.block, copying()).await?;
            }
        }
        // Oldest first, so that the copy lists them in the same order.
        for entry in entries.iter().rev() {
            let said = Entry::from(entry);
            if copied.blocks.get(&entry.block) == Some(&said) {
                continue;
            }
            let life = entry.expires_at.map(|end| end.since(now));
            // An earlier process may have copied it; a change since then was seen by this one.
            let known = beneath.get(&entry.block).is_some_and(|copy| {
                let left = copy.expires_at.map(|end| end.since(here));
                (&copy.note, &copy.author) == (&entry.note, &entry.author) && is_same(left, life)
            });
            if !known || copied.blocks.contains_key(&entry.block) {
                self.copy
                    .block(&entry.block, &entry.note, &entry.author, life, copying())
                    .await?;
            }
            copied.blocks.insert(entry.block.clone(), said);
        }
        Ok(())
    }

    pub(super) async fn copy_records(&self) -> Result<(), StoreError> {
        let mut copied = self.copied.lock().await;
        let mut place = match copied.records {
            Place::After(place) => place,
            Place::Unknown => self.last_copied().await?,
        };
        for _ in 0..MOST_PAGES {
            copied.records = Place::After(place);
            let page = self.above(self.primary.outbox(place, PAGE)).await?;
            let last = page.len() < PAGE;
            for entry in page {
                self.copy.append(entry.event).await?;
                place = Some(entry.sequence);
                copied.records = Place::After(place);
            }
            if last {
                break;
            }
        }
        self.let_go_of_old_records().await
    }

    /// Finds the place above of the last record that the copy holds. What comes before it was
    /// copied too, also where the copy has let go of it.
    async fn last_copied(&self) -> Result<Option<u64>, StoreError> {
        let held = self.held().await?.into_iter().map(|entry| entry.event);
        let held: HashSet<EventId> = held.map(|event| event.id).collect();
        let (mut found, mut searched) = (None, None);
        if held.is_empty() {
            return Ok(None);
        }
        for _ in 0..MOST_SEARCHED {
            let page = self.above(self.primary.outbox(searched, PAGE)).await?;
            let known = page.iter().rev().find(|one| held.contains(&one.event.id));
            found = known.map(|entry| entry.sequence).or(found);
            searched = page.last().map(|entry| entry.sequence).or(searched);
            if page.len() < PAGE {
                break;
            }
        }
        Ok(found)
    }

    /// Keeps the newest records of the copy. What the copying itself wrote takes no room of theirs.
    async fn let_go_of_old_records(&self) -> Result<(), StoreError> {
        let held = self.held().await?;
        let (mut records, mut copies) = (self.keep, MOST_BLOCKS);
        let old = held.iter().rev().find(|entry| {
            let room = if is_copying(&entry.event) {
                &mut copies
            } else {
                &mut records
            };
            let full = *room == 0;
            *room = room.saturating_sub(1);
            full
        });
        match old {
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
        let most = most.saturating_add(3 * MOST_BLOCKS);
        self.copy.outbox(None, most).await
    }
}

/// Says whether two lives, measured by two clocks, end together.
fn is_same(one: Option<Duration>, two: Option<Duration>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => one.abs_diff(two) <= SAME_END,
        (one, two) => one == two,
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
