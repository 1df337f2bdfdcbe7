use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::ops::{ControlFlow, Range};

use tokio::task::JoinSet;

use super::Operator;
use super::effect::{Count, Mode, SAMPLE};
use super::failures::FailedDelivery;
use super::reached::Reached;
use crate::clock::Timestamp;
use crate::delivery::{DeliveryErrorKind, DeliveryState, MessageId};
use crate::request::SubjectKey;
use crate::store::{Delivery, StoreError};
use crate::verifier::{NotAgain, Unavailable};

/// The messages that one call has under way at once; what people ask for meanwhile comes first.
const AT_ONCE: usize = 16;

/// What came of sending failures again, or in a preview what would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resending {
    /// Whether it was done.
    pub mode: Mode,
    /// How many persons it is about: each once, whatever failed for them. In earnest those that
    /// this call has claimed.
    pub persons: Count,
    /// The messages that a provider took.
    pub messages: usize,
    /// The persons who were left alone, because they got a later message or signed in since.
    pub reached: usize,
    /// The persons who are left alone because they want no more messages, or because their vendor
    /// protects them from more: sending again would go round their word.
    pub unwanted: usize,
    /// What was claimed and not sent: it is not sent again by another call.
    pub refused: Vec<NotResent>,
    /// A few of them, masked.
    pub sample: Vec<String>,
}

impl Resending {
    /// Counts what was not sent by why.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for refused in &self.refused {
            let count: &mut usize = counts.entry(refused.why.name()).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }
}

/// A failure that was claimed and not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotResent {
    /// What failed before.
    pub delivery: FailedDelivery,
    /// Why it was not sent.
    pub why: NotAgain,
}

/// Somebody whom messages did not reach.
#[derive(Clone)]
struct Person {
    newest: Delivery,
    /// Every failure of theirs that was not sent again, the newest first.
    all: Vec<MessageId>,
}

/// What became of one person.
enum Became {
    Sent,
    Refused(Box<Delivery>, NotAgain),
    /// Another operator's call has them.
    Taken,
}

/// The persons that a call means.
#[derive(Default)]
struct Meant {
    persons: Vec<Person>,
    places: HashMap<SubjectKey, usize>,
    done: HashSet<SubjectKey>,
    reached: usize,
    unwanted: usize,
    more: bool,
}

impl Meant {
    /// Takes one failure after the other, the newest first.
    fn take(&mut self, delivery: Delivery, reached: &Reached, limit: usize) -> ControlFlow<()> {
        if self.done.contains(&delivery.subject) {
            return ControlFlow::Continue(());
        }
        if let Some(place) = self.places.get(&delivery.subject) {
            if let (Some(person), None) = (self.persons.get_mut(*place), delivery.resent_at) {
                person.all.push(delivery.id);
            }
            return ControlFlow::Continue(());
        }
        let since = reached.since(&delivery);
        if since || delivery.resent_at.is_some() {
            self.reached = self.reached.saturating_add(usize::from(since));
            self.done.insert(delivery.subject);
            return ControlFlow::Continue(());
        }
        if is_unwanted(&delivery) {
            self.unwanted = self.unwanted.saturating_add(1);
            self.done.insert(delivery.subject);
            return ControlFlow::Continue(());
        }
        if self.persons.len() >= limit {
            self.more = true;
            return ControlFlow::Break(());
        }
        let place = self.persons.len();
        self.places.insert(delivery.subject.clone(), place);
        self.persons.push(Person {
            all: vec![delivery.id.clone()],
            newest: delivery,
        });
        ControlFlow::Continue(())
    }

    fn count(&self) -> Count {
        let number = u64::try_from(self.persons.len()).unwrap_or(u64::MAX);
        match self.more {
            true => Count::AtLeast(number),
            false => Count::Exactly(number),
        }
    }
}

impl Operator {
    /// Sends what failed within a window again: a fresh code to each person of the operator's
    /// tenant once, for the newest of their failures, with its purpose, channel and language; to
    /// `limit` persons at most.
    ///
    /// Each goes the way of any request ([`Verifier::issue`](crate::verifier::Verifier::issue)):
    /// every gate, quota and check is asked, on behalf of the address that asked first, and a live
    /// code of the person is worth nothing from then on. A few are under way at once, so a
    /// large number takes its time. Nothing goes to decoys, to who opted out or is protected by the
    /// vendor, to what was sent again before, or to whom a later message was sent or who signed in since, as far as the outbox still has the
    /// records. What was claimed is never tried again by itself, whatever came of it; a message
    /// that fails anew is a new failure.
    ///
    /// Of racing calls, on whatever instances, one sends to each person.
    ///
    /// # Errors
    /// [`Unavailable`]; then nothing was sent.
    ///
    /// # Cancellation
    /// A dropped call goes on to its end.
    pub async fn resend_failed(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Resending, Unavailable> {
        let meant = self.meant(window, limit).await?;
        let count = meant.count();
        let mut event = self.event("resend_failed");
        event.reason = event
            .reason
            .map(|what| format!("{what}:{}", count.number()).into());
        self.note(event).await?;
        let resending = Resending {
            mode: self.mode,
            persons: count,
            messages: 0,
            reached: meant.reached,
            unwanted: meant.unwanted,
            refused: Vec::new(),
            sample: meant.persons.iter().take(SAMPLE).map(shown).collect(),
        };
        match self.mode {
            Mode::Preview => Ok(resending),
            Mode::Apply => {
                let operator = self.clone();
                let all = operator.send_to_all(meant.persons, resending);
                tokio::spawn(all).await.map_err(Unavailable::because)
            }
        }
    }

    /// Finds whom to send to.
    async fn meant(&self, window: Range<Timestamp>, limit: usize) -> Result<Meant, StoreError> {
        let reached = Reached::read(self.store(), &self.tenant, window.start).await?;
        let mut meant = Meant::default();
        let take = |delivery| meant.take(delivery, &reached, limit);
        self.each_failure(window, take).await?;
        Ok(meant)
    }

    async fn send_to_all(self, persons: Vec<Person>, mut resending: Resending) -> Resending {
        let mut waiting = persons.into_iter();
        let mut under_way = JoinSet::new();
        let mut claimed: usize = 0;
        loop {
            while under_way.len() < AT_ONCE
                && let Some(person) = waiting.next()
            {
                let operator = self.clone();
                under_way.spawn(async move { operator.send_to(person).await });
            }
            let Some(became) = under_way.join_next().await else {
                break;
            };
            match became {
                Ok(Became::Sent) => resending.messages = resending.messages.saturating_add(1),
                Ok(Became::Refused(delivery, why)) => {
                    let failed = FailedDelivery::of(&delivery);
                    let refused = failed.map(|delivery| NotResent { delivery, why });
                    resending.refused.extend(refused);
                }
                Ok(Became::Taken) => continue,
                Err(_panic) => {
                    tracing::error!(target: "otp_kit", "a failure could not be sent again");
                }
            }
            claimed = claimed.saturating_add(1);
        }
        resending.persons = match resending.persons {
            Count::AtLeast(_) => Count::AtLeast(u64::try_from(claimed).unwrap_or(u64::MAX)),
            Count::Exactly(_) => Count::Exactly(u64::try_from(claimed).unwrap_or(u64::MAX)),
        };
        resending
    }

    /// Claims a person's failures, and sends for the newest where this call has that one.
    async fn send_to(&self, person: Person) -> Became {
        let Person { newest, all } = person;
        let claimed = match self.store().claim_resend(&all).await {
            Ok(claimed) => claimed,
            Err(_) => return Became::Refused(newest.into(), NotAgain::Unavailable),
        };
        if !claimed.contains(&newest.id) {
            return Became::Taken;
        }
        match self.verifier.issue_again(&newest).await {
            Ok(_issued) => Became::Sent,
            Err(why) => Became::Refused(newest.into(), why),
        }
    }
}

/// Says whether a message failed because nobody is to send one there.
const fn is_unwanted(delivery: &Delivery) -> bool {
    use DeliveryErrorKind::{OptedOut, Protected};
    matches!(delivery.state, DeliveryState::Failed(OptedOut | Protected))
}

fn shown(person: &Person) -> String {
    let Delivery {
        purpose,
        channel,
        destination,
        ..
    } = &person.newest;
    let to = destination.as_ref().map(|to| to.masked.as_str());
    let to = to.unwrap_or_default();
    format!("{purpose} {} {to}", channel.name())
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", shown(self))
    }
}
