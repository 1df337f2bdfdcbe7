use std::sync::Arc;

use crate::challenge::{CodeFormat, TypedShape};
use crate::delivery::health::LegHealth;
use crate::delivery::{
    DeliveryProvider, Message, Price, Prices, SenderId, TemplateId, VerificationProvider,
};
use crate::destination::{Channel, Region};

/// One provider of a route, with its record.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) vendor: Vendor,
    pub(super) health: LegHealth,
}

/// What a leg asks for: to carry our code, or to make and check one of its own.
#[derive(Clone, Debug)]
pub(super) enum Vendor {
    Carries(Arc<dyn DeliveryProvider>),
    Verifies(Arc<dyn VerificationProvider>),
}

impl Vendor {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Carries(provider) => provider.name(),
            Self::Verifies(provider) => provider.name(),
        }
    }

    pub(super) fn channels(&self) -> &[Channel] {
        match self {
            Self::Carries(provider) => provider.channels(),
            Self::Verifies(provider) => provider.channels(),
        }
    }

    /// Gives the shape of the codes that it makes; `None` where it makes none.
    pub(super) fn format(&self) -> Option<CodeFormat> {
        match self {
            Self::Carries(_) => None,
            Self::Verifies(provider) => Some(provider.format()),
        }
    }
}

impl Leg {
    pub(super) fn new(provider: Arc<dyn DeliveryProvider>) -> Self {
        Self::of(Vendor::Carries(provider))
    }

    pub(super) fn managed(provider: Arc<dyn VerificationProvider>) -> Self {
        Self::of(Vendor::Verifies(provider))
    }

    fn of(vendor: Vendor) -> Self {
        Self {
            vendor,
            health: LegHealth::default(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.vendor.name()
    }

    pub(super) fn carrier(&self) -> Option<&dyn DeliveryProvider> {
        match &self.vendor {
            Vendor::Carries(provider) => Some(provider.as_ref()),
            Vendor::Verifies(_) => None,
        }
    }

    pub(super) fn verifier(&self) -> Option<&Arc<dyn VerificationProvider>> {
        match &self.vendor {
            Vendor::Carries(_) => None,
            Vendor::Verifies(provider) => Some(provider),
        }
    }
}

/// A provider as one message meets it: the record is that of the route, or of its country's rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'a> {
    pub(super) vendor: &'a Vendor,
    pub(super) health: &'a LegHealth,
    pub(super) sender: Option<&'a SenderId>,
    pub(super) template: Option<&'a TemplateId>,
}

impl<'a> Choice<'a> {
    pub(super) fn of(leg: &'a Leg) -> Self {
        Self {
            vendor: &leg.vendor,
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
                .of(self.vendor.name(), country)
                .is_some_and(|price| price <= ceiling)
        })
    }

    /// Says whether the codes of the message's challenge are ones that the vendor could have made.
    /// A challenge keeps the shape of its codes, and refuses typed text of any other.
    pub(super) fn suits(&self, message: &Message) -> bool {
        self.vendor.format().is_none_or(|format| {
            TypedShape::of(message.code().expose()).is_some_and(|shape| shape.fits(format))
        })
    }
}
