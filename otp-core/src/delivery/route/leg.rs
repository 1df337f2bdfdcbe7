use std::sync::Arc;

use crate::delivery::health::LegHealth;
use crate::delivery::{DeliveryProvider, Price, Prices, SenderId, TemplateId};
use crate::destination::Region;

/// One provider of a route, with its record.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    provider: Arc<dyn DeliveryProvider>,
    pub(super) health: LegHealth,
}

impl Leg {
    pub(super) fn new(provider: Arc<dyn DeliveryProvider>) -> Self {
        Self {
            provider,
            health: LegHealth::default(),
        }
    }

    pub(super) fn provider(&self) -> &dyn DeliveryProvider {
        self.provider.as_ref()
    }
}

/// A provider as one message meets it: the record is that of the route, or of its country's rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub(super) provider: &'a dyn DeliveryProvider,
    pub(super) health: &'a LegHealth,
    pub(super) sender: Option<&'a SenderId>,
    pub(super) template: Option<&'a TemplateId>,
}

impl<'a> Choice<'a> {
    pub(super) fn of(leg: &'a Leg) -> Self {
        Self {
            provider: leg.provider(),
            health: &leg.health,
            sender: None,
            template: None,
        }
    }

    /// Says whether a ceiling lets the provider be asked. What it costs must be known.
    pub(super) fn is_within(
        &self,
        ceiling: Option<Price>,
        prices: &Prices,
        country: Option<Region>,
    ) -> bool {
        ceiling.is_none_or(|ceiling| {
            prices
                .of(self.provider.name(), country)
                .is_some_and(|price| price <= ceiling)
        })
    }
}
