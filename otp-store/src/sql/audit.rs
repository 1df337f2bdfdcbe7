//! The audit log, which is the outbox too: what was acknowledged stays for the operator's queries.

use otp_core::challenge::Lane;
use otp_core::event::chain::Record;
use otp_core::event::{Act, Event, EventId, EventKind, Outcome};
use otp_core::request::{Purpose, RequestId, SubjectKey, Tenant};
use otp_core::store::{OutboxEntry, StoreError};

use super::{Intent, Locks, Row, Tx, corrupt};

// A reader that names no place goes on where it has acknowledged.
const OUTBOX: &str = "SELECT * FROM audit_logs
    WHERE sequence > COALESCE(?, (SELECT acknowledged FROM audit_outbox WHERE id = 1))
        AND sequence <= ?
    ORDER BY sequence LIMIT ?";

/// The longest texts of a record that nothing else bounds, in characters.
const LONGEST_REASON: usize = 1_024;
const LONGEST_CHALLENGE: usize = 64;
const LONGEST_DESTINATION: usize = 512;
const LONGEST_NAME: usize = 255;

/// Gives the beginning of a text, so many characters at the most.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Writes a record in the transaction that makes it true, at its time.
///
/// A text that is too long loses its end: it must neither stop the decision that it tells of nor be
/// one that no reader takes.
pub(crate) async fn write(tx: &mut Tx<'_>, event: &Event) -> Result<(), StoreError> {
    let now = tx.now()?;
    let address = event.address.map(|address| address.to_string());
    let cut_to = |most| move |text| cut(text, most);
    let found = tx
        .execute(
            tx.dialect().add_record,
            &[
                (&event.id.to_string()).into(),
                (event.subject.as_ref().map(SubjectKey::user_id)).into(),
                (event.subject.as_ref().map(SubjectKey::as_str)).into(),
                event.event_type().into(),
                event.action().into(),
                event.outcome.name().into(),
                (event.reason.as_deref().map(cut_to(LONGEST_REASON))).into(),
                event.tenant.as_str().into(),
                (event.challenge.as_deref().map(cut_to(LONGEST_CHALLENGE))).into(),
                (event.purpose.as_ref().map(Purpose::as_str)).into(),
                (event.channel.map(|channel| channel.name())).into(),
                (event.lane.map(Lane::name)).into(),
                (event
                    .destination
                    .as_deref()
                    .map(cut_to(LONGEST_DESTINATION)))
                .into(),
                address.as_deref().into(),
                (event.provider.as_deref().map(cut_to(LONGEST_NAME))).into(),
                (event
                    .request_id
                    .as_ref()
                    .map(|id| cut(id.as_str(), LONGEST_NAME)))
                .into(),
                event.act.as_ref().map(|act| act.operator.as_str()).into(),
                event.act.as_ref().map(|act| act.reason.as_str()).into(),
                event.clone().at(now).at.into(),
            ],
        )
        .await?;
    match found {
        0 => Err(corrupt("sequence")),
        _ => Ok(()),
    }
}

/// Reads a record; `None` where it is of a kind that only a later version knows.
fn read(row: &Row) -> Result<Option<OutboxEntry>, StoreError> {
    let sequence = row.int("sequence")?;
    let Some(kind) = EventKind::from_event_type(row.text("event_type")?) else {
        return Ok(None);
    };
    let event = Event {
        id: row.parsed("event_id", EventId::from_hex)?,
        at: row.time("created_at")?,
        kind,
        outcome: row.parsed("outcome", Outcome::from_name)?,
        reason: row.opt_string("reason")?.map(Into::into),
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: row.opt_text("subject_key")?.map(SubjectKey::from_stored),
        challenge: row.opt_string("challenge")?,
        purpose: row.opt_parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: row.opt_parsed("channel", |text| text.parse().ok())?,
        lane: row.opt_parsed("lane", Lane::from_name)?,
        destination: row.opt_string("destination")?,
        address: row.opt_parsed("ip_address", |text| text.parse().ok())?,
        provider: row.opt_string("provider")?,
        request_id: row.opt_text("request_id")?.map(RequestId::new),
        act: Act::from_stored(
            row.opt_text("operator_name")?,
            row.opt_text("operator_reason")?,
        ),
    };
    Ok(Some(OutboxEntry {
        sequence: u64::try_from(sequence).map_err(|_| corrupt("sequence"))?,
        event,
    }))
}

/// Reads a record with what it was called; `None` as [`read`].
pub(super) fn record(row: &Row) -> Result<Option<Record>, StoreError> {
    let Some(OutboxEntry { sequence, event }) = read(row)? else {
        return Ok(None);
    };
    Ok(Some(Record {
        sequence,
        event,
        event_type: row.text("event_type")?.to_owned(),
        action: row.text("action")?.to_owned(),
    }))
}

/// Adds a record by itself.
pub(crate) struct Append(pub(crate) Event);

impl Intent for Append {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        write(tx, &self.0).await
    }
}

/// Adds records in one step.
pub(crate) struct AppendAll(pub(crate) Vec<Event>);

impl Intent for AppendAll {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for event in &self.0 {
            write(tx, event).await?;
        }
        Ok(())
    }
}

const LATEST: &str = "SELECT COALESCE(MAX(sequence), 0) AS latest FROM audit_logs";

/// Finds the place up to which the log is complete: no record will ever come before it.
///
/// Where many write at once, a record with a lower number may be committed after one with a higher
/// number, and a reader who had gone on by then would never see it. So whoever adds a record holds
/// the log's stripe, together with all others who do, until it is committed; having it alone means
/// that nobody is about to.
pub(crate) struct Horizon;

impl Intent for Horizon {
    type Answer = i64;

    fn locks(&self) -> Locks {
        Locks::default().records()
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let row = tx.row(LATEST, &[]).await?;
        row.ok_or_else(|| corrupt("latest"))?.int("latest")
    }
}

/// Reads records after a place, up to the horizon.
///
/// Those of kinds that only a later version knows are passed over and stay in the log: they would
/// stop the reader for good. A page is empty only where nothing that can be read is left.
pub(crate) struct Outbox {
    pub(crate) after: Option<u64>,
    pub(crate) horizon: i64,
    pub(crate) limit: usize,
}

impl Intent for Outbox {
    type Answer = Vec<OutboxEntry>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<OutboxEntry>, StoreError> {
        let mut after = self.after.map(place);
        loop {
            let values = [after.into(), self.horizon.into(), self.limit.into()];
            let rows = tx.rows(OUTBOX, &values).await?;
            let Some(last) = rows.last() else {
                return Ok(Vec::new());
            };
            after = Some(last.int("sequence")?);
            let known = rows.iter().filter_map(|row| read(row).transpose());
            let page = known.collect::<Result<Vec<_>, _>>()?;
            if !page.is_empty() {
                return Ok(page);
            }
        }
    }
}

/// Marks records up to a place as kept elsewhere.
pub(crate) struct Acknowledge(pub(crate) u64);

impl Intent for Acknowledge {
    type Answer = ();

    // A place beyond the last record would swallow records that are still to come, and the last
    // record is only known while nobody is adding one.
    fn locks(&self) -> Locks {
        Locks::default().records()
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let up_to = place(self.0);
        tx.execute(tx.dialect().acknowledge, &[up_to.into()])
            .await?;
        Ok(())
    }
}

fn place(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}
