//! Tries as rows: how many a challenge had, and those that carried an id.

use otp_core::challenge::{AttemptAnswer, AttemptEntry, Challenge, ChallengeId};
use otp_core::request::AttemptId;
use otp_core::store::StoreError;

use super::engine::failed;
use super::intent::Tx;
use super::row::Fields;

const OF: &str = "SELECT attempt_id, fingerprint, answer FROM challenge_attempt_log
    WHERE challenge_id = ?1 ORDER BY place";

const PUT: &str = "INSERT INTO challenge_attempt_log
        (challenge_id, place, attempt_id, fingerprint, answer, tried_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (challenge_id, place) DO UPDATE SET answer = excluded.answer";

const COUNT: &str = "INSERT INTO challenge_validation_attempts
        (challenge_id, user_id, validation_attempts, last_attempt_at, challenge_expired)
    VALUES (?1, ?2, 1, ?3, ?4)
    ON CONFLICT (challenge_id) DO UPDATE SET
        validation_attempts = validation_attempts + 1,
        last_attempt_at = excluded.last_attempt_at,
        challenge_expired = MAX(challenge_expired, excluded.challenge_expired)";

/// Whether a counted try came too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    InTime,
    Expired,
}

/// Reads the tries of a challenge that carried an id, in order.
pub(super) async fn of(tx: &mut Tx<'_>, id: &ChallengeId) -> Result<Vec<AttemptEntry>, StoreError> {
    let rows = sqlx::query(OF)
        .bind(id.to_string())
        .fetch_all(tx.conn())
        .await
        .map_err(failed)?;
    rows.iter().map(|row| read(&Fields(row))).collect()
}

/// Writes the tries that are new or were answered since.
pub(super) async fn save(
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
        sqlx::query(PUT)
            .bind(challenge.id.to_string())
            .bind(i64::try_from(place).unwrap_or(i64::MAX))
            .bind(entry.id.as_str())
            .bind(entry.fingerprint.as_slice())
            .bind(entry.answer.name())
            .bind(now.as_millis())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// Counts a try for the operator's query.
pub(super) async fn count(
    tx: &mut Tx<'_>,
    challenge: &Challenge,
    tried: Tried,
) -> Result<(), StoreError> {
    let now = tx.now()?;
    sqlx::query(COUNT)
        .bind(challenge.id.to_string())
        .bind(challenge.subject.user_id())
        .bind(now.as_millis())
        .bind(i64::from(tried == Tried::Expired))
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    Ok(())
}

fn read(row: &Fields<'_>) -> Result<AttemptEntry, StoreError> {
    Ok(AttemptEntry {
        id: row.parsed("attempt_id", |text| AttemptId::new(text).ok())?,
        fingerprint: row.bytes("fingerprint")?,
        answer: row.parsed("answer", AttemptAnswer::from_name)?,
    })
}
