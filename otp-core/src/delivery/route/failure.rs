use thiserror::Error;

use crate::delivery::{DeliveryError, DeliveryErrorKind, DispatchCertainty};
use crate::destination::{Channel, Region};

/// Says why a route cannot serve its channel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRoute {
    /// A provider does not serve the channel.
    #[error("provider {provider} does not serve {}", channel.name())]
    Provider {
        /// The provider.
        provider: String,
        /// The channel.
        channel: Channel,
    },
    /// A country's rule names a provider that the route does not have.
    #[error("the rule for {country} names {provider}, which the route does not have")]
    UnknownProvider {
        /// The name.
        provider: String,
        /// The country.
        country: Region,
    },
    /// A country's rule names a provider twice: one that failed is no backup of itself.
    #[error("the rule for {country} names {provider} twice")]
    Repeated {
        /// The name.
        provider: String,
        /// The country.
        country: Region,
    },
    /// A vendor makes codes that are easier to guess than the policy's level allows.
    #[error("codes that {provider} makes are easier to guess than the declared level allows")]
    EasyCodes {
        /// The vendor.
        provider: String,
    },
}

/// No provider of the route accepted the message.
#[derive(Debug)]
pub struct RouteFailure {
    errors: Vec<DeliveryError>,
    reason: Option<&'static str>,
}

impl RouteFailure {
    pub(super) fn of(errors: Vec<DeliveryError>) -> Self {
        Self {
            errors,
            reason: None,
        }
    }

    /// The message could not be put into words, so nobody was asked to send it.
    pub(crate) fn of_catalogue() -> Self {
        let error = DeliveryError::new(DeliveryErrorKind::Invalid, "catalogue").not_sent();
        Self::of(vec![error])
    }

    /// Everybody who could have sent it costs too much.
    pub(super) fn of_ceiling() -> Self {
        let error = DeliveryError::new(DeliveryErrorKind::Protected, "route")
            .with_code("cost_ceiling")
            .not_sent();
        Self {
            errors: vec![error],
            reason: Some("cost_ceiling"),
        }
    }

    /// Everybody who could have sent it makes codes of another shape than the challenge has.
    pub(super) fn of_shape() -> Self {
        let error = DeliveryError::new(DeliveryErrorKind::Invalid, "route").with_code("code_shape");
        Self::of(vec![error.not_sent()])
    }

    /// A vendor sent a code of its own, and that could not be written down.
    pub(crate) fn of_record(provider: &str) -> Self {
        let error = DeliveryError::new(DeliveryErrorKind::Unavailable, provider);
        Self::of(vec![error.with_code("not_recorded").maybe_sent()])
    }

    /// Nobody knows what came of it: the task that sent it ended without an answer.
    pub(crate) fn of_task() -> Self {
        let error = DeliveryError::new(DeliveryErrorKind::Unavailable, "route");
        Self::of(vec![error.with_code("cut_off").maybe_sent()])
    }

    /// Adds what came before on other channels.
    pub(crate) fn after(mut self, mut earlier: Vec<DeliveryError>) -> Self {
        earlier.append(&mut self.errors);
        self.errors = earlier;
        self
    }

    pub(crate) fn into_errors(self) -> Vec<DeliveryError> {
        self.errors
    }

    /// Says whether the message may reach the person all the same.
    #[must_use]
    pub fn certainty(&self) -> DispatchCertainty {
        let unknown = self
            .errors
            .iter()
            .any(|error| error.certainty() == DispatchCertainty::Unknown);
        if unknown {
            DispatchCertainty::Unknown
        } else {
            DispatchCertainty::NotSent
        }
    }

    /// Says whether it forbids trying another way: the refusal was a protection.
    #[must_use]
    pub fn is_protective(&self) -> bool {
        self.errors.iter().any(|error| error.kind().ends_route())
    }

    /// Gives what each provider answered, in the order in which they were tried.
    #[must_use]
    pub fn errors(&self) -> &[DeliveryError] {
        &self.errors
    }

    /// Gives the kind that ended the route.
    #[must_use]
    pub fn kind(&self) -> DeliveryErrorKind {
        self.errors
            .last()
            .map_or(DeliveryErrorKind::Unavailable, DeliveryError::kind)
    }

    /// Names what ended the route, for events: the kind, or `cost_ceiling`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason.unwrap_or_else(|| self.kind().name())
    }
}
