//! Authenticators as rows.

use otp_core::factor::{Factor, FactorKind, FactorName};
use otp_core::key::Sealed;
use otp_core::request::{SubjectKey, Tenant};
use otp_core::store::{FactorOwner, StoreError};

use super::{Row, Tx, corrupt};

const OWNED: &str = "SELECT * FROM otp_factors WHERE subject_key = ? AND tenant = ?
    ORDER BY created_at, id";
const ADD: &str = "INSERT INTO otp_factors (id, tenant, user_id, subject_key, kind, algorithm,
        digits, period, name, secret, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const ADVANCE: &str =
    "UPDATE otp_factors SET last_step = ?, confirmed_at = ?, used_at = ?, secret = ?
    WHERE id = ? AND (last_step IS NULL OR last_step < ?)";

/// Reads an owner's authenticators, oldest first.
pub(super) async fn of(tx: &mut Tx<'_>, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
    let values = [owner.subject.as_str().into(), owner.tenant.as_str().into()];
    let rows = tx.rows(OWNED, &values).await?;
    rows.iter().map(read).collect()
}

/// Adds one that waits for its first code.
pub(super) async fn add(tx: &mut Tx<'_>, new: &Factor) -> Result<(), StoreError> {
    let id = new.id.to_string();
    let period = i64::try_from(new.kind.period_seconds()).unwrap_or_default();
    let values = [
        (&id).into(),
        new.tenant.as_str().into(),
        new.subject.user_id().into(),
        new.subject.as_str().into(),
        new.kind.name().into(),
        new.kind.algorithm().name().into(),
        new.kind.digits().count().into(),
        period.into(),
        new.name.as_str().into(),
        new.secret.as_bytes().into(),
        new.created_at.into(),
    ];
    tx.execute(ADD, &values).await.map(drop)
}

/// Writes what a success has changed; says how many rows had a lower step, which is one or none.
pub(super) async fn save(tx: &mut Tx<'_>, after: &Factor, to: i64) -> Result<u64, StoreError> {
    let id = after.id.to_string();
    let values = [
        to.into(),
        after.confirmed_at.into(),
        after.used_at.into(),
        after.secret.as_bytes().into(),
        (&id).into(),
        to.into(),
    ];
    tx.execute(ADVANCE, &values).await
}

fn read(row: &Row) -> Result<Factor, StoreError> {
    let digits = u8::try_from(row.int("digits")?).map_err(|_| corrupt("digits"))?;
    let period = u64::try_from(row.int("period")?).map_err(|_| corrupt("period"))?;
    let kind = FactorKind::from_stored(row.text("kind")?, row.text("algorithm")?, digits, period);
    let last = row.opt_int("last_step")?.map(u64::try_from).transpose();
    let secret = row.opt_blob("secret")?.map(Sealed::from_bytes);
    Ok(Factor {
        id: row.parsed("id", |text| text.parse().ok())?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: SubjectKey::from_stored(row.text("subject_key")?),
        kind: kind.ok_or_else(|| corrupt("kind"))?,
        name: row.parsed("name", |text| FactorName::new(text).ok())?,
        secret: secret
            .and_then(Result::ok)
            .ok_or_else(|| corrupt("secret"))?,
        last: last.map_err(|_| corrupt("last_step"))?,
        created_at: row.time("created_at")?,
        confirmed_at: row.opt_time("confirmed_at")?,
        used_at: row.opt_time("used_at")?,
    })
}
