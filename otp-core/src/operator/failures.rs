use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::time::Duration;

use super::Operator;
use crate::clock::Timestamp;
use crate::delivery::{DeliveryErrorKind, MessageId};
use crate::destination::Channel;
use crate::request::{Purpose, SubjectKey};
use crate::store::{Delivery, StoreError};
use crate::verifier::Unavailable;

/// Failures a read.
const PAGE: usize = 1_000;
/// The shortest time that a store tells apart.
const TICK: Duration = Duration::from_millis(1);

/// A message that nobody got, as an operator may see it: it has no full address and no code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedDelivery {
    /// Its name, which the vendor was given as idempotency key.
    pub id: MessageId,
    /// Whom it was for.
    pub subject: SubjectKey,
    /// To where, masked: `+1415•••0123`.
    pub to: String,
    /// What its code was for.
    pub purpose: Purpose,
    /// How it was sent.
    pub channel: Channel,
    /// Who accepted it, or was the last to refuse it; `None` where nobody was asked.
    pub provider: Option<String>,
    /// The kind of the failure.
    pub kind: DeliveryErrorKind,
    /// Why, in a stable word or the vendor's code.
    pub reason: Option<String>,
    /// When it was meant to be sent, by the store's clock.
    pub created_at: Timestamp,
    /// When it failed.
    pub failed_at: Timestamp,
    /// When an operator had it sent again.
    pub resent_at: Option<Timestamp>,
}

impl FailedDelivery {
    /// Takes what may be seen; `None` of a message that did not fail, or went to nobody.
    pub(super) fn of(delivery: &Delivery) -> Option<Self> {
        Some(Self {
            id: delivery.id.clone(),
            subject: delivery.subject.clone(),
            to: delivery.destination.as_ref()?.masked.clone(),
            purpose: delivery.purpose.clone(),
            channel: delivery.channel,
            provider: delivery.provider.clone(),
            kind: delivery.state.failure()?,
            reason: delivery.reason.clone(),
            created_at: delivery.created_at,
            failed_at: delivery.updated_at,
            resent_at: delivery.resent_at,
        })
    }
}

impl Operator {
    /// Lists the messages of the operator's tenant that were created within a window (its end is
    /// not in it) and that nobody got, newest first. Failures are kept for 30 days
    /// ([`Delivery::FAILURE_KEPT`]).
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn failed_deliveries(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<FailedDelivery>, Unavailable> {
        self.note_look(self.look("failed_deliveries")).await?;
        let mut found = Vec::new();
        let take = |delivery: Delivery| {
            if found.len() >= limit {
                return ControlFlow::Break(());
            }
            found.extend(FailedDelivery::of(&delivery));
            ControlFlow::Continue(())
        };
        self.each_failure(window, take).await?;
        Ok(found)
    }

    /// Hands over the failures of the operator's tenant, newest first, until it is told to stop.
    pub(super) async fn each_failure(
        &self,
        window: Range<Timestamp>,
        mut take: impl FnMut(Delivery) -> ControlFlow<()> + Send,
    ) -> Result<(), StoreError> {
        let own = |delivery: Delivery| {
            if delivery.tenant == self.tenant {
                take(delivery)
            } else {
                ControlFlow::Continue(())
            }
        };
        self.every_failure(window, own).await
    }

    /// Hands over the failures of all tenants.
    pub(super) async fn every_failure(
        &self,
        window: Range<Timestamp>,
        mut take: impl FnMut(Delivery) -> ControlFlow<()> + Send,
    ) -> Result<(), StoreError> {
        let mut end = window.end;
        // Of the last millisecond of a page, which the next one begins with.
        let mut seen: HashSet<MessageId> = HashSet::new();
        loop {
            let page = self.store().failures(window.start..end, PAGE).await?;
            let full = page.len() >= PAGE;
            let Some(last) = page.last().map(|delivery| delivery.created_at) else {
                return Ok(());
            };
            let of_last = page.iter().filter(|delivery| delivery.created_at == last);
            let of_last: HashSet<_> = of_last.map(|delivery| delivery.id.clone()).collect();
            for delivery in page {
                if !seen.contains(&delivery.id) && take(delivery).is_break() {
                    return Ok(());
                }
            }
            if !full {
                return Ok(());
            }
            // A millisecond with more failures than a page is passed over, not read for ever.
            let next = last.saturating_add(TICK);
            end = if next < end { next } else { last };
            seen = of_last;
        }
    }
}
