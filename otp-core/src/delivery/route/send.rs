use std::time::Duration;

use tokio::time::Instant;

use super::leg::Choice;
use super::trip::Trip;
use super::{Route, RouteFailure};
use crate::clock::Clock;
use crate::delivery::{Message, Receipt, Reference};
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
