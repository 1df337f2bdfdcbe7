use super::Route;
use super::leg::Choice;
use crate::breaker::BreakerState;
use crate::clock::Timestamp;
use crate::delivery::ProviderHealth;

/// How a channel is doing, without a name of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouteHealth {
    /// The first provider takes messages.
    Up,
    /// A backup does.
    Degraded,
    /// None does; each message is tried all the same.
    Down,
    /// An operator switched the channel off, or its template is not approved.
    Off,
}

impl RouteHealth {
    /// Every health.
    pub const ALL: [Self; 4] = [Self::Up, Self::Degraded, Self::Down, Self::Off];

    /// Names the health for views and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Off => "off",
        }
    }
}

impl Route {
    /// Sums up how the route's own providers are doing.
    #[must_use]
    pub fn health(&self) -> RouteHealth {
        let mut closed = self
            .legs
            .iter()
            .map(|leg| leg.health.breaker.state() == BreakerState::Closed);
        match (closed.next(), closed.any(|closed| closed)) {
            (Some(true), _) => RouteHealth::Up,
            (_, true) => RouteHealth::Degraded,
            _ => RouteHealth::Down,
        }
    }

    /// Says how each provider is doing, those with a record of their own in a country last. It
    /// names them: for operators.
    #[must_use]
    pub fn provider_health(&self, now: Timestamp) -> Vec<ProviderHealth> {
        let own = self.legs.iter().map(|leg| (None, Choice::of(leg)));
        let countries = self.countries.iter().flat_map(|(country, rule)| {
            rule.records(self)
                .map(move |choice| (Some(*country), choice))
        });
        own.chain(countries)
            .map(|(country, choice)| choice.health.read(choice.vendor.name(), country, now))
            .collect()
    }
}
