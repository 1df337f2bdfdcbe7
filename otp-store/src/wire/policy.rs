//! Versions of a policy.

use otp_core::store::{PolicyDocument, PolicyRecord, Published, StoreError};

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

pub(crate) fn published(reply: &Reply) -> Result<Published, StoreError> {
    match reply.text(0)? {
        "as" => Ok(Published::As(reply.number(1)?)),
        "conflict" => Ok(Published::Conflict {
            current: reply.number(1)?,
        }),
        _ => Err(corrupt("an answer")),
    }
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
