use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use thiserror::Error;

use super::{Route, Switch};
use crate::delivery::DeliveryProvider;

/// The providers that a configuration may name.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    by_name: BTreeMap<String, Arc<dyn DeliveryProvider>>,
}

impl Providers {
    /// Starts without any.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a provider under its own name; a second one of the name replaces the first.
    #[must_use]
    pub fn with(self, provider: impl DeliveryProvider) -> Self {
        self.with_shared(Arc::new(provider))
    }

    /// Adds a provider that the host keeps a handle on.
    #[must_use]
    pub fn with_shared(mut self, provider: Arc<dyn DeliveryProvider>) -> Self {
        self.by_name.insert(provider.name().to_owned(), provider);
        self
    }

    /// Finds a provider.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<dyn DeliveryProvider>> {
        self.by_name.get(name)
    }
}

/// A route as a configuration file writes it: `primary_provider`, `backup_provider`,
/// `failover_threshold`, `enabled`. How the file is read is the host's.
///
/// # Examples
/// ```
/// # #[cfg(feature = "testing")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::Outbox;
/// # let (twilio, plivo) = (Outbox::named("twilio"), Outbox::named("plivo"));
/// use otp_core::delivery::{Providers, RoutePlan, Switch};
///
/// let providers = Providers::new().with(twilio).with(plivo);
/// let sms = RoutePlan {
///     primary: "twilio".to_owned(),
///     backups: vec!["plivo".to_owned()],
///     failover_threshold: Some(5),
///     enabled: Switch::from(true),
/// };
/// let route = sms.route(&providers)?;
/// assert_eq!(route.providers().count(), 2);
/// # Ok(()) }
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePlan {
    /// The provider that is tried first.
    pub primary: String,
    /// Those that are tried after it, in order.
    pub backups: Vec<String>,
    /// The failures in a row that have a provider passed over; `None` for the channel's default.
    pub failover_threshold: Option<u32>,
    /// Whether the channel is on.
    pub enabled: Switch,
}

/// Says why a plan is no route.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPlan {
    /// No provider has the name.
    #[error("no provider is named {0}")]
    UnknownProvider(String),
    /// A provider is named twice: a backup that is the primary is no backup.
    #[error("provider {0} is named twice")]
    Repeated(String),
    /// The threshold is zero.
    #[error("a failover threshold is one failure or more")]
    Threshold,
}

impl RoutePlan {
    /// Plans a route with one provider, the channel's default threshold, switched on.
    #[must_use]
    pub fn of(primary: &str) -> Self {
        Self {
            primary: primary.to_owned(),
            backups: Vec::new(),
            failover_threshold: None,
            enabled: Switch::On,
        }
    }

    /// Builds the route; what a plan does not say is the route's default.
    ///
    /// # Errors
    /// [`InvalidPlan`] where it names nobody, somebody twice, or a threshold of zero.
    pub fn route(&self, providers: &Providers) -> Result<Route, InvalidPlan> {
        let mut seen = vec![self.primary.as_str()];
        let mut route = Route::shared(find(providers, &self.primary)?);
        for backup in &self.backups {
            if seen.contains(&backup.as_str()) {
                return Err(InvalidPlan::Repeated(backup.clone()));
            }
            seen.push(backup);
            route = route.shared_backup(find(providers, backup)?);
        }
        if let Some(threshold) = self.failover_threshold {
            let threshold = NonZeroU32::new(threshold).ok_or(InvalidPlan::Threshold)?;
            route = route.failover_threshold(threshold);
        }
        Ok(route.starts(self.enabled))
    }
}

fn find(providers: &Providers, name: &str) -> Result<Arc<dyn DeliveryProvider>, InvalidPlan> {
    let found = providers.find(name).map(Arc::clone);
    found.ok_or_else(|| InvalidPlan::UnknownProvider(name.to_owned()))
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::testing::Outbox;

    fn providers() -> Providers {
        Providers::new()
            .with(Outbox::named("twilio"))
            .with(Outbox::named("plivo"))
    }

    #[test]
    fn a_plan_names_its_providers_in_order_and_keeps_its_threshold_and_switch() {
        let plan = RoutePlan {
            primary: "plivo".to_owned(),
            backups: vec!["twilio".to_owned()],
            failover_threshold: Some(2),
            enabled: Switch::Off,
        };
        let route = plan.route(&providers()).expect("a route");
        let names: Vec<_> = route.providers().map(|p| p.name().to_owned()).collect();
        assert_eq!(names, ["plivo", "twilio"]);
        assert_eq!(route.start(), Switch::Off);
        assert_eq!(route.threshold, NonZeroU32::new(2));
    }

    #[test]
    fn a_plan_that_cannot_be_says_why() {
        let refused = |plan: RoutePlan| plan.route(&providers()).expect_err("refused");
        let nobody = RoutePlan::of("nobody");
        assert_eq!(
            refused(nobody),
            InvalidPlan::UnknownProvider("nobody".to_owned())
        );
        let twice = RoutePlan {
            backups: vec!["twilio".to_owned()],
            ..RoutePlan::of("twilio")
        };
        assert_eq!(refused(twice), InvalidPlan::Repeated("twilio".to_owned()));
        let never = RoutePlan {
            failover_threshold: Some(0),
            ..RoutePlan::of("twilio")
        };
        assert_eq!(refused(never), InvalidPlan::Threshold);
    }
}
