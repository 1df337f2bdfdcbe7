//! What a fleet shares beside its policy: a row a board.

use otp_core::event::Event;
use otp_core::store::{Board, BoardText, Posted, Published, StoreError};

use super::{Intent, Locks, Row, Tx, audit, corrupt};

const READ: &str = "SELECT revision, words FROM otp_boards WHERE board = ?";

const REVISION: &str = "SELECT revision FROM otp_boards WHERE board = ?";

const PUT: &str = "INSERT INTO otp_boards (board, revision, words, posted_at) VALUES (?, ?, ?, ?)";

const REPLACE: &str =
    "UPDATE otp_boards SET revision = ?, words = ?, posted_at = ? WHERE board = ?";

/// Puts a text on a board where nobody has posted since.
pub(crate) struct Post {
    pub(crate) board: Board,
    pub(crate) expected: u64,
    pub(crate) text: BoardText,
    pub(crate) events: Vec<Event>,
}

impl Intent for Post {
    type Answer = Published;

    fn locks(&self) -> Locks {
        Locks::default().board(self.board.name())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Published, StoreError> {
        let now = tx.now()?;
        let board = self.board.name();
        let kept = tx.row(REVISION, &[board.into()]).await?;
        let current = kept.as_ref().map(number).transpose()?.unwrap_or(0);
        if self.expected != current {
            return Ok(Published::Conflict { current });
        }
        let revision = Posted::following(current, now);
        let (number, words) = (place(revision)?.into(), self.text.as_str().into());
        if kept.is_some() {
            let values = [number, words, now.into(), board.into()];
            tx.execute(REPLACE, &values).await?;
        } else {
            let values = [board.into(), number, words, now.into()];
            tx.execute(PUT, &values).await?;
        }
        for event in &self.events {
            audit::write(tx, event).await?;
        }
        Ok(Published::As(revision))
    }
}

/// Reads a board, by whoever knows a revision of it.
pub(crate) struct ReadBoard {
    pub(crate) board: Board,
    pub(crate) known: u64,
}

impl Intent for ReadBoard {
    type Answer = Posted;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Posted, StoreError> {
        let now = tx.now()?;
        let board = self.board.name();
        let kept = tx.row(REVISION, &[board.into()]).await?;
        let revision = kept.as_ref().map(number).transpose()?.unwrap_or(0);
        if revision == self.known || revision == 0 {
            return Ok(Posted {
                revision,
                text: None,
                now,
            });
        }
        // Read in one row with its own number: another one may have come between.
        let row = tx.row(READ, &[board.into()]).await?;
        let row = row.ok_or_else(|| corrupt("words"))?;
        let text = BoardText::new(row.long_text("words")?).map_err(|_| corrupt("words"))?;
        Ok(Posted {
            revision: number(&row)?,
            text: Some(text),
            now,
        })
    }
}

fn place(revision: u64) -> Result<i64, StoreError> {
    i64::try_from(revision).map_err(|_| corrupt("revision"))
}

fn number(row: &Row) -> Result<u64, StoreError> {
    u64::try_from(row.int("revision")?).map_err(|_| corrupt("revision"))
}
