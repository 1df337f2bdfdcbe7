//! Challenges as rows.

use otp_core::challenge::{
    Alphabet, Challenge, ChallengeId, ChallengeState, CodeFormat, Lane, Separators,
};
use otp_core::clock::Timestamp;
use otp_core::key::{KeyId, Sealed};
use otp_core::request::{AttemptId, FactorClass, Purpose, SessionBinding, SubjectKey, Tenant};
use otp_core::store::{StoreError, StoreErrorKind, Target};

use super::{Row, Tx, attempt_rows, corrupt};

const BY_ID: &str = "SELECT * FROM auth_challenges WHERE id = ?";

// A slot has one live challenge of somebody's at the most and one live decoy, and what is live comes
// before what is newer: after the clock was forgiven an ended one may have the later time. A row
// whose time is over is not live, whatever its state says. Of two of one time the one that took the
// other's place is later.
const LATEST: &str = "SELECT * FROM auth_challenges
    WHERE subject_key = ? AND tenant = ? AND purpose = ? AND lane = ?
    ORDER BY CASE WHEN state = 'live' AND expires_at > ?
            THEN CASE WHEN destination IS NULL THEN 1 ELSE 0 END ELSE 2 END,
        created_at DESC, CASE state WHEN 'superseded' THEN 1 ELSE 0 END
    LIMIT 1";

const ADD: &str = "INSERT INTO auth_challenges (
        id, tenant, user_id, subject_key, purpose, channel, lane, factor_class,
        code_alphabet, code_length, code_separators,
        destination, destination_key, destination_masked, digest, key_id, sealed_code, binding,
        ip_address, created_at, expires_at, attempts, wrong, attempt_limit, sends, next_send_at,
        state, consumed_at, consumed_by, ended_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const CHANGE: &str = "UPDATE auth_challenges SET
        channel = ?, key_id = ?, digest = ?, sealed_code = ?, attempts = ?, wrong = ?,
        sends = ?, next_send_at = ?, state = ?, consumed_at = ?, consumed_by = ?,
        ended_at = ?
    WHERE id = ? AND state = ?";

/// Reads one challenge with its named tries.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    id: &ChallengeId,
) -> Result<Option<Challenge>, StoreError> {
    let row = tx.row(BY_ID, &[(&id.to_string()).into()]).await?;
    with_tries(tx, row).await
}

/// Finds what a try is meant for: by name, or the first live one of the doors, in their order; a
/// decoy where none of somebody's is live.
///
/// Where none is live it is the first that there is: a repeated try still gets its recorded
/// answer, and any other one hears why it is refused.
pub(crate) async fn aimed_at(
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
    let (mut decoy, mut ended) = (None, None);
    for lane in lanes {
        let row = tx
            .row(
                LATEST,
                &[
                    subject.as_str().into(),
                    tenant.as_str().into(),
                    purpose.as_str().into(),
                    lane.name().into(),
                    now.into(),
                ],
            )
            .await?;
        match with_tries(tx, row).await? {
            Some(found) if found.is_live(now) && !found.is_decoy() => return Ok(Some(found)),
            Some(found) if found.is_live(now) => decoy = decoy.or(Some(found)),
            found => ended = ended.or(found),
        }
    }
    Ok(decoy.or(ended))
}

/// Adds a challenge with its named tries.
pub(crate) async fn add(tx: &mut Tx<'_>, new: &Challenge) -> Result<(), StoreError> {
    let now = tx.now()?;
    let (consumed_at, consumed_by) = consumed(&new.state);
    let address = new.address.map(|address| address.to_string());
    tx.execute(
        ADD,
        &[
            (&new.id.to_string()).into(),
            new.tenant.as_str().into(),
            new.subject.user_id().into(),
            new.subject.as_str().into(),
            new.purpose.as_str().into(),
            new.channel.name().into(),
            new.lane.name().into(),
            new.class.name().into(),
            new.format.alphabet().name().into(),
            new.format.length().into(),
            new.format.separators().name().into(),
            (new.destination.as_ref().map(Sealed::as_bytes)).into(),
            new.destination_key.as_str().into(),
            new.destination_masked.as_str().into(),
            new.digest.as_str().into(),
            new.key_id.as_str().into(),
            (new.sealed_code.as_ref().map(Sealed::as_bytes)).into(),
            (new.binding
                .as_ref()
                .map(|binding| binding.as_bytes().as_slice()))
            .into(),
            address.as_deref().into(),
            new.created_at.into(),
            new.expires_at.into(),
            new.attempts.into(),
            new.wrong.into(),
            new.attempt_limit.into(),
            new.sends.into(),
            new.next_send_at.into(),
            new.state.name().into(),
            consumed_at.into(),
            consumed_by.into(),
            ended_at(new, now).into(),
        ],
    )
    .await?;
    attempt_rows::save(tx, new, &[]).await
}

/// Writes what the state machine has changed; fails where the row is not what was read, so that a
/// hand that met it in between is never overwritten.
pub(crate) async fn save(
    tx: &mut Tx<'_>,
    before: &Challenge,
    after: &Challenge,
) -> Result<(), StoreError> {
    let now = tx.now()?;
    let (consumed_at, consumed_by) = consumed(&after.state);
    let changed = tx
        .execute(
            CHANGE,
            &[
                after.channel.name().into(),
                after.key_id.as_str().into(),
                after.digest.as_str().into(),
                (after.sealed_code.as_ref().map(Sealed::as_bytes)).into(),
                after.attempts.into(),
                after.wrong.into(),
                after.sends.into(),
                after.next_send_at.into(),
                after.state.name().into(),
                consumed_at.into(),
                consumed_by.into(),
                ended_at(after, now).into(),
                (&after.id.to_string()).into(),
                before.state.name().into(),
            ],
        )
        .await?;
    if changed == 0 {
        return Err(StoreErrorKind::Unavailable.into());
    }
    attempt_rows::save(tx, after, &before.attempt_log).await
}

/// Reads rows with their named tries.
pub(crate) async fn with_all_tries(
    tx: &mut Tx<'_>,
    rows: Vec<Row>,
) -> Result<Vec<Challenge>, StoreError> {
    let mut challenges = Vec::with_capacity(rows.len());
    for row in rows {
        challenges.extend(with_tries(tx, Some(row)).await?);
    }
    Ok(challenges)
}

async fn with_tries(tx: &mut Tx<'_>, row: Option<Row>) -> Result<Option<Challenge>, StoreError> {
    let Some(row) = row else {
        return Ok(None);
    };
    let mut challenge = read(&row)?;
    challenge.attempt_log = attempt_rows::of(tx, &challenge.id).await?;
    Ok(Some(challenge))
}

fn read(row: &Row) -> Result<Challenge, StoreError> {
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
        destination_masked: row.text("destination_masked")?.to_owned(),
        digest: row.text("digest")?.to_owned(),
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

fn state(row: &Row) -> Result<ChallengeState, StoreError> {
    let at = row.opt_time("consumed_at")?;
    let by = row.opt_parsed("consumed_by", |text| AttemptId::new(text).ok())?;
    ChallengeState::from_name(row.text("state")?, || Some((at?, by)))
        .ok_or_else(|| corrupt("state"))
}

fn consumed(state: &ChallengeState) -> (Option<Timestamp>, Option<&str>) {
    match state {
        ChallengeState::Consumed { at, by } => (Some(*at), by.as_ref().map(AttemptId::as_str)),
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

fn sealed(row: &Row, column: &'static str) -> Result<Option<Sealed>, StoreError> {
    row.opt_blob(column)?
        .map(|bytes| Sealed::from_bytes(bytes).map_err(|_| corrupt(column)))
        .transpose()
}

fn format(row: &Row) -> Result<CodeFormat, StoreError> {
    let length = u8::try_from(row.int("code_length")?).map_err(|_| corrupt("code_length"))?;
    let alphabet = row.parsed("code_alphabet", Alphabet::from_name)?;
    let separators = row.parsed("code_separators", Separators::from_name)?;
    let format = CodeFormat::of(alphabet, length).map_err(|_| corrupt("code_length"))?;
    Ok(format.with_separators(separators))
}
