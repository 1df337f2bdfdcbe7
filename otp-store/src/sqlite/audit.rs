//! The audit log, which is the outbox too: what was acknowledged stays for the operator's queries.

use async_trait::async_trait;
use otp_core::challenge::Lane;
use otp_core::event::{Event, EventId, EventKind, Outcome};
use otp_core::request::{Purpose, RequestId, SubjectKey, Tenant};
use otp_core::store::{AuditStore, OutboxEntry, StoreError};

use super::SqliteStore;
use super::engine::failed;
use super::intent::{Intent, Tx};
use super::row::{Fields, corrupt};

const ADD: &str = "INSERT INTO audit_logs (event_id, actor_id, subject_key, event_type, action,
        outcome, reason, tenant, challenge, purpose, channel, lane, destination, ip_address,
        provider, request_id, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
    ON CONFLICT (event_id) DO NOTHING";

// A reader that names no place goes on where it has acknowledged.
const OUTBOX: &str = "SELECT * FROM audit_logs
    WHERE sequence > COALESCE(?1, (SELECT acknowledged FROM audit_outbox WHERE id = 1))
    ORDER BY sequence LIMIT ?2";

// A place beyond the last record would swallow records that are still to come.
const ACKNOWLEDGE: &str = "UPDATE audit_outbox SET acknowledged =
        MAX(acknowledged, MIN(?1, (SELECT COALESCE(MAX(sequence), 0) FROM audit_logs)))
    WHERE id = 1";

/// Writes a record in the transaction that makes it true, at its time.
pub(super) async fn write(tx: &mut Tx<'_>, event: &Event) -> Result<(), StoreError> {
    let now = tx.now()?;
    sqlx::query(ADD)
        .bind(event.id.to_string())
        .bind(event.subject.as_ref().map(SubjectKey::user_id))
        .bind(event.subject.as_ref().map(SubjectKey::as_str))
        .bind(event.kind.name())
        .bind(event.action())
        .bind(event.outcome.name())
        .bind(event.reason.as_deref())
        .bind(event.tenant.as_str())
        .bind(event.challenge.as_deref())
        .bind(event.purpose.as_ref().map(Purpose::as_str))
        .bind(event.channel.map(|channel| channel.name()))
        .bind(event.lane.map(Lane::name))
        .bind(event.destination.as_deref())
        .bind(event.address.map(|address| address.to_string()))
        .bind(event.provider.as_deref())
        .bind(event.request_id.as_ref().map(RequestId::as_str))
        .bind(now.as_millis())
        .execute(tx.conn())
        .await
        .map_err(failed)?;
    Ok(())
}

fn read(row: &Fields<'_>) -> Result<OutboxEntry, StoreError> {
    let sequence = row.int("sequence")?;
    let event = Event {
        id: row.parsed("event_id", EventId::from_hex)?,
        at: row.time("created_at")?,
        kind: row.parsed("event_type", EventKind::from_name)?,
        outcome: row.parsed("outcome", Outcome::from_name)?,
        reason: row.opt_text("reason")?.map(Into::into),
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: row.opt_text("subject_key")?.map(SubjectKey::from_stored),
        challenge: row.opt_text("challenge")?,
        purpose: row.opt_parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: row.opt_parsed("channel", |text| text.parse().ok())?,
        lane: row.opt_parsed("lane", Lane::from_name)?,
        destination: row.opt_text("destination")?,
        address: row.opt_parsed("ip_address", |text| text.parse().ok())?,
        provider: row.opt_text("provider")?,
        request_id: row
            .opt_text("request_id")?
            .map(|text| RequestId::new(&text)),
    };
    Ok(OutboxEntry {
        sequence: u64::try_from(sequence).map_err(|_| corrupt("sequence"))?,
        event,
    })
}

struct Append(Event);

impl Intent for Append {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        write(tx, &self.0).await
    }
}

struct Outbox {
    after: Option<i64>,
    limit: i64,
}

impl Intent for Outbox {
    type Answer = Vec<OutboxEntry>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<OutboxEntry>, StoreError> {
        let rows = sqlx::query(OUTBOX)
            .bind(self.after)
            .bind(self.limit)
            .fetch_all(tx.conn())
            .await
            .map_err(failed)?;
        rows.iter().map(|row| read(&Fields(row))).collect()
    }
}

struct Acknowledge(i64);

impl Intent for Acknowledge {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        sqlx::query(ACKNOWLEDGE)
            .bind(self.0)
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        Ok(())
    }
}

#[async_trait]
impl AuditStore for SqliteStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.write(Append(event)).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let after = after.map(|place| i64::try_from(place).unwrap_or(i64::MAX));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(Outbox { after, limit }).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let up_to = i64::try_from(up_to).unwrap_or(i64::MAX);
        self.write(Acknowledge(up_to)).await
    }
}
