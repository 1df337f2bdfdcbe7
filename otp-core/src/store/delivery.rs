//! What was sent, what became of it, and what can be sent again.

mod intent;
mod report;

use std::fmt::Debug;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;

use crate::challenge::ChallengeId;
use crate::clock::Timestamp;
use crate::delivery::{DeliveryErrorKind, DeliveryState, Locale, MessageId, Report};
use crate::destination::Channel;
use crate::event::{Event, EventKind, Outcome};
use crate::request::{Purpose, SubjectKey, Tenant};

use super::StoreError;

pub use intent::{NewDelivery, Recipient, Settled};
pub use report::{Advanced, KeptReport};

/// One message: to whom it goes, and how far it has come.
///
/// It holds no address in the clear and no code. A decoy's goes to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its name, which the vendor was given as idempotency key.
    pub id: MessageId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The challenge whose code it carries.
    pub challenge: ChallengeId,
    /// Whom it is for.
    pub subject: SubjectKey,
    /// What the code is for.
    pub purpose: Purpose,
    /// How it is sent.
    pub channel: Channel,
    /// In which language.
    pub locale: Locale,
    /// To where; `None` for a decoy.
    pub destination: Option<Recipient>,
    /// Who accepted it, or was the last to refuse it; `None` while nobody was asked.
    pub provider: Option<String>,
    /// The vendor's id of it, by which receipts name it.
    pub reference: Option<String>,
    /// How far it has come.
    pub state: DeliveryState,
    /// Why it failed, in a stable word or the vendor's code.
    pub reason: Option<String>,
    /// When it was meant to be sent, by the store's clock.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// When an operator had it sent again.
    pub resent_at: Option<Timestamp>,
    /// When its missing receipt was noticed.
    pub overdue_at: Option<Timestamp>,
}

impl Delivery {
    /// How long what went well is kept: a day after it was created.
    pub const KEPT: Duration = Duration::from_secs(86_400);
    /// How long a failure is kept: 30 days after it was created.
    pub const FAILURE_KEPT: Duration = Duration::from_secs(30 * 86_400);
    /// Why a message failed that nobody was asked to send within its time.
    pub const NOT_SENT_IN_TIME: &str = "not_sent_in_time";
    /// What such a message failed as.
    pub const UNSENT: DeliveryState = DeliveryState::Failed(DeliveryErrorKind::Timeout);

    /// Starts the record of a message that is about to be sent.
    #[must_use]
    pub fn queued(new: NewDelivery, now: Timestamp) -> Self {
        let NewDelivery {
            id,
            tenant,
            challenge,
            subject,
            purpose,
            channel,
            locale,
            destination,
        } = new;
        Self {
            id,
            tenant,
            challenge,
            subject,
            purpose,
            channel,
            locale,
            destination,
            provider: None,
            reference: None,
            state: DeliveryState::Queued,
            reason: None,
            created_at: now,
            updated_at: now,
            resent_at: None,
            overdue_at: None,
        }
    }

    /// Says whether it goes to nobody.
    #[must_use]
    pub fn is_decoy(&self) -> bool {
        self.destination.is_none()
    }

    /// Says whether an operator is told of it as a failure.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.state.failure().is_some() && !self.is_decoy()
    }

    /// Says when it may be removed.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        let kept = match self.is_failure() {
            true => Self::FAILURE_KEPT,
            false => Self::KEPT,
        };
        self.created_at.saturating_add(kept)
    }

    /// Says whether nobody has been asked to send it, or nobody has said what came of that.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        self.state == DeliveryState::Queued && self.provider.is_none()
    }

    /// Moves it forward, where that is forward; the reason goes with the state.
    pub fn climb(&mut self, to: DeliveryState, reason: Option<&str>, now: Timestamp) -> Climb {
        if self.state.advance(to) == self.state {
            return Climb::Stayed;
        }
        self.state = to;
        self.reason = reason.map(str::to_owned);
        self.updated_at = now;
        Climb::Moved
    }

    /// Takes what came of the sending. Who sent it is written once.
    pub fn settle(&mut self, settled: &Settled, now: Timestamp) {
        if self.provider.is_some() || self.state == DeliveryState::Cancelled {
            return;
        }
        self.provider.clone_from(&settled.provider);
        self.reference.clone_from(&settled.reference);
        self.climb(settled.state, settled.reason.as_deref(), now);
    }

    /// Starts a record about it.
    #[must_use]
    pub fn event(&self, kind: EventKind) -> Event {
        Event {
            purpose: Some(self.purpose.clone()),
            channel: Some(self.channel),
            destination: self.destination.as_ref().map(|to| to.masked.clone()),
            provider: self.provider.clone(),
            ..Event::new(kind, &self.tenant)
                .about(&self.subject)
                .naming(&self.challenge)
        }
    }

    /// Makes the record of a message that was not sent in time.
    #[must_use]
    pub fn unsent(&self) -> Event {
        self.event(EventKind::CodeNotSent)
            .with_outcome(Outcome::Failed, Self::NOT_SENT_IN_TIME)
    }
}

/// Whether a state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Climb {
    /// It went up the ladder.
    Moved,
    /// It was there already, or higher.
    Stayed,
}

/// Keeps messages: each is written with the intent to send it, and moves forward only.
///
/// [`Insert`](super::Insert) and [`Reissue`](super::Reissue) carry the intent, so that a message
/// is on record, [`Queued`](DeliveryState::Queued), before anybody is asked to send it.
///
/// # Contract
/// - No sign-in is refused for want of room for deliveries: what is settled and oldest goes first.
/// - States go by [`DeliveryState::advance`], whatever order callers come in.
/// - [`purge`](super::ChallengeStore::purge) removes what [`Delivery::kept_until`] is over for.
#[async_trait]
pub trait DeliveryStore: Debug + Send + Sync + 'static {
    /// Takes what came of the sending, with its event, in one step. The first settlement of a
    /// message stands; a further one adds no event whose id is there already and changes nothing.
    /// What a vendor reported before is applied in the same step. Of a message that is not there
    /// only the event is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn settle(&self, settled: Settled) -> Result<(), StoreError>;

    /// Takes a vendor's report. One about a message that is not known yet is kept for 24 hours
    /// ([`KeptReport::LIFE`]), the highest state of several. Of racing callers with one report
    /// exactly one hears [`Advanced::Moved`].
    ///
    /// # Errors
    /// [`StoreError`]; the same report may be brought again.
    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError>;

    /// Reads one message.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError>;

    /// Lists the failures that were created within a window (its end is not in it), newest first,
    /// without decoys.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Marks failures as sent again, and names those that this call has marked, in the order in
    /// which they were asked for. Of racing callers exactly one is told of each.
    ///
    /// # Errors
    /// [`StoreError`]; some may have been marked all the same: they are not told of again.
    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError>;

    /// Ends messages that are still [`Queued`](DeliveryState::Queued) and that nobody settled
    /// within a time, oldest first, each with a record ([`Delivery::unsent`]) in the same step; a
    /// process died between the intent and the sending. Answers those that this call has ended.
    /// Decoys are left alone.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Finds messages that were accepted so long ago ([`Delivery::updated_at`] lies within the
    /// range of ages) and of which no receipt came, oldest first, and marks them. Of racing callers
    /// exactly one is told of each.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;
}
