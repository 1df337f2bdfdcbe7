use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

use super::leg::{Choice, Vendor};
use super::{OnUnknown, Route, RouteFailure};
use crate::breaker::{BreakerRules, BreakerState, Pass};
use crate::clock::{Clock, Timestamp};
use crate::delivery::{
    DeliveryError, DeliveryErrorKind, DispatchCertainty, Message, Receipt, Reference,
    VerificationProvider, VerificationStart,
};
use crate::destination::{Destination, Region};

/// Whether the message has another channel to go to when the route fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    AnotherChannel,
    Nothing,
}

/// What a message means for vendors beyond its text. For those that make codes of their own: the
/// verification whose code it sends again, and those whose place it takes. References are good at
/// their own vendor only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errand {
    pub(crate) continues: Option<(String, Reference)>,
    pub(crate) replaces: Vec<(String, Reference)>,
    /// The provider that has the message already: only those after it are asked.
    pub(crate) after: Option<String>,
    pub(crate) managers: Managers,
}

/// Whether vendors that make codes of their own may be asked to send a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Managers {
    #[default]
    Asked,
    /// They hold a code that the new one must not take the place of.
    PassedOver,
}

impl Managers {
    fn may_get(self, choice: &Choice<'_>) -> bool {
        self == Self::Asked || choice.vendor.format().is_none()
    }
}

impl Route {
    /// Sends a message along the route. `clock` is what the breakers rest by.
    ///
    /// # Errors
    /// [`RouteFailure`] with the error of each provider that was tried, in order.
    ///
    /// # Cancellation
    /// Dropping the future leaves the outcome unknown, as a timeout would; a breaker's probe that
    /// is dropped leaves its place to the next message.
    pub async fn send(
        &self,
        message: &Message,
        clock: &dyn Clock,
    ) -> Result<Receipt, RouteFailure> {
        let errand = Errand::default();
        self.send_within(message, &errand, clock, self.deadline, Afterwards::Nothing)
            .await
    }

    /// Sends a message within what is left of its time.
    pub(crate) async fn send_within(
        &self,
        message: &Message,
        errand: &Errand,
        clock: &dyn Clock,
        left: Duration,
        afterwards: Afterwards,
    ) -> Result<Receipt, RouteFailure> {
        let mut choices = self.choices(message.destination());
        if let Some(provider) = &errand.after {
            choices = after(choices, provider);
        }
        if choices.is_empty() {
            return Err(RouteFailure::of_ceiling());
        }
        choices.retain(|choice| choice.suits(message) && errand.managers.may_get(choice));
        if choices.is_empty() {
            return Err(RouteFailure::of_shape());
        }
        let trip = Trip {
            message,
            errand,
            clock,
            rules: self.rules(message.channel()),
            on_unknown: self.on_unknown,
            begun: Instant::now(),
            time: left.min(self.deadline),
            afterwards,
            errors: Vec::new(),
            unknown: 0,
        };
        trip.run(&choices).await
    }

    /// Says whether a message that a provider has may be given to another one.
    pub(crate) fn has_after(&self, provider: &str, to: &Destination) -> bool {
        !after(self.choices(to), provider).is_empty()
    }

    /// Says whether anybody carries messages to an address, where vendors are asked or not.
    pub(crate) fn serves(&self, to: &Destination, managers: Managers) -> bool {
        let choices = self.choices(to);
        choices.iter().any(|choice| managers.may_get(choice))
    }

    /// Lists the providers that a message to an address may be given to, in order.
    fn choices(&self, to: &Destination) -> Vec<Choice<'_>> {
        let phone = to.as_phone();
        let country: Option<Region> = phone.and_then(|phone| phone.country());
        let rule = country.and_then(|country| self.countries.get(&country));
        let mut choices = match rule {
            Some(rule) => rule.choices(self),
            None => self.legs.iter().map(Choice::of).collect(),
        };
        let ceiling = rule.and_then(|rule| rule.ceiling()).or(self.max_price);
        choices.retain(|choice| choice.is_within(ceiling, &self.prices, country));
        choices
    }
}

/// Lists the providers behind one; none where it is not among them.
fn after<'a>(choices: Vec<Choice<'a>>, provider: &str) -> Vec<Choice<'a>> {
    let mut choices = choices.into_iter();
    choices.find(|choice| choice.vendor.name() == provider);
    choices.collect()
}

/// One message on its way along the route.
struct Trip<'a> {
    message: &'a Message,
    errand: &'a Errand,
    clock: &'a dyn Clock,
    rules: BreakerRules,
    on_unknown: OnUnknown,
    begun: Instant,
    time: Duration,
    afterwards: Afterwards,
    errors: Vec<DeliveryError>,
    unknown: u32,
}

/// What follows on a provider's error.
enum Next {
    Another,
    End,
}

impl Trip<'_> {
    async fn run(mut self, choices: &[Choice<'_>]) -> Result<Receipt, RouteFailure> {
        let mut resting = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let Ok(pass) = choice.health.breaker.ask(self.clock.now(), self.rules) else {
                resting.push(choice);
                continue;
            };
            let behind = choices.get(index.saturating_add(1)..).unwrap_or_default();
            match self.ask(choice, pass, self.share(behind)).await {
                Ok(receipt) => return Ok(self.noting(receipt, &resting)),
                Err(Next::End) => return self.end(&resting),
                Err(Next::Another) => {}
            }
        }
        // Another channel serves the person sooner than a provider that is most likely down.
        if self.afterwards == Afterwards::Nothing {
            let now = self.clock.now();
            let mut longest_first = resting.clone();
            longest_first
                .sort_by_key(|choice| std::cmp::Reverse(choice.health.breaker.rested(now)));
            for choice in longest_first {
                let Ok(pass) = choice.health.breaker.ask_early(now, self.rules) else {
                    continue;
                };
                resting.retain(|other| !std::ptr::eq(*other, choice));
                match self.ask(choice, pass, self.left()).await {
                    Ok(receipt) => return Ok(self.noting(receipt, &resting)),
                    Err(Next::End) => return self.end(&resting),
                    Err(Next::Another) => {}
                }
            }
        }
        self.end(&resting)
    }

    /// Asks one provider, once.
    async fn ask(
        &mut self,
        choice: &Choice<'_>,
        pass: Pass,
        limit: Duration,
    ) -> Result<Receipt, Next> {
        if limit.is_zero() {
            // Its place is free again: nobody was asked.
            drop(pass);
            return Err(Next::End);
        }
        let dressed = (choice.sender.is_some() || choice.template.is_some())
            .then(|| self.message.as_sent_by(choice.sender, choice.template));
        let message = dressed.as_ref().unwrap_or(self.message);
        let errand = self.errand;
        let started = Instant::now();
        let delivery = pin!(async {
            match choice.vendor {
                Vendor::Carries(provider) => provider.deliver(message).await,
                Vendor::Verifies(provider) => start(provider.as_ref(), message, errand).await,
            }
        });
        let name = choice.vendor.name();
        let span = tracing::debug_span!(
            target: "otp_kit",
            "provider",
            otel.kind = "client",
            provider = name,
            channel = self.message.channel().name(),
        );
        let asked = tokio::time::timeout(limit, unpanicked(delivery)).instrument(span);
        let error = match asked.await {
            Ok(Some(Ok(receipt))) => {
                pass.succeeded();
                choice.health.accepted(started.elapsed(), self.clock.now());
                return Ok(receipt);
            }
            Ok(Some(Err(error))) => error,
            Ok(None) => DeliveryError::new(DeliveryErrorKind::Protocol, name),
            Err(_elapsed) => DeliveryError::new(DeliveryErrorKind::Timeout, name),
        };
        let now = self.clock.now();
        let before = choice.health.breaker.state();
        if error.kind().blames_provider() {
            pass.failed(now);
        }
        let after = choice.health.breaker.state();
        if after == BreakerState::Open && before != after {
            tracing::warn!(
                target: "otp_kit",
                provider = name,
                channel = self.message.channel().name(),
                seconds = self.rules.rest().as_secs(),
                "Circuit breaker OPEN"
            );
        }
        choice.health.erred(&error, started.elapsed(), now);
        tracing::warn!(
            target: "otp_kit",
            provider = name,
            channel = self.message.channel().name(),
            kind = error.kind().name(),
            code = error.code(),
            certainty = ?error.certainty(),
            breaker = choice.health.breaker.state().name(),
            "a provider did not take a message"
        );
        let next = self.after(&error);
        self.errors.push(error);
        Err(next)
    }

    fn after(&mut self, error: &DeliveryError) -> Next {
        if error.kind().ends_route() {
            return Next::End;
        }
        if error.certainty() == DispatchCertainty::Unknown {
            self.unknown = self.unknown.saturating_add(1);
        }
        match (self.on_unknown, self.unknown) {
            // The one that came after it surely sent nothing: the same code may go out once more.
            (_, 0) | (OnUnknown::PreferDelivery, 1) => Next::Another,
            _ => Next::End,
        }
    }

    /// Gives what is left of the message's time.
    fn left(&self) -> Duration {
        self.time.saturating_sub(self.begun.elapsed())
    }

    /// Gives a provider's share of what is left: all of it, or what leaves time for those behind.
    fn share(&self, behind: &[Choice<'_>]) -> Duration {
        let another = behind
            .iter()
            .any(|choice| choice.health.breaker.state() == BreakerState::Closed);
        if another || self.afterwards == Afterwards::AnotherChannel {
            self.left() / 5 * 3
        } else {
            self.left()
        }
    }

    fn noting(&self, receipt: Receipt, passed: &[&Choice<'_>]) -> Receipt {
        for choice in passed {
            choice.health.passed_over();
        }
        receipt
    }

    fn end(mut self, passed: &[&Choice<'_>]) -> Result<Receipt, RouteFailure> {
        for choice in passed {
            choice.health.passed_over();
        }
        if self.errors.is_empty() {
            let now: Timestamp = self.clock.now();
            let first = passed.first().map(|choice| {
                let rested = choice.health.breaker.rested(now);
                DeliveryError::new(DeliveryErrorKind::Unavailable, choice.vendor.name())
                    .with_retry_after(self.rules.rest().saturating_sub(rested))
            });
            let error = first
                .unwrap_or_else(|| DeliveryError::new(DeliveryErrorKind::Unavailable, "route"))
                .with_code("resting")
                .not_sent();
            self.errors.push(error);
        }
        Err(RouteFailure::of(self.errors))
    }
}

/// Has a vendor make and send a code of its own.
async fn start(
    provider: &dyn VerificationProvider,
    message: &Message,
    errand: &Errand,
) -> Result<Receipt, DeliveryError> {
    let name = provider.name();
    let own = |known: &&(String, Reference)| known.0 == name;
    let continues = errand.continues.as_ref().filter(own);
    let replaces = errand.replaces.iter().filter(own);
    let replaces: Vec<Reference> = replaces.map(|known| known.1.clone()).collect();
    let start = VerificationStart::new(
        message.id(),
        message.channel(),
        message.destination(),
        message.locale(),
    )
    .expires_in(message.expires_in())
    .continuing(continues.map(|known| &known.1))
    .replacing(&replaces);
    let started = provider.start(&start).await?;
    Ok(Receipt::managed(name, &started))
}

/// Runs a host's future; one that panics ends as `None` and harms nobody else.
pub(crate) async fn unpanicked<T>(
    mut future: Pin<&mut (impl Future<Output = T> + Send)>,
) -> Option<T> {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_panic) => Poll::Ready(None),
        }
    })
    .await
}
