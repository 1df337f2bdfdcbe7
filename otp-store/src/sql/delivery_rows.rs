//! Messages as rows.

use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryState, Locale, MessageId};
use otp_core::key::Sealed;
use otp_core::request::{Purpose, SubjectKey, Tenant};
use otp_core::store::{Climb, Delivery, NewDelivery, Recipient, StoreError};

use super::audit::cut;
use super::{Row, Tx, corrupt};

const FIND: &str = "SELECT * FROM otp_deliveries WHERE id = ?";
const NAMED: &str = "SELECT * FROM otp_deliveries WHERE reference = ? AND provider = ?";
const RAISE: &str = "UPDATE otp_deliveries
    SET state = ?, place = ?, reason = ?, updated_at = ?, kept_until = ?
    WHERE id = ? AND place < ?";

/// The longest texts that nothing else bounds, in characters.
const LONGEST_MASKED: usize = 512;
const LONGEST_PROVIDER: usize = 128;
const LONGEST_REASON: usize = 1_024;

/// Gives the part of a provider's name that is kept.
pub(super) fn provider(name: &str) -> &str {
    cut(name, LONGEST_PROVIDER)
}

/// Writes the intent to send a message; one that is written already stays.
pub(super) async fn intend(
    tx: &mut Tx<'_>,
    new: Option<&NewDelivery>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(new) = new else {
        return Ok(());
    };
    let to = new.destination.as_ref();
    let challenge = new.challenge.to_string();
    let row = Delivery::queued(new.clone(), now);
    let values = [
        new.id.as_str().into(),
        new.tenant.as_str().into(),
        (&challenge).into(),
        new.subject.user_id().into(),
        new.subject.as_str().into(),
        new.purpose.as_str().into(),
        new.channel.name().into(),
        new.locale.as_str().into(),
        to.map(|to| to.sealed.as_bytes()).into(),
        to.map(|to| cut(&to.masked, LONGEST_MASKED)).into(),
        row.state.name().into(),
        row.state.rank().into(),
        now.into(),
        now.into(),
        row.kept_until().into(),
    ];
    tx.execute(tx.dialect().add_delivery, &values)
        .await
        .map(drop)
}

pub(super) async fn find(tx: &mut Tx<'_>, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
    let row = tx.row(FIND, &[id.as_str().into()]).await?;
    row.as_ref().map(read).transpose()
}

/// Finds the message that a vendor has a name for.
pub(super) async fn named(
    tx: &mut Tx<'_>,
    by: &str,
    reference: &str,
) -> Result<Option<Delivery>, StoreError> {
    let row = tx.row(NAMED, &[reference.into(), by.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// Writes a higher state, where the row has a lower one.
pub(super) async fn raise(tx: &mut Tx<'_>, row: &Delivery) -> Result<Climb, StoreError> {
    let place = row.state.rank();
    let reason = row.reason.as_deref();
    let values = [
        row.state.name().into(),
        place.into(),
        reason.map(|reason| cut(reason, LONGEST_REASON)).into(),
        row.updated_at.into(),
        row.kept_until().into(),
        row.id.as_str().into(),
        place.into(),
    ];
    Ok(match tx.execute(RAISE, &values).await? {
        0 => Climb::Stayed,
        _ => Climb::Moved,
    })
}

pub(super) fn state(row: &Row) -> Result<DeliveryState, StoreError> {
    let place = u8::try_from(row.int("place")?).ok();
    let state = place.and_then(DeliveryState::from_rank);
    state.ok_or_else(|| corrupt("place"))
}

pub(super) fn read(row: &Row) -> Result<Delivery, StoreError> {
    let id = row.text("id")?;
    Ok(Delivery {
        id: Some(MessageId::new(id))
            .filter(|read| read.as_str() == id)
            .ok_or_else(|| corrupt("id"))?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        challenge: row.parsed("challenge_id", |text| text.parse().ok())?,
        subject: SubjectKey::from_stored(row.text("subject_key")?),
        purpose: row.parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: row.parsed("channel", |text| text.parse().ok())?,
        locale: row.parsed("locale", |text| Locale::new(text).ok())?,
        destination: destination(row)?,
        provider: row.opt_string("provider")?,
        reference: row.opt_string("reference")?,
        state: state(row)?,
        reason: row.opt_string("reason")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        resent_at: row.opt_time("resent_at")?,
        overdue_at: row.opt_time("overdue_at")?,
    })
}

fn destination(row: &Row) -> Result<Option<Recipient>, StoreError> {
    let Some(bytes) = row.opt_blob("destination")? else {
        return Ok(None);
    };
    Ok(Some(Recipient {
        masked: row.text("destination_masked")?.to_owned(),
        sealed: Sealed::from_bytes(bytes).map_err(|_| corrupt("destination"))?,
    }))
}
