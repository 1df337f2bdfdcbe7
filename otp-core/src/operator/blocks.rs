use std::time::Duration;

use super::effect::{Count, Effect, Mode};
use super::{BlockLine, BlockList, Operator};
use crate::event::Event;
use crate::store::{Block, BlockEntry};
use crate::verifier::Unavailable;

/// The most entries that are read at once, to look something up among them.
pub(super) const READ: usize = 100_000;

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
        self.write_blocks(&lines.collect::<Vec<_>>()).await
    }

    /// Puts a whole list onto the blocklist, each entry with its own note and life; one that has no
    /// note gets the operator's reason. Repeating it writes the same again.
    ///
    /// # Errors
    /// [`Unavailable`]; those before the one that failed are blocked.
    pub async fn import_blocks(&self, list: &BlockList) -> Result<Effect, Unavailable> {
        self.write_blocks(list.lines()).await
    }

    async fn write_blocks(&self, lines: &[BlockLine]) -> Result<Effect, Unavailable> {
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
        self.note(self.look("list_blocks")).await?;
        Ok(self.store().blocks(limit).await?)
    }

    /// Writes the entries that hold now as a list that
    /// [`import_blocks`](Self::import_blocks) takes, here or elsewhere, with what is left of their
    /// lives.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn export_blocks(&self) -> Result<BlockList, Unavailable> {
        self.note(self.look("export_blocks")).await?;
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
