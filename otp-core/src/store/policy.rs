mod board;
mod document;

use std::fmt::Debug;

use async_trait::async_trait;

pub use board::{Board, BoardText, Posted};
pub use document::{InvalidDocument, PolicyDocument, PolicyRecord};

use crate::event::Event;

use super::StoreError;

/// What came of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Published {
    /// It is in force, as this version.
    As(u64),
    /// Somebody else has published since; nothing was changed.
    Conflict {
        /// The version that is in force; 0 where there is none.
        current: u64,
    },
}

/// Keeps one policy for a fleet: a versioned document that every instance reads.
///
/// The first version is 1, each one after it is the next number, and none is ever changed. The
/// newest [`KEPT`](PolicyRecord::KEPT) are kept. Reading needs no time: it works while the engine's
/// clock stands wrong.
///
/// Beside it are boards: a text each, of which the newest is kept.
#[async_trait]
pub trait PolicyStore: Debug + Send + Sync + 'static {
    /// Puts a document in force where the version that is in force is the expected one, `None` being
    /// none, with its record in the same step. Of callers that race with one expectation one
    /// publishes, and all others hear of a conflict, which leaves no record.
    ///
    /// # Errors
    /// [`StoreError`]; then it may or may not be in force. Calling again with the same expectation
    /// publishes it once: where it was, that is a conflict with a version that reads the same.
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError>;

    /// Reads the document that is in force.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError>;

    /// Reads which version is in force; 0 where there is none. It is cheap: every instance may ask
    /// each second.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn version(&self) -> Result<u64, StoreError>;

    /// Lists versions, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError>;

    /// Takes over what another store has published, with its version and time, where it is newer
    /// than what is in force here. It leaves no record: the other store has it. For copies, in which
    /// versions may be missing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError>;

    /// Puts a text on a board where the revision that is there is the expected one, 0 being none,
    /// with its records in the same step. The new revision is that which
    /// [`Posted::following`] gives. Of callers that race with one expectation one posts, and all
    /// others hear of a conflict, which leaves no record. The policy and other boards stay as they
    /// are.
    ///
    /// # Errors
    /// [`StoreError`]; then it may or may not be there.
    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError>;

    /// Reads a board, its text only where its revision is another than the one that is known. It is
    /// cheap: every instance may ask each second. It tells the time, so that it is refused while
    /// the engine's clock stands wrong.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError>;
}
