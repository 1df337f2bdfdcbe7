//! Messages as names and values.

use otp_core::delivery::{DeliveryState, Locale, MessageId, Report};
use otp_core::key::Sealed;
use otp_core::request::{Purpose, SubjectKey, Tenant};
use otp_core::store::{
    Advanced, Delivery, KeptReport, NewDelivery, Recipient, Settled, StoreError,
};
use serde_json::{Value, json};

use super::challenge::sealed_text;
use super::corrupt;
use super::reply::{Fields, Reply};
use super::request::{millis, unhex};

/// The longest provider's name that is kept, in characters.
const LONGEST_PROVIDER: usize = 128;

/// Writes the intent to send a message.
pub(crate) fn write(new: &NewDelivery) -> Value {
    let to = new.destination.as_ref();
    json!({
        "id": new.id.as_str(),
        "tenant": new.tenant.as_str(),
        "challenge": new.challenge.to_string(),
        "fingerprint": new.challenge.fingerprint(),
        "subject": new.subject.as_str(),
        "purpose": new.purpose.as_str(),
        "channel": new.channel.name(),
        "locale": new.locale.as_str(),
        "destination": sealed_text(to.map(|to| &to.sealed)),
        "masked": to.map(|to| to.masked.as_str()).unwrap_or_default(),
    })
}

/// Writes what came of a sending.
pub(crate) fn settled(settled: &Settled) -> Value {
    let mut value = json!({
        "id": settled.id.as_str(),
        "place": settled.state.rank(),
        "state": settled.state.name(),
        "reason": settled.reason.as_deref().unwrap_or_default(),
    });
    if let (Some(by), Value::Object(fields)) = (&settled.provider, &mut value) {
        fields.insert("provider".to_owned(), provider(by).into());
        if let Some(reference) = &settled.reference {
            fields.insert("reference".to_owned(), reference.as_str().into());
        }
    }
    value
}

/// Writes a vendor's report.
pub(crate) fn report(report: &Report) -> Value {
    json!({
        "provider": provider(report.provider()),
        "reference": report.reference(),
        "place": report.state().rank(),
        "state": report.state().name(),
        "reason": report.code().unwrap_or_default(),
        "life": millis(KeptReport::LIFE),
    })
}

/// Gives the part of a provider's name that is kept.
pub(crate) fn provider(name: &str) -> String {
    name.chars().take(LONGEST_PROVIDER).collect()
}

/// Reads what a report changed.
pub(crate) fn advanced(reply: &Reply, place: usize) -> Result<Advanced, StoreError> {
    match reply.text(place)? {
        "unchanged" => Ok(Advanced::Unchanged),
        "unknown" => Ok(Advanced::Unknown),
        "moved" => {
            let from = reply.text(place.saturating_add(1))?;
            let row = reply.fields(place.saturating_add(2))?;
            Ok(Advanced::Moved {
                from: state(from).ok_or_else(|| corrupt("place"))?,
                delivery: Box::new(read(&row.ok_or_else(|| corrupt("an answer"))?)?),
            })
        }
        _ => Err(corrupt("an answer")),
    }
}

/// Reads a list of messages.
pub(crate) fn list(reply: &Reply, place: usize) -> Result<Vec<Delivery>, StoreError> {
    let rows = reply.lists(place)?.into_iter();
    rows.map(|row| read(&Fields::new(row))).collect()
}

/// Reads a message back.
pub(crate) fn read(row: &Fields) -> Result<Delivery, StoreError> {
    let time = |name| {
        row.opt_parsed(name, |text| text.parse().ok())
            .map(|millis| millis.map(otp_core::clock::Timestamp::from_millis))
    };
    let text = |name| Ok::<_, StoreError>(row.opt_text(name)?.map(str::to_owned));
    Ok(Delivery {
        id: row.parsed("id", |text| {
            Some(MessageId::new(text)).filter(|id| id.as_str() == text)
        })?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        challenge: row.parsed("challenge", |text| text.parse().ok())?,
        subject: SubjectKey::from_stored(row.text("subject")?),
        purpose: row.parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: row.parsed("channel", |text| text.parse().ok())?,
        locale: row.parsed("locale", |text| Locale::new(text).ok())?,
        destination: destination(row)?,
        provider: text("provider")?,
        reference: text("reference")?,
        state: row.parsed("place", state)?,
        reason: text("reason")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        resent_at: time("resent_at")?,
        overdue_at: time("overdue_at")?,
    })
}

fn state(place: &str) -> Option<DeliveryState> {
    DeliveryState::from_rank(place.parse().ok()?)
}

fn destination(row: &Fields) -> Result<Option<Recipient>, StoreError> {
    let sealed = row.opt_parsed("destination", |text| Sealed::from_bytes(&unhex(text)?).ok())?;
    let Some(sealed) = sealed else {
        return Ok(None);
    };
    let masked = row.text("masked")?.to_owned();
    Ok(Some(Recipient { masked, sealed }))
}
