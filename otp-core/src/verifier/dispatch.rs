//! The way out: words, route, and the record of what came of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

use super::enclosure::Enclosure;
use super::issue::Undo;
use super::managed::{Custody, Word};
use super::onward::{NextWay, Onward};
use super::outbound::Place;
use super::request::Issued;
use super::routes::Way;
use super::{NotSent, Verifier};
use crate::challenge::{Challenge, ChallengeId};
use crate::delivery::{
    DeliveryError, DeliveryState, DispatchCertainty, Errand, Locale, Message, MessageId, Receipt,
    Route, RouteFailure, Template,
};
use crate::destination::{Channel, Destination, PhoneNumber};
use crate::event::{Event, EventKind, Measure, Outcome};
use crate::request::{Purpose, RequestContext};
use crate::store::{NewDelivery, Settled, ToTheEnd};

/// A code that is ready to be put into words and sent.
pub(super) struct Parcel {
    /// What is recorded of the sending; its kind and outcome are set when they are known.
    event: Event,
    /// A decoy's goes nowhere.
    to: Option<Destination>,
    letter: Letter,
    onward: Option<Box<Onward>>,
    custody: Option<Box<Custody>>,
    /// What vendors are told where no custody says it.
    errand: Errand,
    nobody: Nobody,
    /// How much later the answer comes than is usual.
    answer_in: Duration,
}

/// Why a parcel goes to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nobody {
    /// There is nobody: a host that must not tell sends in the background.
    IsThere,
    /// It is kept back, and whoever waits for it waits as long as for one that goes.
    IsTold,
}

/// What the words are made of, and which way they go.
pub(super) struct Letter {
    pub(super) id: MessageId,
    challenge: ChallengeId,
    channel: Channel,
    route: Arc<Route>,
    enclosure: Enclosure,
    life: Duration,
    purpose: Purpose,
    pub(super) locale: Locale,
}

impl Parcel {
    pub(super) fn new(
        challenge: &Challenge,
        enclosure: Enclosure,
        to: Option<Destination>,
        way: &Way,
        context: &RequestContext,
        life: Duration,
    ) -> Self {
        let id = format!("{}-{}", challenge.id.fingerprint(), challenge.sends);
        Self {
            event: event_of(challenge, context),
            to,
            letter: Letter {
                id: MessageId::new(&id),
                challenge: challenge.id,
                channel: way.channel,
                route: Arc::clone(&way.route),
                enclosure,
                life,
                purpose: challenge.purpose.clone(),
                locale: Locale::default(),
            },
            onward: None,
            custody: None,
            errand: Errand::default(),
            nobody: Nobody::IsThere,
            answer_in: Duration::ZERO,
        }
    }

    /// Says how much later than is usual the answer comes, which the message lets ahead.
    pub(super) fn after_answer_in(mut self, answer_in: Duration) -> Self {
        self.answer_in = answer_in;
        self
    }

    /// Says how records show the address that it goes to, where that is not how they show the
    /// challenge's first one.
    pub(super) fn shown_as(mut self, masked: Option<String>) -> Self {
        if masked.is_some() {
            self.event.destination = masked;
        }
        self
    }

    pub(super) fn kept_back(mut self, kept_back: bool) -> Self {
        if kept_back {
            self.nobody = Nobody::IsTold;
        }
        self
    }

    /// Makes it a second message of its own name, for the providers after one.
    pub(super) fn after(mut self, id: MessageId, provider: &str) -> Self {
        self.letter.id = id;
        self.errand.after = Some(provider.to_owned());
        self
    }

    /// Adds what it takes to have a vendor make the code.
    pub(super) fn in_custody(self, custody: Option<Box<Custody>>) -> Self {
        Self { custody, ..self }
    }

    pub(super) fn in_locale(mut self, locale: Locale) -> Self {
        self.letter.locale = locale;
        self
    }

    /// Gives the intent to send it, to be stored before it is sent.
    pub(super) fn intent(&self, challenge: &Challenge) -> NewDelivery {
        let masked = self
            .event
            .destination
            .as_deref()
            .filter(|_| self.to.is_some());
        let Letter { id, locale, .. } = &self.letter;
        let masked = masked.unwrap_or_default();
        NewDelivery::of(challenge, id.clone(), locale.clone(), masked)
    }

    /// Adds the channels that follow where this one surely sends nothing.
    pub(super) fn or_onward(self, onward: Option<Onward>) -> Self {
        Self {
            onward: onward.map(Box::new),
            ..self
        }
    }
}

impl Letter {
    /// Names the message that follows this one over another channel.
    pub(super) fn id_over(&self, next: Channel) -> MessageId {
        MessageId::new(&format!("{}-{}", self.id.as_str(), next.name()))
    }

    /// Says what came of it.
    fn settled(&self, event: &Event, sent: &Result<Receipt, RouteFailure>) -> Settled {
        let receipt = sent.as_ref().ok();
        let reference = receipt.and_then(Receipt::reference);
        Settled {
            provider: event.provider.clone(),
            reference: reference.map(str::to_owned),
            state: match sent {
                Ok(_) => DeliveryState::Sent,
                Err(failure) => DeliveryState::Failed(failure.kind()),
            },
            reason: event.reason.as_deref().map(str::to_owned),
            event: Some(event.clone()),
            ..self.decoy()
        }
    }

    /// Says of a message to nobody that nothing was sent.
    fn decoy(&self) -> Settled {
        Settled {
            id: self.id.clone(),
            challenge: self.challenge,
            provider: None,
            reference: None,
            state: DeliveryState::Cancelled,
            reason: None,
            event: None,
        }
    }
}

/// Says of a message that surely was not sent that another channel takes its place. The record of
/// it is stored with the code of that channel.
fn taken_back(settled: Settled) -> Settled {
    Settled {
        state: DeliveryState::Cancelled,
        event: None,
        ..settled
    }
}

fn event_of(challenge: &Challenge, context: &RequestContext) -> Event {
    Event::new(EventKind::CodeSent, &challenge.tenant)
        .from_request(context)
        .of_challenge(challenge)
}

impl Verifier {
    /// Has it sent, and waits for that unless its place is in the background. Answers with the
    /// channel that the message went over in the end; `undo` is what is taken back where it surely was
    /// not sent and somebody waits.
    ///
    /// A caller who leaves stops neither the message nor its record: the sending is a task of its
    /// own, or becomes one then. It is bounded by the route's deadline.
    pub(super) async fn dispatch(
        &self,
        place: Place,
        parcel: Parcel,
        issued: Issued,
        undo: Option<Undo>,
    ) -> Result<Issued, NotSent> {
        let waits = matches!(place, Place::Awaited(_));
        let verifier = self.clone();
        // It says by itself what came of it: the event and the log line.
        let sending = Box::pin(async move {
            let _until_sent = place;
            if !waits {
                let answer_in = parcel.answer_in;
                verifier.inner.outbound.let_answer_ahead(answer_in).await;
            }
            let sent = verifier.send(parcel).await;
            if let (true, Some(undo), Err(failure)) = (waits, undo, &sent)
                && failure.certainty() == DispatchCertainty::NotSent
            {
                Box::pin(verifier.undo(undo)).await;
            }
            sent
        });
        let sending = sending.in_current_span();
        if !waits {
            drop(tokio::spawn(sending));
            return Ok(issued);
        }
        // One that panicked leaves no answer.
        let sent = ToTheEnd::new(sending).await;
        match sent.unwrap_or_else(|| Err(RouteFailure::of_task())) {
            Ok(channel) => Ok(Issued { channel, ..issued }),
            Err(failure) => Err(NotSent { failure, issued }),
        }
    }

    /// Puts the code into words, takes them along the route and records what came of it; what one
    /// channel surely did not send goes over the next. A decoy goes nowhere, and that succeeds.
    async fn send(&self, parcel: Parcel) -> Result<Channel, RouteFailure> {
        let Parcel {
            mut event,
            to,
            mut letter,
            mut onward,
            custody,
            errand,
            nobody,
            ..
        } = parcel;
        let errand = custody.as_ref().map_or(&errand, |custody| &custody.errand);
        let Some(mut destination) = to else {
            let word = match nobody {
                Nobody::IsTold => self.inner.sending.wait().await,
                Nobody::IsThere => Word::Verdict,
            };
            // A real message is settled as well: the stores' work tells nobody which one this is.
            self.settle(letter.decoy(), None).await;
            return match word {
                Word::Verdict => Ok(letter.channel),
                Word::Silence => Err(RouteFailure::of_task()),
            };
        };
        let begun = Instant::now();
        let total = letter.route.total_deadline();
        let mut earlier = Vec::new();
        loop {
            let gone = begun.elapsed();
            let life = letter.life.saturating_sub(gone);
            let left = total.saturating_sub(gone);
            let phone = match &destination {
                Destination::Phone(phone) => Some(phone.clone()),
                _ => None,
            };
            let sent = match self.words(&letter, destination, life) {
                Some(message) => {
                    let clock = self.inner.clock.as_ref();
                    let afterwards = Onward::afterwards(onward.as_deref());
                    let route = &letter.route;
                    route
                        .send_within(&message, errand, clock, left, afterwards)
                        .await
                }
                None => Err(RouteFailure::of_catalogue()),
            };
            let left = sent.as_ref().map(drop).map_err(RouteFailure::certainty);
            if phone.is_some() {
                self.keep_pace(&sent, begun.elapsed().saturating_sub(gone));
            }
            self.guard_sent(&event, phone.as_ref(), left);
            event = delivery_event(event, &sent);
            self.measure(&Measure::Sent {
                tenant: &event.tenant,
                channel: letter.channel,
                provider: event.provider.as_deref(),
                country: phone.as_ref().and_then(PhoneNumber::country),
                outcome: event.outcome,
                took: begun.elapsed().saturating_sub(gone),
            });
            let settled = letter.settled(&event, &sent);
            let failure = match sent {
                Ok(receipt) => {
                    let custody = custody.as_deref();
                    self.accepted(&receipt, custody, letter.channel, (settled, &event))
                        .await?;
                    return Ok(letter.channel);
                }
                Err(failure) => failure,
            };
            tracing::warn!(
                target: "otp_kit",
                channel = letter.channel.name(),
                kind = failure.kind().name(),
                certainty = ?failure.certainty(),
                "failed to send"
            );
            let next = match onward.as_deref_mut() {
                Some(onward) if begun.elapsed() < total => {
                    let left = total.saturating_sub(begun.elapsed());
                    let failed = (&letter, &event);
                    Box::pin(self.over_the_next(onward, &failure, failed, left)).await
                }
                _ => None,
            };
            let (Some(next), Some(onward)) = (next, &onward) else {
                match custody.as_deref() {
                    Some(custody) if earlier.is_empty() => {
                        Box::pin(self.failed(custody, &failure, (settled, &event))).await;
                    }
                    _ => self.settle(settled, Some(&event)).await,
                }
                return Err(failure.after(earlier));
            };
            self.settle(taken_back(settled), None).await;
            earlier.append(&mut failure.into_errors());
            event = event_of(&onward.challenge, &onward.context);
            event.destination = Some(next.destination.masked());
            destination = next.destination;
            letter = Letter {
                id: next.id,
                channel: next.way.channel,
                route: next.way.route,
                enclosure: next.enclosure,
                ..letter
            };
        }
    }

    /// Remembers how long a message to a phone took, and whether its providers say anything.
    fn keep_pace(&self, sent: &Result<Receipt, RouteFailure>, took: Duration) {
        match sent {
            Ok(_) => self.inner.sending.saw(took),
            Err(failure) if failure.errors().iter().all(DeliveryError::is_transient) => {
                self.inner.sending.heard_nothing(took);
            }
            Err(_) => {}
        }
    }

    /// Gets the next channel ready, where the one before surely sent nothing and nothing forbids
    /// it. Then the failure is in the store, together with the new code.
    async fn over_the_next(
        &self,
        onward: &mut Onward,
        failure: &RouteFailure,
        (letter, failed): (&Letter, &Event),
        left: Duration,
    ) -> Option<NextWay> {
        let surely = failure.certainty() == DispatchCertainty::NotSent;
        if !surely || failure.is_protective() {
            return None;
        }
        let next = self.go_onward(onward, letter, failed, left).await?;
        self.observe(failed);
        Some(next)
    }

    /// Stores what came of a message, and shows its record, where it carries one.
    pub(super) fn settle(
        &self,
        settled: Settled,
        record: Option<&Event>,
    ) -> impl Future<Output = ()> {
        let stored = self.inner.store.settle(settled);
        async move {
            if stored.await.is_err() {
                tracing::error!(target: "otp_kit", "a delivery could not be recorded");
                return;
            }
            if let Some(event) = record {
                self.observe(event);
            }
        }
    }

    fn words(&self, letter: &Letter, destination: Destination, life: Duration) -> Option<Message> {
        let Enclosure { code, link } = &letter.enclosure;
        let link = link.as_ref().zip(self.links());
        let link = link.map(|(token, settings)| settings.links(token));
        let template = Template {
            channel: letter.channel,
            purpose: &letter.purpose,
            locale: &letter.locale,
            brand: &self.inner.brand,
            code,
            link: link.as_ref(),
            expires_in: life,
        };
        let render = std::panic::AssertUnwindSafe(|| self.inner.catalogue.render(&template));
        // A host's catalogue that panics fails this message, not the service.
        let rendered = std::panic::catch_unwind(render).ok()?;
        let mut message = Message::builder(
            letter.id.clone(),
            letter.channel,
            destination,
            rendered.text,
            code.clone(),
        )
        .locale(letter.locale.clone())
        .expires_in(life);
        if let Some(subject) = &rendered.subject {
            message = message.subject(subject);
        }
        if let Some(html) = rendered.html {
            message = message.html(html);
        }
        if let Some(link) = link {
            message = message.link(link);
        }
        Some(message.build())
    }
}

fn delivery_event(mut event: Event, sent: &Result<Receipt, RouteFailure>) -> Event {
    match sent {
        Ok(receipt) => event.provider = Some(receipt.provider().to_owned()),
        Err(failure) => {
            event.kind = EventKind::CodeNotSent;
            let last = failure.errors().last();
            event.provider = last.map(|error| error.provider().to_owned());
            let unknown = failure.certainty() == DispatchCertainty::Unknown;
            let reason = match (failure.reason(), unknown) {
                (kind, true) => format!("{kind}_outcome_unknown"),
                (kind, false) => kind.to_owned(),
            };
            event = event.with_outcome(Outcome::Failed, reason);
        }
    }
    event
}
