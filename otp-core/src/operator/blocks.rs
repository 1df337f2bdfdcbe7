use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Handle;

use super::effect::{Count, Effect, Mode};
use super::{BlockLine, BlockList, Operator};
use crate::event::Event;
use crate::store::{Block, BlockEntry, StoreError, StoreErrorKind};
use crate::verifier::Unavailable;

/// The most entries that are read at once, to look something up among them.
pub(super) const READ: usize = 100_000;

/// Says that a list was not imported to its end. Importing it again does no harm.
#[derive(Debug, Error)]
#[error("unavailable after {written} entries")]
pub struct ImportError {
    written: u64,
    #[source]
    source: Unavailable,
}

impl ImportError {
    /// Says how many entries, counted from the list's first, are blocked; the next one may be.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Says what the store answered; for operators.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.source.kind()
    }
}

impl From<ImportError> for Unavailable {
    fn from(error: ImportError) -> Self {
        error.source
    }
}

impl Operator {
    /// Puts entries onto the blocklist, or replaces those that are there, with the operator's reason
    /// as their note. They hold for every request that is admitted after the call, until their life
    /// is over; `None` is for ever.
    ///
    /// Live challenges stay as they are: a verify is refused by its client address and device,
    /// never by whom the challenge is for. [`revoke_of`](Self::revoke_of) ends those.
    ///
    /// # Errors
    /// [`Unavailable`]; those before the one that failed are blocked.
    pub async fn block(
        &self,
        blocks: &[Block],
        life: Option<Duration>,
    ) -> Result<Effect, Unavailable> {
        let lines = blocks.iter().map(|block| BlockLine {
            block: block.clone(),
            note: self.act.reason.as_str().to_owned(),
            life,
        });
        let written = AtomicU64::new(0);
        self.write_blocks(&lines.collect::<Vec<_>>(), &written)
            .await
    }

    /// Puts a whole list onto the blocklist, each entry with its own note and life; one that has no
    /// note gets the operator's reason. Repeating it writes the same again.
    ///
    /// # Errors
    /// [`ImportError`], which says how many of the first entries are blocked.
    ///
    /// # Cancellation
    /// A dropped call is carried on to its end, where there is a Tokio runtime.
    pub async fn import_blocks(&self, list: &BlockList) -> Result<Effect, ImportError> {
        let written = Arc::new(AtomicU64::new(0));
        let (operator, list, count) = (self.clone(), list.clone(), Arc::clone(&written));
        let import = async move { operator.write_blocks(list.lines(), &count).await };
        let imported = match Handle::try_current() {
            Ok(runtime) => runtime.spawn(import).await.unwrap_or_else(|_gone| {
                let error = StoreError::from(StoreErrorKind::Unavailable);
                Err(error.into())
            }),
            Err(_) => import.await,
        };
        imported.map_err(|source| ImportError {
            written: written.load(Ordering::Relaxed),
            source,
        })
    }

    async fn write_blocks(
        &self,
        lines: &[BlockLine],
        written: &AtomicU64,
    ) -> Result<Effect, Unavailable> {
        for line in lines {
            let event = self.about("block", &line.block);
            if self.mode == Mode::Preview {
                continue;
            }
            let note = match line.note.as_str() {
                "" => self.act.reason.as_str(),
                note => note,
            };
            let author = self.act.operator.as_str();
            self.store()
                .block(&line.block, note, author, line.life, event.clone())
                .await?;
            written.fetch_add(1, Ordering::Relaxed);
            self.verifier.observe(&event);
        }
        let count = Count::listed(lines.len(), usize::MAX);
        if self.mode == Mode::Preview {
            let mut event = self.event("block");
            event.reason = Some(format!("preview_block:{}", count.number()).into());
            self.note(event).await?;
        }
        Ok(Effect::new(self.mode, count, lines, |line| {
            shown(&line.block)
        }))
    }

    /// Takes entries off the blocklist. The effect counts those that were on it.
    ///
    /// # Errors
    /// [`Unavailable`]; those before the one that failed are off it.
    pub async fn unblock(&self, blocks: &[Block]) -> Result<Effect, Unavailable> {
        let mut entries = self.store().blocks(READ).await?;
        entries.retain(|entry| blocks.contains(&entry.block));
        let count = Count::listed(entries.len(), usize::MAX);
        match self.mode {
            Mode::Preview => {
                let mut event = self.event("unblock");
                event.reason = Some(format!("preview_unblock:{}", count.number()).into());
                self.note(event).await?;
            }
            Mode::Apply => {
                for block in blocks {
                    let event = self.about("unblock", block);
                    self.store().unblock(block, event.clone()).await?;
                    self.verifier.observe(&event);
                }
            }
        }
        Ok(Effect::new(self.mode, count, &entries, |entry| {
            shown(&entry.block)
        }))
    }

    /// Lists the entries that hold now, newest first. Their values are in full.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, Unavailable> {
        self.note_look(self.look("list_blocks")).await?;
        Ok(self.store().blocks(limit).await?)
    }

    /// Writes the entries that hold now as a list that
    /// [`import_blocks`](Self::import_blocks) takes, here or elsewhere, with what is left of their
    /// lives.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn export_blocks(&self) -> Result<BlockList, Unavailable> {
        self.note_look(self.look("export_blocks")).await?;
        let now = self.store().ping().await?;
        let entries = self.store().blocks(READ).await?;
        Ok(BlockList::of(&entries, now))
    }

    fn about(&self, what: &'static str, block: &Block) -> Event {
        let mut event = self.event(what);
        event.destination = Some(block.masked());
        event
    }
}

fn shown(block: &Block) -> String {
    format!("{} {}", block.kind().name(), block.masked())
}
