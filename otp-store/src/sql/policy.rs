//! The policy, a row a version.

use otp_core::event::Event;
use otp_core::store::{PolicyDocument, PolicyRecord, Published, StoreError};

use super::{Intent, Locks, Row, Tx, audit, corrupt};

const VERSION: &str = "SELECT COALESCE(MAX(version), 0) AS version FROM otp_policies";

const PUT: &str = "INSERT INTO otp_policies (version, document, author, reason, published_at)
    VALUES (?, ?, ?, ?, ?)";

const FORGET: &str = "DELETE FROM otp_policies WHERE version <= ?";

const HISTORY: &str = "SELECT version, document, author, reason, published_at FROM otp_policies
    ORDER BY version DESC LIMIT ?";

/// Puts a document in force where nobody has published since.
pub(crate) struct Publish {
    pub(crate) expected: Option<u64>,
    pub(crate) document: PolicyDocument,
    pub(crate) event: Event,
}

impl Intent for Publish {
    type Answer = Published;

    fn locks(&self) -> Locks {
        Locks::default().policy()
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Published, StoreError> {
        let at = tx.now()?;
        let current = current(tx).await?;
        if self.expected.unwrap_or_default() != current {
            return Ok(Published::Conflict { current });
        }
        let version = current.saturating_add(1);
        let record = PolicyRecord {
            version,
            document: self.document.clone(),
            at,
        };
        put(tx, &record).await?;
        audit::write(tx, &self.event).await?;
        Ok(Published::As(version))
    }
}

/// Takes over what was published elsewhere, where it is newer.
pub(crate) struct Adopt(pub(crate) PolicyRecord);

impl Intent for Adopt {
    type Answer = ();

    fn locks(&self) -> Locks {
        Locks::default().policy()
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        if self.0.version > current(tx).await? {
            put(tx, &self.0).await?;
        }
        Ok(())
    }
}

/// Reads which version is in force.
pub(crate) struct Version;

impl Intent for Version {
    type Answer = u64;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        current(tx).await
    }
}

/// Lists versions, newest first.
pub(crate) struct History(pub(crate) usize);

impl Intent for History {
    type Answer = Vec<PolicyRecord>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<PolicyRecord>, StoreError> {
        let rows = tx.rows(HISTORY, &[self.0.into()]).await?;
        rows.iter().map(read).collect()
    }
}

async fn current(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    let row = tx.row(VERSION, &[]).await?;
    number(&row.ok_or_else(|| corrupt("version"))?)
}

async fn put(tx: &mut Tx<'_>, record: &PolicyRecord) -> Result<(), StoreError> {
    let values = [
        place(record.version).into(),
        record.document.text().into(),
        record.document.author().into(),
        record.document.reason().into(),
        record.at.into(),
    ];
    tx.execute(PUT, &values).await?;
    let forgotten = place(PolicyRecord::forgotten(record.version));
    tx.execute(FORGET, &[forgotten.into()]).await.map(drop)
}

fn place(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

fn number(row: &Row) -> Result<u64, StoreError> {
    u64::try_from(row.int("version")?).map_err(|_| corrupt("version"))
}

fn read(row: &Row) -> Result<PolicyRecord, StoreError> {
    let (author, reason) = (row.text("author")?, row.text("reason")?);
    let document = PolicyDocument::new(row.long_text("document")?, author, reason);
    Ok(PolicyRecord {
        version: number(row)?,
        document: document.map_err(|_| corrupt("document"))?,
        at: row.time("published_at")?,
    })
}
