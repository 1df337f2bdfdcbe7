//! Challenges as rows.

use otp_core::challenge::{
    Alphabet, Challenge, ChallengeId, ChallengeState, CodeFormat, Lane, Separators,
};
use otp_core::clock::Timestamp;
use otp_core::key::{KeyId, Sealed};
use otp_core::request::{AttemptId, FactorClass, Purpose, SessionBinding, SubjectKey, Tenant};
use otp_core::store::{StoreError, Target};
use sqlx::sqlite::SqliteRow;

use super::attempt_rows;
use super::engine::failed;
use super::intent::Tx;
use super::row::{Fields, corrupt};

const BY_ID: &str = "SELECT * FROM auth_challenges WHERE id = ?1";

// A slot has one live challenge at the most, and what is live comes before what is newer: after
// the clock was forgiven an ended one may have the later time. A row whose time is over is not
// live, whatever its state says.
const LATEST: &str = "SELECT * FROM auth_challenges
    WHERE subject_key = ?1 AND tenant = ?2 AND purpose = ?3 AND lane = ?4
    ORDER BY CASE WHEN state = 'live' AND expires_at > ?5 THEN 0 ELSE 1 END, created_at DESC
    LIMIT 1";

const ADD: &str = "INSERT INTO auth_challenges (
        id, tenant, user_id, subject_key, purpose, channel, lane, factor_class,
        code_alphabet, code_length, code_separators,
        destination, destination_key, destination_masked, digest, key_id, sealed_code, binding,
        ip_address, created_at, expires_at, attempts, wrong, attempt_limit, sends, next_send_at,
        state, consumed_at, consumed_by, ended_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)";

const CHANGE: &str = "UPDATE auth_challenges SET
        channel = ?2, key_id = ?3, digest = ?4, sealed_code = ?5, attempts = ?6, wrong = ?7,
        sends = ?8, next_send_at = ?9, state = ?10, consumed_at = ?11, consumed_by = ?12,
        ended_at = ?13
    WHERE id = ?1";

/// Reads one challenge with its named tries.
pub(super) async fn find(
    tx: &mut Tx<'_>,
    id: &ChallengeId,
) -> Result<Option<Challenge>, StoreError> {
    let row = sqlx::query(BY_ID)
        .bind(id.to_string())
        .fetch_optional(tx.conn())
        .await
        .map_err(failed)?;
    with_tries(tx, row).await
}

/// Finds what a try is meant for: by name, or the first live one of the doors, in their order.
///
/// Where none is live it is the first that there is: a repeated try still gets its recorded
/// answer, and any other one hears why it is refused.
pub(super) async fn aimed_at(
    tx: &mut Tx<'_>,
    target: &Target,
    now: Timestamp,
) -> Result<Option<Challenge>, StoreError> {
    let (tenant, subject, purpose, lanes) = match target {
        Target::Id(id) => return find(tx, id).await,
        Target::Latest {
            tenant,
            subject,
            purpose,
            lanes,
        } => (tenant, subject, purpose, lanes),
    };
    let mut ended = None;
    for lane in lanes {
        let row = sqlx::query(LATEST)
            .bind(subject.as_str())
            .bind(tenant.as_str())
            .bind(purpose.as_str())
            .bind(lane.name())
            .bind(now.as_millis())
            .fetch_optional(tx.conn())
            .await
            .map_err(failed)?;
        match with_tries(tx, row).await? {
            Some(found) if found.is_live(now) => return Ok(Some(found)),
            found => ended = ended.or(found),
        }
    }
    Ok(ended)
}

/// Adds a challenge with its named tries.
pub(super) async fn add(tx: &mut Tx<'_>, new: &Challenge) -> Result<(), StoreError> {
    let now = tx.now()?;
    let (consumed_at, consumed_by) = consumed(&new.state);
    sqlx::query(ADD)
        .bind(new.id.to_string())
        .bind(new.tenant.as_str())
        .bind(new.subject.user_id())
        .bind(new.subject.as_str())
        .bind(new.purpose.as_str())
        .bind(new.channel.name())
        .bind(new.lane.name())
        .bind(new.class.name())
        .bind(new.format.alphabet().name())
        .bind(i64::from(new.format.length()))
        .bind(new.format.separators().name())
        .bind(new.destination.as_ref().map(Sealed::as_bytes))
        .bind(new.destination_key.as_str())
        .bind(new.destination_masked.as_str())
        .bind(new.digest.as_str())
        .bind(new.key_id.as_str())
        .bind(new.sealed_code.as_ref().map(Sealed::as_bytes))
        .bind(
            new.binding
                .as_ref()
                .map(|binding| binding.as_bytes().as_slice()),
        )
        .bind(new.address.map(|address| address.to_string()))
        .bind(new.created_at.as_millis())
        .bind(new.expires_at.as_millis())
        .bind(i64::from(new.attempts))
        .bind(i64::from(new.wrong))
        .bind(i64::from(new.attempt_limit))
        .bind(i64::from(new.sends))
        .bind(new.next_send_at.as_millis())
        .bind(new.state.name())
        .bind(consumed_at)
        .bind(consumed_by)
        .bind(ended_at(new, now).as_millis())
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    attempt_rows::save(tx, new, &[]).await
}

/// Writes what the state machine has changed.
pub(super) async fn save(
    tx: &mut Tx<'_>,
    before: &Challenge,
    after: &Challenge,
) -> Result<(), StoreError> {
    let now = tx.now()?;
    let (consumed_at, consumed_by) = consumed(&after.state);
    sqlx::query(CHANGE)
        .bind(after.id.to_string())
        .bind(after.channel.name())
        .bind(after.key_id.as_str())
        .bind(after.digest.as_str())
        .bind(after.sealed_code.as_ref().map(Sealed::as_bytes))
        .bind(i64::from(after.attempts))
        .bind(i64::from(after.wrong))
        .bind(i64::from(after.sends))
        .bind(after.next_send_at.as_millis())
        .bind(after.state.name())
        .bind(consumed_at)
        .bind(consumed_by)
        .bind(ended_at(after, now).as_millis())
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    attempt_rows::save(tx, after, &before.attempt_log).await
}

/// Reads rows with their named tries.
pub(super) async fn with_all_tries(
    tx: &mut Tx<'_>,
    rows: Vec<SqliteRow>,
) -> Result<Vec<Challenge>, StoreError> {
    let mut challenges = Vec::with_capacity(rows.len());
    for row in rows {
        challenges.extend(with_tries(tx, Some(row)).await?);
    }
    Ok(challenges)
}

async fn with_tries(
    tx: &mut Tx<'_>,
    row: Option<SqliteRow>,
) -> Result<Option<Challenge>, StoreError> {
    let Some(row) = row else {
        return Ok(None);
    };
    let mut challenge = read(&Fields(&row))?;
    challenge.attempt_log = attempt_rows::of(tx, &challenge.id).await?;
    Ok(Some(challenge))
}

fn read(row: &Fields<'_>) -> Result<Challenge, StoreError> {
    Ok(Challenge {
        id: row.parsed("id", |text| text.parse().ok())?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: SubjectKey::from_stored(row.text("subject_key")?),
        purpose: row.parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: row.parsed("channel", |text| text.parse().ok())?,
        lane: row.parsed("lane", Lane::from_name)?,
        class: row.parsed("factor_class", FactorClass::from_name)?,
        format: format(row)?,
        destination: sealed(row, "destination")?,
        destination_key: SubjectKey::from_stored(row.text("destination_key")?),
        destination_masked: row.text("destination_masked")?,
        digest: row.text("digest")?,
        sealed_code: sealed(row, "sealed_code")?,
        key_id: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        address: row.opt_parsed("ip_address", |text| text.parse().ok())?,
        binding: match row.opt_blob("binding")? {
            None => None,
            Some(_) => Some(SessionBinding::from_bytes(row.bytes("binding")?)),
        },
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        attempts: row.count("attempts")?,
        wrong: row.count("wrong")?,
        attempt_limit: row.count("attempt_limit")?,
        sends: row.count("sends")?,
        next_send_at: row.time("next_send_at")?,
        state: state(row)?,
        attempt_log: Vec::new(),
    })
}

fn state(row: &Fields<'_>) -> Result<ChallengeState, StoreError> {
    match row.text("state")?.as_str() {
        "live" => Ok(ChallengeState::Live),
        "consumed" => Ok(ChallengeState::Consumed {
            at: row
                .opt_time("consumed_at")?
                .ok_or_else(|| corrupt("consumed_at"))?,
            by: row.opt_parsed("consumed_by", |text| AttemptId::new(text).ok())?,
        }),
        "exhausted" => Ok(ChallengeState::Exhausted),
        "superseded" => Ok(ChallengeState::Superseded),
        "revoked" => Ok(ChallengeState::Revoked),
        _ => Err(corrupt("state")),
    }
}

fn consumed(state: &ChallengeState) -> (Option<i64>, Option<&str>) {
    match state {
        ChallengeState::Consumed { at, by } => {
            (Some(at.as_millis()), by.as_ref().map(AttemptId::as_str))
        }
        _ => (None, None),
    }
}

/// Says when a challenge ended or will: what is removed is reckoned from it.
fn ended_at(challenge: &Challenge, now: Timestamp) -> Timestamp {
    match &challenge.state {
        ChallengeState::Live => challenge.expires_at,
        ChallengeState::Consumed { at, .. } => *at,
        _ => now.min(challenge.expires_at),
    }
}

fn sealed(row: &Fields<'_>, column: &'static str) -> Result<Option<Sealed>, StoreError> {
    row.opt_blob(column)?
        .map(|bytes| Sealed::from_bytes(bytes).map_err(|_| corrupt(column)))
        .transpose()
}

fn format(row: &Fields<'_>) -> Result<CodeFormat, StoreError> {
    let length = u8::try_from(row.int("code_length")?).map_err(|_| corrupt("code_length"))?;
    let alphabet = row.parsed("code_alphabet", Alphabet::from_name)?;
    let separators = row.parsed("code_separators", Separators::from_name)?;
    let format = CodeFormat::of(alphabet, length).map_err(|_| corrupt("code_length"))?;
    Ok(format.with_separators(separators))
}
