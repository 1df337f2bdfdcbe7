//! What vendors report of messages, and what is never heard of again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Verifier;
use crate::delivery::{DeliveryState, ReceiptCounts, Report};
use crate::event::{Event, EventKind, Outcome};
use crate::store::{Advanced, Delivery, Seen, StoreError};

/// A message that nobody settled for so long was not sent, unless a route may take longer.
const UNSENT_AFTER: Duration = Duration::from_secs(30);
/// What a route needs beyond its deadline to say what came of a message.
const GRACE: Duration = Duration::from_secs(5);
/// The most that one sweep ends.
const SWEEP: usize = 500;

/// What a vendor's report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportOutcome {
    /// The message went from a state to a higher one.
    Moved {
        /// From where.
        from: DeliveryState,
        /// To where.
        to: DeliveryState,
    },
    /// The message was there already, or higher.
    Unchanged,
    /// The same report came before, and changes nothing now.
    Repeated,
    /// No message of that name is known yet; the report waits for it.
    Kept,
}

/// What a sweep of the messages found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The messages that were never sent and count as failed from now on.
    pub unsent: usize,
    /// The messages without a receipt that went on to the next provider
    /// ([`Route::receipt_within`](crate::delivery::Route::receipt_within)).
    pub sent_on: usize,
}

/// What vendors reported of the messages of each provider, in this process.
#[derive(Debug, Default)]
pub(super) struct ReceiptTally(Mutex<BTreeMap<String, ReceiptCounts>>);

impl ReceiptTally {
    fn add(&self, provider: &str, from: DeliveryState, to: DeliveryState) {
        let mut tally = self.lock();
        tally
            .entry(provider.to_owned())
            .or_default()
            .moved(from, to);
    }

    pub(super) fn of(&self, provider: &str) -> ReceiptCounts {
        self.lock().get(provider).copied().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ReceiptCounts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verifier {
    /// Takes what a vendor reports of a message, from a webhook whose signature was right: call it
    /// for every [`Report`] that a reader gives.
    ///
    /// States only move forward, and a report touches no challenge. Of racing calls with one
    /// report, on whatever instances, one hears [`ReportOutcome::Moved`], and one record is kept of
    /// it. A report that comes again changes nothing, unless the first call failed half-way: then
    /// it is applied now. One that comes before its message is known waits for it for a day.
    ///
    /// # Errors
    /// [`StoreError`]; answer the vendor with a 5xx, so that it reports again.
    pub async fn apply(&self, report: &Report) -> Result<ReportOutcome, StoreError> {
        let store = &self.inner.store;
        let replay = report.replay();
        let seen = store.first_seen(replay.as_str(), replay.life()).await?;
        match (store.advance(report).await?, seen) {
            (Advanced::Moved { from, delivery }, _) => {
                let to = delivery.state;
                self.inner.receipts.add(report.provider(), from, to);
                if self.record(reported(&delivery)).await.is_err() {
                    tracing::error!(target: "otp_kit", "a report could not be recorded");
                }
                Ok(ReportOutcome::Moved { from, to })
            }
            (_, Seen::Again) => Ok(ReportOutcome::Repeated),
            (Advanced::Unchanged, _) => Ok(ReportOutcome::Unchanged),
            (Advanced::Unknown, _) => Ok(ReportOutcome::Kept),
        }
    }

    /// Looks after the messages: call it every few seconds, from every instance.
    ///
    /// A message that was on record and that nobody settled within 30 seconds (or a route's own
    /// deadline, where that is longer) was never sent: a process died in between. It counts as
    /// failed, with a record, and is not sent late. Of racing calls one ends each.
    ///
    /// What was accepted and never reported on goes on to the next provider, where its route says
    /// so ([`Route::receipt_within`](crate::delivery::Route::receipt_within)); of racing calls one
    /// sends it.
    ///
    /// # Errors
    /// [`StoreError`]; the next call goes on.
    pub async fn sweep_deliveries(&self) -> Result<Swept, StoreError> {
        let slowest = self.inner.routes.slowest().saturating_add(GRACE);
        let older_than = UNSENT_AFTER.max(slowest);
        let ended = self.inner.store.fail_unsent(older_than, SWEEP).await?;
        for unsent in &ended {
            self.observe(&unsent.unsent().at(unsent.updated_at));
        }
        Ok(Swept {
            unsent: ended.len(),
            sent_on: self.send_overdue().await?,
        })
    }
}

fn reported(delivery: &Delivery) -> Event {
    let event = delivery.event(EventKind::DeliveryReported);
    match delivery.state {
        DeliveryState::Failed(kind) => event.with_outcome(Outcome::Failed, kind.name()),
        state => event.with_outcome(Outcome::Success, state.name()),
    }
}
