use std::fmt::Debug;

use async_trait::async_trait;

use crate::event::Event;

use super::StoreError;

/// One record of the outbox, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its place; later records have higher ones.
    pub sequence: u64,
    /// The record.
    pub event: Event,
}

/// Keeps the audit outbox. Records arrive inside the intents of the other traits; these methods
/// add what no intent carries (a delivery's outcome) and take records away once they are kept
/// elsewhere.
#[async_trait]
pub trait AuditStore: Debug + Send + Sync + 'static {
    /// Adds a record by itself. A record whose id is there already is not added again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn append(&self, event: Event) -> Result<(), StoreError>;

    /// Adds records by themselves, in this order: those of another store, handed over. Each is added
    /// as [`append`](Self::append) adds one; a record that bears a time keeps it.
    ///
    /// By default they are added one after the other; an engine whose every step is a commit does it
    /// in one.
    ///
    /// # Errors
    /// [`StoreError`]; then none of them, all, or the first ones were added. Adding them again adds
    /// the others.
    async fn append_all(&self, events: Vec<Event>) -> Result<(), StoreError> {
        for event in events {
            self.append(event).await?;
        }
        Ok(())
    }

    /// Reads records after a place, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError>;

    /// Marks records up to a place as kept elsewhere; they may be removed from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError>;
}
