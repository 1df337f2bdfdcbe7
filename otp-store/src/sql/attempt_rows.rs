//! Tries as rows: how many a challenge had, and those that carried an id.

use otp_core::challenge::{AttemptAnswer, AttemptEntry, Challenge, ChallengeId};
use otp_core::request::AttemptId;
use otp_core::store::StoreError;

use super::{Row, Tx};

const OF: &str = "SELECT attempt_id, fingerprint, answer FROM challenge_attempt_log
    WHERE challenge_id = ? ORDER BY place";

/// Whether a counted try came too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    InTime,
    Expired,
}

/// Reads the tries of a challenge that carried an id, in order.
pub(crate) async fn of(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<Vec<AttemptEntry>, StoreError> {
    let rows = tx.rows(OF, &[(&id.to_string()).into()]).await?;
    rows.iter().map(read).collect()
}

/// Writes the tries that are new or were answered since.
pub(crate) async fn save(
    tx: &mut Tx<'_>,
    challenge: &Challenge,
    before: &[AttemptEntry],
) -> Result<(), StoreError> {
    let now = tx.now()?;
    let changed = challenge
        .attempt_log
        .iter()
        .enumerate()
        .filter(|(place, entry)| before.get(*place) != Some(entry));
    for (place, entry) in changed {
        tx.execute(
            tx.dialect().put_try,
            &[
                (&challenge.id.to_string()).into(),
                place.into(),
                entry.id.as_str().into(),
                entry.fingerprint.as_slice().into(),
                entry.answer.name().into(),
                now.into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Counts a try for the operator's query.
pub(crate) async fn count(
    tx: &mut Tx<'_>,
    challenge: &Challenge,
    tried: Tried,
) -> Result<(), StoreError> {
    let now = tx.now()?;
    tx.execute(
        tx.dialect().count_try,
        &[
            (&challenge.id.to_string()).into(),
            challenge.subject.user_id().into(),
            now.into(),
            (tried == Tried::Expired).into(),
        ],
    )
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<AttemptEntry, StoreError> {
    Ok(AttemptEntry {
        id: row.parsed("attempt_id", |text| AttemptId::new(text).ok())?,
        fingerprint: row.bytes("fingerprint")?,
        answer: row.parsed("answer", AttemptAnswer::from_name)?,
    })
}
