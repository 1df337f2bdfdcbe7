//! A provider that fails in every way that providers fail, while a service runs.

mod inbox;
mod receipts;

use std::collections::VecDeque;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

pub use inbox::Inbox;
pub use receipts::Receipts;

use crate::delivery::{
    DeliveryError, DeliveryErrorKind, DeliveryProvider, DeliveryState, Message, Receipt,
};
use crate::destination::Channel;

/// What a [`StandIn`] does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// Takes it; the person has it at once.
    Accept,
    /// Takes it after a while.
    Slow(Duration),
    /// Refuses it; the person surely does not get it.
    Refuse(DeliveryErrorKind),
    /// Refuses it after a while: a connection that is slow to fail.
    RefuseAfter(Duration, DeliveryErrorKind),
    /// Says that it takes no more for a while; the person surely does not get it.
    Throttle(Duration),
    /// Never answers, and the person does not get it: a process that is stopped.
    Hang,
    /// Breaks off before it took it: the caller does not know, the person does not get it.
    Lose,
    /// Breaks off after it took it: the caller does not know, the person has it.
    Cut,
    /// Panics: a bug in an adapter.
    Panic,
}

/// A provider for tests and examples whose behaviour is switched while it runs. A clone is the
/// same provider.
///
/// Several stand-ins deliver into one [`Inbox`], which counts what each person got.
///
/// # Examples
/// ```
/// use otp_core::delivery::{DeliveryErrorKind, Route};
/// use otp_core::testing::{Behaviour, Inbox, StandIn};
///
/// let inbox = Inbox::new();
/// let primary = StandIn::new("primary", &inbox);
/// let route = Route::primary(primary.clone()).backup(StandIn::new("backup", &inbox));
/// primary.set(Behaviour::Refuse(DeliveryErrorKind::Unavailable));
/// # drop(route);
/// assert_eq!(inbox.len(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct StandIn {
    name: Arc<str>,
    inbox: Inbox,
    inside: Arc<Mutex<Inside>>,
}

#[derive(Debug)]
struct Inside {
    behaviour: Behaviour,
    script: VecDeque<Behaviour>,
    calls: usize,
    under_way: usize,
    most_under_way: usize,
    /// What it took and was not asked about yet, with what that ends as.
    taken: Vec<(String, DeliveryState)>,
    end: DeliveryState,
}

impl StandIn {
    /// Makes one that accepts everything.
    #[must_use]
    pub fn new(name: &str, inbox: &Inbox) -> Self {
        Self {
            name: name.into(),
            inbox: inbox.clone(),
            inside: Arc::new(Mutex::new(Inside {
                behaviour: Behaviour::Accept,
                script: VecDeque::new(),
                calls: 0,
                under_way: 0,
                most_under_way: 0,
                taken: Vec::new(),
                end: DeliveryState::Delivered,
            })),
        }
    }

    /// Switches what it does with every message from now on that the script does not speak for.
    pub fn set(&self, behaviour: Behaviour) {
        self.lock().behaviour = behaviour;
    }

    /// Adds to the script: what it does with the next message that is not spoken for.
    pub fn then(&self, behaviour: Behaviour) {
        self.lock().script.push_back(behaviour);
    }

    /// Counts how often it was called.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.lock().calls
    }

    /// Counts the calls that have not ended.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.lock().under_way
    }

    /// Says how many calls there were at most at one time.
    #[must_use]
    pub fn most_under_way(&self) -> usize {
        self.lock().most_under_way
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> (Behaviour, UnderWay<'_>) {
        let mut inside = self.lock();
        inside.calls = inside.calls.saturating_add(1);
        inside.under_way = inside.under_way.saturating_add(1);
        inside.most_under_way = inside.most_under_way.max(inside.under_way);
        let behaviour = inside.script.pop_front().unwrap_or(inside.behaviour);
        (behaviour, UnderWay(self))
    }

    fn take(&self, message: &Message) -> Receipt {
        self.inbox.put(&self.name, message);
        let mut inside = self.lock();
        let end = inside.end;
        inside.taken.push((message.id().as_str().to_owned(), end));
        drop(inside);
        Receipt::accepted(&self.name).with_reference(message.id().as_str())
    }

    fn error(&self, kind: DeliveryErrorKind) -> DeliveryError {
        DeliveryError::new(kind, &self.name)
    }
}

/// One call, counted until it ends in whatever way.
struct UnderWay<'a>(&'a StandIn);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut inside = self.0.lock();
        inside.under_way = inside.under_way.saturating_sub(1);
    }
}

#[async_trait]
impl DeliveryProvider for StandIn {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &Channel::ALL
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let (behaviour, _under_way) = self.begin();
        match behaviour {
            Behaviour::Accept => Ok(self.take(message)),
            Behaviour::Slow(after) => {
                tokio::time::sleep(after).await;
                Ok(self.take(message))
            }
            Behaviour::Refuse(kind) => Err(self.error(kind).not_sent()),
            Behaviour::RefuseAfter(after, kind) => {
                tokio::time::sleep(after).await;
                Err(self.error(kind).not_sent())
            }
            Behaviour::Throttle(after) => Err(self
                .error(DeliveryErrorKind::Throttled)
                .with_retry_after(after)),
            Behaviour::Hang => future::pending().await,
            Behaviour::Lose => Err(self.error(DeliveryErrorKind::Unavailable).maybe_sent()),
            Behaviour::Cut => {
                self.take(message);
                Err(self.error(DeliveryErrorKind::Unavailable).maybe_sent())
            }
            #[expect(clippy::panic, reason = "the panic is what it was told to do")]
            Behaviour::Panic => panic!("told to panic"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::{Code, CodeFormat};
    use crate::delivery::{DispatchCertainty, MessageId};
    use crate::destination::{Destination, PhoneNumber};

    fn message() -> (Destination, Message) {
        let phone: Destination = PhoneNumber::parse("+14155550123").expect("a number").into();
        let code = Code::normalise(CodeFormat::SIX_DIGITS, "000001").expect("six digits");
        let text = "000001".to_owned();
        let id = MessageId::new("c-1");
        let built = Message::builder(id, Channel::Sms, phone.clone(), text, code).build();
        (phone, built)
    }

    #[tokio::test]
    async fn a_person_has_what_was_accepted_or_cut_and_nothing_else() {
        let inbox = Inbox::new();
        let stand_in = StandIn::new("a", &inbox);
        let (phone, message) = message();
        for (behaviour, arrives, certainty) in [
            (Behaviour::Accept, 1, None),
            (
                Behaviour::Refuse(DeliveryErrorKind::Unavailable),
                0,
                Some(DispatchCertainty::NotSent),
            ),
            (
                Behaviour::Throttle(Duration::from_secs(1)),
                0,
                Some(DispatchCertainty::NotSent),
            ),
            (Behaviour::Lose, 0, Some(DispatchCertainty::Unknown)),
            (Behaviour::Cut, 1, Some(DispatchCertainty::Unknown)),
        ] {
            let before = inbox.count_for(&phone);
            stand_in.then(behaviour);
            let answer = stand_in.deliver(&message).await;
            let answered = answer.as_ref().err().map(DeliveryError::certainty);
            assert_eq!(answered, certainty, "{behaviour:?}");
            assert_eq!(inbox.count_for(&phone) - before, arrives, "{behaviour:?}");
        }
        assert_eq!((stand_in.calls(), inbox.most_for_one()), (5, 2));
        assert_eq!(inbox.senders_for(&phone), ["a", "a"]);
    }

    #[tokio::test]
    async fn what_was_taken_is_reported_once_and_in_any_order_ends_the_same() {
        use crate::clock::Timestamp;
        let stand_in = StandIn::new("a", &Inbox::new());
        let (_, message) = message();
        for behaviour in [Behaviour::Accept, Behaviour::Lose, Behaviour::Cut] {
            stand_in.then(behaviour);
            drop(stand_in.deliver(&message).await);
            stand_in.report_as(DeliveryState::Failed(DeliveryErrorKind::Unreachable));
        }
        let now = Timestamp::from_millis(1);
        let reports = stand_in.receipts(now);
        assert_eq!(stand_in.receipts(now).len(), 0, "they are given once");
        let states = |reports: Receipts| reports.map(|r| r.state().name()).collect::<Vec<_>>();
        let expected = ["sent", "delivered", "sent", "failed"];
        assert_eq!(states(reports.clone()), expected);
        let backwards = ["failed", "sent", "delivered", "sent"];
        assert_eq!(states(reports.clone().reversed()), backwards);
        assert_eq!(states(reports.clone().twice()).len(), 8);
        let shuffled = |seed| states(reports.clone().twice().shuffled(seed));
        assert_eq!(shuffled(1), shuffled(1));
        assert!((2..9).any(|seed| shuffled(seed) != shuffled(1)));
        let mut sorted = shuffled(3);
        sorted.sort_unstable();
        assert_eq!(sorted.iter().filter(|name| **name == "sent").count(), 4);
        assert_eq!(
            reports
                .clone()
                .next()
                .map(|r| r.reference().to_owned())
                .as_deref(),
            Some("c-1")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_hangs_is_under_way_until_it_is_dropped() {
        let stand_in = StandIn::new("a", &Inbox::new());
        stand_in.set(Behaviour::Hang);
        let (_, message) = message();
        let hung = tokio::time::timeout(Duration::from_secs(1), stand_in.deliver(&message));
        assert!(hung.await.is_err());
        assert_eq!((stand_in.under_way(), stand_in.most_under_way()), (0, 1));
    }
}
