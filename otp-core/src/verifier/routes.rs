//! The routes of a verifier, switched and replaced while it runs.

#[cfg(feature = "policy-file")]
mod planned;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use thiserror::Error;

use super::Verifier;
use super::templates::TemplateChange;
use crate::delivery::{
    InvalidRoute, ProviderHealth, Providers, Route, RouteHealth, RoutePlan, Switch,
    TemplateApproval, TemplateState, ToldBoard, VendorNotice, VendorState, VerificationProvider,
};
use crate::destination::Channel;
use crate::policy::{Policy, PolicyError};

#[cfg(feature = "policy-file")]
pub(super) use planned::Planned;
#[cfg(feature = "policy-file")]
pub use planned::RefusedPlan;

/// The routes and the order of channels, behind one lock that is never held over a send.
#[derive(Debug)]
pub(super) struct RouteTable {
    table: RwLock<Table>,
    /// Those that a policy of the fleet may name.
    #[cfg_attr(
        not(feature = "policy-file"),
        expect(dead_code, reason = "policies name them")
    )]
    providers: Providers,
}

#[derive(Debug)]
struct Table {
    entries: BTreeMap<&'static str, Entry>,
    order: Order,
    approvals: BTreeMap<&'static str, (Channel, TemplateApproval)>,
    /// The revision of what the fleet was told of templates.
    told: u64,
    notices: BTreeMap<String, VendorNotice>,
}

/// Which channel follows which: as the host says, or as the policy of the fleet plans it.
#[derive(Debug)]
struct Order {
    built: Vec<Channel>,
    planned: Option<Vec<Channel>>,
}

impl Order {
    fn in_force(&self) -> &[Channel] {
        self.planned.as_deref().unwrap_or(&self.built)
    }
}

#[derive(Debug)]
struct Entry {
    channel: Channel,
    route: Arc<Route>,
    /// The host's own route, which a plan may stand in the place of; `None` where only a plan has one.
    built: Option<Arc<Route>>,
    plan: Option<RoutePlan>,
    switch: Switch,
}

impl Entry {
    /// Lists the vendors of this channel that make codes of their own, those included that a plan
    /// stands before: what they have sent is checked there.
    fn managers(&self) -> impl Iterator<Item = &Arc<dyn VerificationProvider>> {
        let aside = self.built.iter().filter(|_| self.plan.is_some());
        self.route
            .managers()
            .chain(aside.flat_map(|built| built.managers()))
    }
}

/// A channel that a message may go over, with its route as it was when the request began.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) channel: Channel,
    pub(super) route: Arc<Route>,
}

/// Where a message's order of channels begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// At this channel, which the request names.
    At(Channel),
    /// At the first channel of the order; where the order has none that reaches the person, this.
    First(Channel),
}

impl RouteTable {
    pub(super) fn new(
        routes: impl IntoIterator<Item = (Channel, Route)>,
        order: Vec<Channel>,
        approvals: BTreeMap<&'static str, (Channel, TemplateApproval)>,
        providers: Providers,
    ) -> Self {
        let entries = routes.into_iter().map(|(channel, route)| {
            let switch = route.start();
            let route = Arc::new(route);
            let entry = Entry {
                channel,
                switch,
                built: Some(Arc::clone(&route)),
                route,
                plan: None,
            };
            (channel.name(), entry)
        });
        let table = RwLock::new(Table {
            entries: entries.collect(),
            order: Order {
                built: order,
                planned: None,
            },
            approvals,
            told: 0,
            notices: BTreeMap::new(),
        });
        Self { table, providers }
    }

    /// Lists the channels that a message goes over, the next one where the one before surely sent
    /// nothing: those of the order from where it starts, that are on and reach the person.
    pub(super) fn ways(&self, start: Start, reaches: impl Fn(Channel) -> bool) -> Vec<Way> {
        let table = self.read();
        let way = |channel: &Channel| {
            let entry = table.entries.get(channel.name())?;
            let open = table.switch_of(entry) == Switch::On && reaches(*channel);
            open.then(|| Way {
                channel: *channel,
                route: Arc::clone(&entry.route),
            })
        };
        let (Start::At(channel) | Start::First(channel)) = start;
        let order = table.order.in_force();
        let begin = match start {
            Start::First(_) => Some(0),
            Start::At(channel) => order.iter().position(|other| *other == channel),
        };
        let ordered = begin.and_then(|begin| order.get(begin..));
        let ways: Vec<Way> = ordered.unwrap_or_default().iter().filter_map(way).collect();
        if ways.is_empty() && !order.contains(&channel) {
            return way(&channel).into_iter().collect();
        }
        ways
    }

    /// Finds a vendor that makes codes of its own, in the routes of channels that are on or off:
    /// what it has sent is checked there whatever was switched since.
    pub(super) fn manager(&self, name: &str) -> Option<Arc<dyn VerificationProvider>> {
        let table = self.read();
        let mut managers = table.entries.values().flat_map(Entry::managers);
        managers.find(|provider| provider.name() == name).cloned()
    }

    /// Says whether any vendor makes codes of its own.
    pub(super) fn has_managers(&self) -> bool {
        let table = self.read();
        let mut entries = table.entries.values();
        entries.any(|entry| entry.managers().next().is_some())
    }

    /// Checks that the codes of every vendor that makes them reach the level of a policy.
    pub(super) fn reach(&self, policy: &Policy) -> Result<(), PolicyError> {
        let table = self.read();
        let mut managers = table.entries.values().flat_map(Entry::managers);
        managers.try_for_each(|one| policy.lets_codes_of(one.name(), one.format()))
    }

    pub(super) fn is_on(&self, channel: Channel) -> bool {
        let table = self.read();
        let entry = table.entries.get(channel.name());
        entry.is_some_and(|entry| table.switch_of(entry) == Switch::On)
    }

    /// Gives what is known of the templates of channels that have one.
    pub(super) fn approvals(&self) -> Vec<(Channel, TemplateApproval)> {
        self.read().approvals.values().cloned().collect()
    }

    /// Finds what is known of a channel's template.
    pub(super) fn approval(&self, channel: Channel) -> Option<TemplateApproval> {
        let table = self.read();
        let approval = table.approvals.get(channel.name());
        approval.map(|(_, approval)| approval.clone())
    }

    /// Takes over what the fleet was told of templates; gives what changed by it.
    pub(super) fn believe(&self, revision: u64, board: &ToldBoard) -> Vec<TemplateChange> {
        let mut table = self.write();
        table.told = revision;
        let mut changed = Vec::new();
        for (channel, approval) in table.approvals.values_mut() {
            let before = approval.state();
            approval.believe(board.of(*channel, approval.template().as_str()));
            let now = approval.state();
            if before != now {
                changed.push(TemplateChange {
                    channel: *channel,
                    before,
                    now,
                });
            }
        }
        changed
    }

    /// Gives the revision of what the fleet was told of templates, where any is minded here.
    pub(super) fn told(&self) -> Option<u64> {
        let table = self.read();
        (!table.approvals.is_empty()).then_some(table.told)
    }

    /// Gives the longest time that a message may take on its way out.
    pub(super) fn slowest(&self) -> Duration {
        let table = self.read();
        let deadlines = table.entries.values();
        let deadlines = deadlines.map(|entry| entry.route.total_deadline());
        deadlines.max().unwrap_or_default()
    }

    /// Gives the longest time that a route waits for receipts; `None` where none does.
    pub(super) fn receipt_within(&self) -> Option<Duration> {
        let table = self.read();
        let times = table.entries.values();
        times.filter_map(|entry| entry.route.receipt_time()).max()
    }

    pub(super) fn health(&self) -> Vec<(Channel, RouteHealth)> {
        let table = self.read();
        let entries = table.entries.values();
        entries
            .map(|entry| (entry.channel, table.health(entry)))
            .collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Says whether a channel takes messages: it is switched on, and where it needs a template,
    /// that is approved.
    fn switch_of(&self, entry: &Entry) -> Switch {
        match self.approvals.get(entry.channel.name()) {
            Some((_, approval)) if approval.state() != TemplateState::Approved => Switch::Off,
            _ => entry.switch,
        }
    }

    fn health(&self, entry: &Entry) -> RouteHealth {
        match self.switch_of(entry) {
            Switch::On => entry.route.health(),
            Switch::Off => RouteHealth::Off,
        }
    }
}

/// How a channel's route is doing. For operators: it names the providers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteStatus {
    /// The channel.
    pub channel: Channel,
    /// How the operator switched it.
    pub switch: Switch,
    /// The sum of it.
    pub health: RouteHealth,
    /// Each provider: its breaker, its counts, its last error.
    pub providers: Vec<ProviderHealth>,
}

/// The channel has no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no route for {}", .0.name())]
pub struct NoSuchRoute(pub Channel);

/// No route has a provider of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no route has a provider of this name")]
pub struct NoSuchProvider;

/// The routes of a running [`Verifier`]: what is changed here holds for the next message, on this
/// instance. Messages under way end as they began.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let (twilio, plivo) = (Outbox::named("twilio"), Outbox::named("plivo"));
/// use otp_core::delivery::RouteHealth;
/// use otp_core::prelude::*;
///
/// let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
///     .route(Channel::Sms, Route::primary(twilio))
///     .limits(Limits::recommended())
///     .build()?;
///
/// let routes = verifier.routes();
/// routes.disable(Channel::Sms)?;
/// assert_eq!(routes.status()[0].health, RouteHealth::Off);
/// routes.replace(Channel::Sms, Route::primary(plivo))?;
/// routes.enable(Channel::Sms)?;
/// assert_eq!(routes.status()[0].providers[0].provider, "plivo");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Routes(Verifier);

impl Verifier {
    /// Gives the routes, to look at and to change while the verifier runs.
    #[must_use]
    pub fn routes(&self) -> Routes {
        Routes(self.clone())
    }
}

impl Routes {
    /// Switches a channel off: it takes no message, and a channel after it in the order does.
    ///
    /// # Errors
    /// [`NoSuchRoute`].
    pub fn disable(&self, channel: Channel) -> Result<(), NoSuchRoute> {
        self.switch(channel, Switch::Off)
    }

    /// Switches a channel on.
    ///
    /// # Errors
    /// [`NoSuchRoute`].
    pub fn enable(&self, channel: Channel) -> Result<(), NoSuchRoute> {
        self.switch(channel, Switch::On)
    }

    /// Puts another route in a channel's place, or gives a channel its first. A channel that was
    /// switched off stays off; a new one starts as [`Route::starts`] says. The new route's
    /// breakers and counts begin anew, unless it is a clone of the old one. What the policy of the
    /// fleet plans for the channel gives way to it, until the next policy is published.
    ///
    /// # Errors
    /// [`InvalidRoute`]; then the old one stays.
    pub fn replace(&self, channel: Channel, route: Route) -> Result<(), InvalidRoute> {
        route.check(channel)?;
        let policy = self.0.policy();
        for (provider, format) in route.managed_formats() {
            let easy = |_| InvalidRoute::EasyCodes {
                provider: provider.to_owned(),
            };
            policy.lets_codes_of(provider, format).map_err(easy)?;
        }
        let mut table = self.0.inner.routes.write();
        let entry = table.entries.entry(channel.name());
        let start = route.start();
        let route = Arc::new(route);
        entry
            .and_modify(|entry| {
                entry.route = Arc::clone(&route);
                entry.built = Some(Arc::clone(&route));
                entry.plan = None;
            })
            .or_insert(Entry {
                channel,
                built: Some(Arc::clone(&route)),
                route,
                plan: None,
                switch: start,
            });
        tracing::info!(target: "otp_kit", channel = channel.name(), "a route was replaced");
        Ok(())
    }

    /// Sets the order in which channels follow each other; an empty one keeps every message on its
    /// channel. See
    /// [`VerifierBuilder::channel_order`](super::VerifierBuilder::channel_order). What the policy of
    /// the fleet plans gives way to it, until the next policy is published.
    ///
    /// # Errors
    /// [`NoSuchRoute`] where a channel has no route; then the old order stays.
    pub fn reorder(&self, order: impl IntoIterator<Item = Channel>) -> Result<(), NoSuchRoute> {
        let mut table = self.0.inner.routes.write();
        let mut checked = Vec::new();
        for channel in order {
            if !table.entries.contains_key(channel.name()) {
                return Err(NoSuchRoute(channel));
            }
            if !checked.contains(&channel) {
                checked.push(channel);
            }
        }
        table.order = Order {
            built: checked,
            planned: None,
        };
        Ok(())
    }

    /// Gives the order in which channels follow each other, as it is in force.
    #[must_use]
    pub fn order(&self) -> Vec<Channel> {
        self.0.inner.routes.read().order.in_force().to_vec()
    }

    /// Says how every route is doing, each with its providers, channels in the order of their
    /// names.
    #[must_use]
    pub fn status(&self) -> Vec<RouteStatus> {
        let now = self.0.inner.clock.now();
        let tally = &self.0.inner.receipts;
        let table = self.0.inner.routes.read();
        let told = |mut providers: Vec<ProviderHealth>| {
            for health in &mut providers {
                health.receipts = tally.of(&health.provider);
                health.vendor = table.notices.get(&health.provider).copied();
            }
            providers
        };
        let entries = table.entries.values();
        entries
            .map(|entry| RouteStatus {
                channel: entry.channel,
                switch: entry.switch,
                health: table.health(entry),
                providers: told(entry.route.provider_health(now)),
            })
            .collect()
    }

    /// Takes what a vendor's status page says of it, for the log and for whoever looks at the
    /// [status](Self::status). Nothing is sent another way because of it.
    ///
    /// # Errors
    /// [`NoSuchProvider`] where no route has a provider of this name.
    pub fn vendor_says(&self, provider: &str, state: VendorState) -> Result<(), NoSuchProvider> {
        let now = self.0.inner.clock.now();
        let mut table = self.0.inner.routes.write();
        let routes = table.entries.values();
        let mut providers = routes.flat_map(|entry| entry.route.provider_health(now));
        if !providers.any(|health| health.provider == provider) {
            return Err(NoSuchProvider);
        }
        let notice = VendorNotice::new(state, now);
        let before = table.notices.insert(provider.to_owned(), notice);
        if before.map_or(VendorState::None, |before| before.state) != state {
            tracing::warn!(target: "otp_kit", provider, %state, "a vendor's status page changed");
        }
        Ok(())
    }

    fn switch(&self, channel: Channel, switch: Switch) -> Result<(), NoSuchRoute> {
        let mut table = self.0.inner.routes.write();
        let entry = table.entries.get_mut(channel.name());
        entry.ok_or(NoSuchRoute(channel))?.switch = switch;
        tracing::info!(target: "otp_kit", channel = channel.name(), ?switch, "a channel was switched");
        Ok(())
    }
}
