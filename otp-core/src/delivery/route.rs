use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

mod country;
mod failure;
mod leg;
mod plan;
mod send;
mod status;
mod trip;

pub use country::CountryRule;
pub use failure::{InvalidRoute, RouteFailure};
pub use plan::{InvalidPlan, Providers, RoutePlan};
pub use status::RouteHealth;

use super::{DeliveryProvider, Price, Prices, VerificationProvider};
use crate::breaker::BreakerRules;
use crate::challenge::CodeFormat;
use crate::destination::{Channel, Region};

use leg::Leg;
pub(crate) use send::{Afterwards, Errand, Managers};
pub(crate) use trip::unpanicked;

/// The providers of one channel, in the order in which they are tried.
///
/// What a provider surely did not send goes to the next one at once, as the same message under
/// the same challenge. An outcome that is not known (a timeout, a failure after the request went
/// out) ends the route, because going on could reach the person twice, unless
/// [`on_unknown`](Self::on_unknown) prefers delivery. A refusal that protects (an opt-out, a
/// vendor's fraud guard) ends it in any case: going round it would defeat it.
///
/// Each provider has a breaker: after [`failover_threshold`](Self::failover_threshold) failures of
/// its own in a row it is passed over for 30 seconds, and then one message finds out whether it is
/// back. Where another provider can take the next message, silence counts as a failure early: after
/// four times what the provider usually takes, and half a second at least. Whoever waits for it goes
/// on waiting, and an answer after all brings it back at once; so a provider that hangs keeps as
/// many people waiting as came within about a second, not all those who came until the first gave
/// up. Where every provider rests and there is nowhere else to turn to, the one that has rested
/// longest is tried all the same, with one message at a time: a person is waiting, and a provider
/// that came back early serves everybody again with the first message that it takes.
///
/// Clones share breakers and counts.
///
/// # Examples
/// ```
/// # #[cfg(feature = "testing")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::Outbox;
/// # let (twilio, plivo) = (Outbox::named("twilio"), Outbox::named("plivo"));
/// use std::num::NonZeroU32;
/// use otp_core::delivery::{CountryRule, Route, SenderId};
/// use otp_core::destination::{Channel, Region};
///
/// let route = Route::primary(twilio)
///     .backup(plivo)
///     .failover_threshold(NonZeroU32::new(5).ok_or("not zero")?)
///     .in_country(
///         Region::parse("GB")?,
///         CountryRule::new()
///             .via("plivo")
///             .via("twilio")
///             .sender(SenderId::new("Acme")?),
///     );
/// assert!(route.check(Channel::Sms).is_ok());
/// # Ok(()) }
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct Route {
    legs: Vec<Leg>,
    countries: BTreeMap<Region, CountryRule>,
    threshold: Option<NonZeroU32>,
    rest: Duration,
    deadline: Duration,
    on_unknown: OnUnknown,
    prices: Prices,
    max_price: Option<Price>,
    start: Switch,
    receipt_within: Option<Duration>,
}

/// What follows on an outcome that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnknown {
    /// Nothing: the code works if it arrives, and the person may ask for another. The default.
    #[default]
    Stop,
    /// The same message once more, through the next provider. The person may get it twice, with
    /// the same code, and never a third time.
    PreferDelivery,
}

/// Whether a channel takes messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Switch {
    /// It does.
    #[default]
    On,
    /// An operator switched it off.
    Off,
}

/// As configuration files say it: `enabled: true`.
impl From<bool> for Switch {
    fn from(enabled: bool) -> Self {
        if enabled { Self::On } else { Self::Off }
    }
}

/// How long a message may take over all providers, unless the route says otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

/// The failures in a row that open a provider's breaker, where the route names none.
const THRESHOLD: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
/// The same for e-mail.
const EMAIL_THRESHOLD: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

impl Route {
    /// Starts a route with the provider that is tried first.
    #[must_use]
    pub fn primary(provider: impl DeliveryProvider) -> Self {
        Self::shared(Arc::new(provider))
    }

    /// Starts a route with a provider that the host keeps a handle on.
    #[must_use]
    pub fn shared(provider: Arc<dyn DeliveryProvider>) -> Self {
        Self::of(Leg::new(provider))
    }

    /// Starts a route with a vendor that makes, sends and checks codes of its own.
    ///
    /// Challenges, guesses, budgets and records stay as they are: each try is counted before the
    /// vendor is asked, and asked about once. Where the vendor surely started nothing, a backup
    /// carries a code of the library's in the same shape. Where nobody knows whether it did, what
    /// may have arrived is worth nothing, and the person asks for another. Clients of
    /// [`Routes::replace`](crate::verifier::Routes::replace) keep such a vendor in one of the
    /// routes until the challenges that it holds are over: without it they cannot be checked.
    ///
    /// A vendor that keeps one verification an address ends one when it starts another. While a
    /// device that is known waits for a code of a subject's, a public request for that subject
    /// goes to a backup with a code of the library's; where there is none nothing is sent, and the
    /// answer is that of a decoy. What remains: a request for **another** subject with the same
    /// address, or with the same vendor account elsewhere, still ends the code that was sent; its
    /// owner asks for another. What is over at the vendor counts as a guess.
    #[must_use]
    pub fn managed(provider: impl VerificationProvider) -> Self {
        Self::shared_managed(Arc::new(provider))
    }

    /// Starts a route with such a vendor that the host keeps a handle on.
    #[must_use]
    pub fn shared_managed(provider: Arc<dyn VerificationProvider>) -> Self {
        Self::of(Leg::managed(provider))
    }

    fn of(leg: Leg) -> Self {
        Self {
            legs: vec![leg],
            countries: BTreeMap::new(),
            threshold: None,
            rest: BreakerRules::REST,
            deadline: DEADLINE,
            on_unknown: OnUnknown::default(),
            prices: Prices::default(),
            max_price: None,
            start: Switch::default(),
            receipt_within: None,
        }
    }

    /// Adds a provider that is tried when those before it surely did not send.
    #[must_use]
    pub fn backup(self, provider: impl DeliveryProvider) -> Self {
        self.shared_backup(Arc::new(provider))
    }

    /// Adds a backup that the host keeps a handle on.
    #[must_use]
    pub fn shared_backup(mut self, provider: Arc<dyn DeliveryProvider>) -> Self {
        self.legs.push(Leg::new(provider));
        self
    }

    /// Sets how many failures of a provider's own, in a row, have it passed over; a silence that is
    /// longer than usual is one of them. Default: 5, for e-mail 3.
    #[must_use]
    pub fn failover_threshold(mut self, failures: NonZeroU32) -> Self {
        self.threshold = Some(failures);
        self
    }

    /// Sets how long a provider is passed over before one message finds out whether it is back.
    /// Default: 30 seconds.
    #[must_use]
    pub fn rest(mut self, rest: Duration) -> Self {
        self.rest = rest;
        self
    }

    /// Sets how long a message may take over all providers together; then its outcome counts as
    /// unknown. Of what is left, a provider with another behind it gets three fifths, the last one
    /// gets all. Default: ten seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Says what follows on an outcome that nobody knows. Default: [`OnUnknown::Stop`].
    #[must_use]
    pub fn on_unknown(mut self, then: OnUnknown) -> Self {
        self.on_unknown = then;
        self
    }

    /// Gives a country providers, a sender or a ceiling of its own; a second rule for the country
    /// replaces the first. Numbers that belong to no country go by the route's own.
    #[must_use]
    pub fn in_country(mut self, country: Region, rule: CountryRule) -> Self {
        self.countries.insert(country, rule);
        self
    }

    /// Says what messages cost; see [`max_price`](Self::max_price). Default: nobody knows.
    #[must_use]
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// Sets the most that a message may cost. Providers above it, or of unknown price, are not
    /// asked; where none is left the message is refused before any vendor hears of it, as
    /// [`Protected`](super::DeliveryErrorKind::Protected). Default: no ceiling.
    #[must_use]
    pub fn max_price(mut self, ceiling: Price) -> Self {
        self.max_price = Some(ceiling);
        self
    }

    /// Sets whether the channel is on when the verifier starts; later it is switched by
    /// [`Routes`](crate::verifier::Routes). Default: on.
    #[must_use]
    pub fn starts(mut self, switch: Switch) -> Self {
        self.start = switch;
        self
    }

    /// Sends a message once more, with the same code, through the next provider, where the one that
    /// accepted it has reported nothing after this time. Default: never.
    ///
    /// It may cost twice and reach the person twice: use it where every provider of the route
    /// reports by webhook. It is done by
    /// [`Verifier::sweep_deliveries`](crate::verifier::Verifier::sweep_deliveries), at most once a
    /// message, while its challenge is live, for the challenge's latest message on its first
    /// channel, and only where the policy keeps codes
    /// ([`ResendCode::Same`](crate::policy::ResendCode::Same)). Gates and limits are not asked
    /// again. Where routes of a verifier differ, the longest time holds for them all.
    #[must_use]
    pub fn receipt_within(mut self, time: Duration) -> Self {
        self.receipt_within = Some(time);
        self
    }

    /// Lists the providers that carry messages, in order, those of countries last.
    pub fn providers(&self) -> impl Iterator<Item = &dyn DeliveryProvider> {
        self.all_legs().filter_map(Leg::carrier)
    }

    fn all_legs(&self) -> impl Iterator<Item = &Leg> {
        let countries = self.countries.values().flat_map(CountryRule::own);
        self.legs.iter().chain(countries)
    }

    /// Lists the vendors that make codes of their own.
    pub(crate) fn managers(&self) -> impl Iterator<Item = &Arc<dyn VerificationProvider>> {
        self.all_legs().filter_map(Leg::verifier)
    }

    /// Lists those vendors' names, with the shapes of their codes.
    pub(crate) fn managed_formats(&self) -> impl Iterator<Item = (&str, CodeFormat)> {
        let managers = self.managers();
        managers.map(|provider| (provider.name(), provider.format()))
    }

    /// Gives the shape that the codes of its challenges have, where a vendor makes them.
    pub(crate) fn managed_format(&self) -> Option<CodeFormat> {
        self.managers().next().map(|provider| provider.format())
    }

    /// Says whether the route can serve a channel.
    ///
    /// # Errors
    /// [`InvalidRoute`] where a provider does not serve the channel, or a country's rule names a
    /// provider that the route does not have, or one twice.
    pub fn check(&self, channel: Channel) -> Result<(), InvalidRoute> {
        let stranger = self
            .all_legs()
            .find(|leg| !leg.vendor.channels().contains(&channel));
        if let Some(leg) = stranger {
            return Err(InvalidRoute::Provider {
                provider: leg.name().to_owned(),
                channel,
            });
        }
        for (country, rule) in &self.countries {
            let unknown = rule.names().find(|name| self.leg(name).is_none());
            if let Some(provider) = unknown {
                return Err(InvalidRoute::UnknownProvider {
                    provider: provider.to_owned(),
                    country: *country,
                });
            }
            if let Some(provider) = rule.repeated() {
                return Err(InvalidRoute::Repeated {
                    provider: provider.to_owned(),
                    country: *country,
                });
            }
        }
        Ok(())
    }

    pub(crate) fn start(&self) -> Switch {
        self.start
    }

    pub(crate) fn receipt_time(&self) -> Option<Duration> {
        self.receipt_within
    }

    pub(crate) fn total_deadline(&self) -> Duration {
        self.deadline
    }

    fn rules(&self, channel: Channel) -> BreakerRules {
        let default = match channel {
            Channel::Email => EMAIL_THRESHOLD,
            _ => THRESHOLD,
        };
        BreakerRules::new(self.threshold.unwrap_or(default)).with_rest(self.rest)
    }

    fn leg(&self, name: &str) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.name() == name)
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
