use std::collections::BTreeMap;
use std::sync::Arc;

use super::Route;
use super::leg::{Choice, Leg};
use crate::delivery::health::LegHealth;
use crate::delivery::{DeliveryProvider, Price, SenderId, TemplateId};

/// What is different for the numbers of one country.
///
/// A rule that names providers replaces the route's order there, and its breakers are of that
/// country alone: a carrier that drops one country's messages does not take the provider away from
/// the others. A rule that names none keeps the route's providers with their own breakers.
#[derive(Clone, Debug, Default)]
pub struct CountryRule {
    order: Vec<Via>,
    sender: Option<SenderId>,
    senders: BTreeMap<String, SenderId>,
    template: Option<TemplateId>,
    max_price: Option<Price>,
}

#[derive(Clone, Debug)]
enum Via {
    /// One of the route's providers, by its name.
    Named(String, LegHealth),
    /// One that serves this country only.
    Own(Leg),
}

impl CountryRule {
    /// Starts with nothing different.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one of the route's providers, by its name. The first one added is tried first, and
    /// those that are not added are not tried.
    #[must_use]
    pub fn via(mut self, provider: &str) -> Self {
        let via = Via::Named(provider.to_owned(), LegHealth::default());
        self.order.push(via);
        self
    }

    /// Adds a provider that serves this country only.
    #[must_use]
    pub fn via_own(mut self, provider: impl DeliveryProvider) -> Self {
        self.order.push(Via::Own(Leg::new(Arc::new(provider))));
        self
    }

    /// Sets the sender for every provider that has none of its own here.
    #[must_use]
    pub fn sender(mut self, sender: SenderId) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Sets the sender for one provider: numbers belong to their vendor.
    #[must_use]
    pub fn sender_at(mut self, provider: &str, sender: SenderId) -> Self {
        self.senders.insert(provider.to_owned(), sender);
        self
    }

    /// Sets the template that providers are asked to use.
    #[must_use]
    pub fn template(mut self, template: TemplateId) -> Self {
        self.template = Some(template);
        self
    }

    /// Sets the most that a message may cost here, in place of the route's ceiling.
    #[must_use]
    pub fn max_price(mut self, ceiling: Price) -> Self {
        self.max_price = Some(ceiling);
        self
    }

    pub(super) fn ceiling(&self) -> Option<Price> {
        self.max_price
    }

    /// Lists the providers that the rule names, of the route's.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let ordered = self.order.iter().filter_map(|via| match via {
            Via::Named(name, _) => Some(name.as_str()),
            Via::Own(_) => None,
        });
        let own = |name: &&str| self.own().any(|leg| leg.name() == *name);
        let senders = self.senders.keys().map(String::as_str);
        ordered.chain(senders.filter(move |name| !own(name)))
    }

    /// Finds a provider that the order names twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        let mut seen = Vec::new();
        let mut names = self.order.iter().map(|via| match via {
            Via::Named(name, _) => name.as_str(),
            Via::Own(leg) => leg.name(),
        });
        names.find(|name| {
            let again = seen.contains(name);
            seen.push(name);
            again
        })
    }

    /// Lists the providers that serve this country only.
    pub(super) fn own(&self) -> impl Iterator<Item = &Leg> {
        self.order.iter().filter_map(|via| match via {
            Via::Own(leg) => Some(leg),
            Via::Named(..) => None,
        })
    }

    /// Lists the providers in the order in which a message of this country meets them.
    pub(super) fn choices<'a>(&'a self, route: &'a Route) -> Vec<Choice<'a>> {
        let plain: Vec<Choice<'a>> = if self.order.is_empty() {
            route.legs.iter().map(Choice::of).collect()
        } else {
            self.records(route).collect()
        };
        let dressed = plain.into_iter().map(|choice| Choice {
            sender: self
                .senders
                .get(choice.vendor.name())
                .or(self.sender.as_ref()),
            template: self.template.as_ref(),
            ..choice
        });
        dressed.collect()
    }

    /// Lists the providers whose record is of this country.
    pub(super) fn records<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = Choice<'a>> {
        self.order.iter().filter_map(|via| match via {
            Via::Own(leg) => Some(Choice::of(leg)),
            Via::Named(name, health) => route.leg(name).map(|leg| Choice {
                health,
                ..Choice::of(leg)
            }),
        })
    }
}
