//! What was sent, what became of it, and what can be sent again.
//!
//! Whoever knows a message by its name changes its row by statements that say from where: of those
//! who race for one row one finds it as he wants it. Who is after a vendor's name for a message has
//! that name's stripe, so that a report and the sending that it is about do not miss each other.

use std::ops::Range;
use std::time::Duration;

use otp_core::clock::Timestamp;
use otp_core::delivery::{DeliveryState, MessageId, Report};
use otp_core::store::{Advanced, Climb, Delivery, KeptReport, Settled, StoreError};

use super::delivery_rows::{self, provider};
use super::{Intent, Locks, Tx, Value, audit};

/// Those that nobody settled: `updated_at` is when they were meant to be sent.
const UNSENT: &str = "SELECT * FROM otp_deliveries
    WHERE place = 10 AND updated_at <= ? AND provider IS NULL AND destination IS NOT NULL
    ORDER BY updated_at, id LIMIT ?";
const LATE: &str = "SELECT * FROM otp_deliveries
    WHERE place = 20 AND updated_at >= ? AND updated_at <= ? AND overdue_at IS NULL
        AND destination IS NOT NULL
    ORDER BY updated_at, id LIMIT ?";
const FAILURES: &str = "SELECT * FROM otp_deliveries
    WHERE created_at >= ? AND created_at < ? AND place BETWEEN 40 AND 48
        AND destination IS NOT NULL
    ORDER BY created_at DESC, id LIMIT ?";

const NAME: &str = "UPDATE otp_deliveries SET provider = ?, reference = ?
    WHERE id = ? AND provider IS NULL AND place <> 30";
const END_UNSENT: &str = "UPDATE otp_deliveries
    SET state = ?, place = ?, reason = ?, updated_at = ?, kept_until = ?
    WHERE id = ? AND place = 10 AND provider IS NULL";
const CLAIM: &str = "UPDATE otp_deliveries SET resent_at = ?
    WHERE id = ? AND resent_at IS NULL AND place BETWEEN 40 AND 48 AND destination IS NOT NULL";
const NOTICE: &str = "UPDATE otp_deliveries SET overdue_at = ?
    WHERE id = ? AND overdue_at IS NULL AND place = 20";

const REPORTED: &str = "SELECT * FROM otp_delivery_reports WHERE reference = ? AND provider = ?";
const KEEP: &str =
    "INSERT INTO otp_delivery_reports (place, reason, kept_until, reference, provider)
    VALUES (?, ?, ?, ?, ?)";
const KEEP_HIGHER: &str = "UPDATE otp_delivery_reports SET place = ?, reason = ?, kept_until = ?
    WHERE reference = ? AND provider = ?";
const TAKE_OUT: &str = "DELETE FROM otp_delivery_reports WHERE reference = ? AND provider = ?";

/// Takes what came of a sending.
pub(crate) struct Settle(pub(crate) Settled);

impl Intent for Settle {
    type Answer = ();

    fn locks(&self) -> Locks {
        match (&self.0.provider, &self.0.reference) {
            (Some(by), Some(reference)) => Locks::default().sending(provider(by), reference),
            _ => Locks::default(),
        }
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Self(settled) = self;
        let now = tx.now()?;
        if let Some(mut row) = delivery_rows::find(tx, &settled.id).await? {
            let by = settled.provider.as_deref().map(provider);
            let values = [
                by.into(),
                settled.reference.as_deref().into(),
                settled.id.as_str().into(),
            ];
            if tx.execute(NAME, &values).await? > 0 {
                climb(tx, &mut row, settled.state, settled.reason.as_deref(), now).await?;
                if let (Some(by), Some(reference)) = (by, settled.reference.as_deref()) {
                    catch_up(tx, &mut row, by, reference, now).await?;
                }
            }
        }
        match &settled.event {
            Some(event) => audit::write(tx, event).await,
            None => Ok(()),
        }
    }
}

/// Applies what was reported before the message had its name.
async fn catch_up(
    tx: &mut Tx<'_>,
    row: &mut Delivery,
    by: &str,
    reference: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(kept) = kept(tx, by, reference).await? else {
        return Ok(());
    };
    if now < kept.until {
        climb(tx, row, kept.state, kept.reason.as_deref(), now).await?;
    }
    let named = [reference.into(), by.into()];
    tx.execute(TAKE_OUT, &named).await.map(drop)
}

/// Moves a message forward, where no one has moved it as far.
async fn climb(
    tx: &mut Tx<'_>,
    row: &mut Delivery,
    to: DeliveryState,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Climb, StoreError> {
    if row.climb(to, reason, now) == Climb::Stayed {
        return Ok(Climb::Stayed);
    }
    delivery_rows::raise(tx, row).await
}

async fn kept(
    tx: &mut Tx<'_>,
    by: &str,
    reference: &str,
) -> Result<Option<KeptReport>, StoreError> {
    let row = tx.row(REPORTED, &[reference.into(), by.into()]).await?;
    row.map(|row| {
        Ok(KeptReport {
            state: delivery_rows::state(&row)?,
            reason: row.opt_string("reason")?,
            until: row.time("kept_until")?,
        })
    })
    .transpose()
}

/// Takes a vendor's report.
pub(crate) struct Advance(pub(crate) Report);

impl Intent for Advance {
    type Answer = Advanced;

    fn locks(&self) -> Locks {
        Locks::default().sending(provider(self.0.provider()), self.0.reference())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Advanced, StoreError> {
        let Self(report) = self;
        let now = tx.now()?;
        let by = provider(report.provider());
        if let Some(mut row) = delivery_rows::named(tx, by, report.reference()).await? {
            let from = row.state;
            let climbed = climb(tx, &mut row, report.state(), report.code(), now).await?;
            return Ok(match climbed {
                Climb::Stayed => Advanced::Unchanged,
                Climb::Moved => Advanced::Moved {
                    from,
                    delivery: Box::new(row),
                },
            });
        }
        let before = kept(tx, by, report.reference()).await?;
        let sql = if before.is_some() { KEEP_HIGHER } else { KEEP };
        let kept = match before {
            None => KeptReport::new(report, now),
            Some(mut kept) => {
                kept.add(report, now);
                kept
            }
        };
        let values = [
            kept.state.rank().into(),
            kept.reason.as_deref().into(),
            kept.until.into(),
            report.reference().into(),
            by.into(),
        ];
        tx.execute(sql, &values).await?;
        Ok(Advanced::Unknown)
    }
}

/// Reads one message.
pub(crate) struct FindDelivery(pub(crate) MessageId);

impl Intent for FindDelivery {
    type Answer = Option<Delivery>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        tx.now()?;
        delivery_rows::find(tx, &self.0).await
    }
}

/// Lists failures by when they were created.
pub(crate) struct Failures(pub(crate) Range<Timestamp>, pub(crate) usize);

impl Intent for Failures {
    type Answer = Vec<Delivery>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let Self(window, limit) = self;
        tx.now()?;
        let values = [window.start.into(), window.end.into(), (*limit).into()];
        select(tx, FAILURES, &values).await
    }
}

/// Marks failures as sent again.
pub(crate) struct ClaimResend(pub(crate) Vec<MessageId>);

impl Intent for ClaimResend {
    type Answer = Vec<MessageId>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let now = tx.now()?;
        // In one order, so that two who ask for the same do not wait for each other.
        let mut ids: Vec<&MessageId> = self.0.iter().collect();
        ids.sort_by_key(|id| id.as_str());
        ids.dedup();
        let mut claimed = Vec::new();
        for id in ids {
            if tx.execute(CLAIM, &[now.into(), id.as_str().into()]).await? > 0 {
                claimed.push(id);
            }
        }
        let asked = self.0.iter();
        Ok(asked.filter(|id| claimed.contains(id)).cloned().collect())
    }
}

/// Ends what nobody was asked to send within its time.
pub(crate) struct FailUnsent(pub(crate) Duration, pub(crate) usize);

impl Intent for FailUnsent {
    type Answer = Vec<Delivery>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let Self(older_than, limit) = self;
        let now = tx.now()?;
        let values = [now.saturating_sub(*older_than).into(), (*limit).into()];
        let mut ended = Vec::new();
        for mut row in select(tx, UNSENT, &values).await? {
            row.climb(Delivery::UNSENT, Some(Delivery::NOT_SENT_IN_TIME), now);
            let values = [
                row.state.name().into(),
                row.state.rank().into(),
                row.reason.as_deref().into(),
                row.updated_at.into(),
                row.kept_until().into(),
                row.id.as_str().into(),
            ];
            if tx.execute(END_UNSENT, &values).await? > 0 {
                audit::write(tx, &row.unsent()).await?;
                ended.push(row);
            }
        }
        Ok(ended)
    }
}

/// Notices what has no receipt.
pub(crate) struct Overdue(pub(crate) Range<Duration>, pub(crate) usize);

impl Intent for Overdue {
    type Answer = Vec<Delivery>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let Self(age, limit) = self;
        let now = tx.now()?;
        let [from, until] = [age.end, age.start].map(|age| now.saturating_sub(age));
        let values = [from.into(), until.into(), (*limit).into()];
        let mut late = Vec::new();
        for mut row in select(tx, LATE, &values).await? {
            let values = [now.into(), row.id.as_str().into()];
            if tx.execute(NOTICE, &values).await? > 0 {
                row.overdue_at = Some(now);
                late.push(row);
            }
        }
        Ok(late)
    }
}

async fn select(
    tx: &mut Tx<'_>,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<Vec<Delivery>, StoreError> {
    let rows = tx.rows(sql, values).await?;
    rows.iter().map(delivery_rows::read).collect()
}
