//! Versions of a policy, and boards.

use otp_core::event::Event;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, Posted, Published, StoreError,
};

use super::corrupt;
use super::reply::{Fields, Reply};
use super::request::Request;

impl Request {
    /// Says what is put in force.
    pub(crate) fn document(self, document: &PolicyDocument) -> Self {
        self.text("document", document.text())
            .text("author", document.author())
            .text("reason", document.reason())
            .with("kept", PolicyRecord::KEPT.into())
    }

    /// Says what was put in force elsewhere.
    pub(crate) fn policy(self, record: &PolicyRecord) -> Self {
        self.document(&record.document)
            .text("version", &record.version.to_string())
            .text("at", &record.at.as_millis().to_string())
    }
}

impl Request {
    /// Says what goes on a board.
    pub(crate) fn post(
        self,
        board: Board,
        expected: u64,
        text: &BoardText,
        events: &[Event],
    ) -> Self {
        self.text("board", board.name())
            .text("expected", &expected.to_string())
            .text("words", text.as_str())
            .events(events)
    }

    /// Says which board is read, and what is known of it.
    pub(crate) fn board(self, board: Board, known: u64) -> Self {
        self.text("board", board.name())
            .text("known", &known.to_string())
    }
}

pub(crate) fn published(reply: &Reply) -> Result<Published, StoreError> {
    match reply.text(0)? {
        "as" => Ok(Published::As(reply.number(1)?)),
        "conflict" => Ok(Published::Conflict {
            current: reply.number(1)?,
        }),
        _ => Err(corrupt("an answer")),
    }
}

/// Reads a board, by whoever knows this revision of it.
pub(crate) fn posted(reply: &Reply, known: u64) -> Result<Posted, StoreError> {
    let revision = reply.number(0)?;
    let text =
        (revision != known).then(|| BoardText::new(reply.text(1)?).map_err(|_| corrupt("a board")));
    Ok(Posted {
        revision,
        text: text.transpose()?.filter(|_| revision > 0),
        now: reply.time(2)?,
    })
}

/// Reads versions in the order in which they were answered.
pub(crate) fn records(reply: &Reply) -> Result<Vec<PolicyRecord>, StoreError> {
    reply.lists(0)?.into_iter().map(read).collect()
}

fn read(row: Vec<String>) -> Result<PolicyRecord, StoreError> {
    let row = Fields::new(row);
    let (text, author) = (row.text("document")?, row.text("author")?);
    let document = PolicyDocument::new(text, author, row.text("reason")?);
    Ok(PolicyRecord {
        version: row.parsed("version", |text| text.parse().ok())?,
        document: document.map_err(|_| corrupt("a policy"))?,
        at: row.time("at")?,
    })
}
