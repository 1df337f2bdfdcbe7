//! The routes and the order of channels that a policy of the fleet plans, in the place of those that
//! the verifier was built with.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::{Entry, RouteTable};
use crate::delivery::{InvalidPlan, InvalidRoute, Route, RoutePlan};
use crate::destination::Channel;
use crate::policy::PolicyFile;

/// A plan that no route of this verifier can be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("delivery.{0}")]
pub struct RefusedPlan(Why);

#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Why {
    #[error("{}: {_1}", _0.name())]
    Plan(Channel, InvalidPlan),
    #[error("{}: {_1}", _0.name())]
    Route(Channel, InvalidRoute),
    #[error("channel_order: no route for {}", _0.name())]
    Order(Channel),
}

/// What was planned and can be taken.
pub(in crate::verifier) struct Planned {
    routes: BTreeMap<Channel, (RoutePlan, Arc<Route>)>,
    order: Option<Vec<Channel>>,
}

impl RouteTable {
    /// Builds what a policy plans, of the providers that it may name. Nothing changes.
    pub(in crate::verifier) fn plan(&self, file: &PolicyFile) -> Result<Planned, RefusedPlan> {
        let build = |(channel, plan): (&Channel, &RoutePlan)| {
            let route = plan.route(&self.providers);
            let route = route.map_err(|error| RefusedPlan(Why::Plan(*channel, error)))?;
            let checked = route.check(*channel);
            checked.map_err(|error| RefusedPlan(Why::Route(*channel, error)))?;
            Ok((*channel, (plan.clone(), Arc::new(route))))
        };
        let routes: BTreeMap<_, _> = file.routes.iter().map(build).collect::<Result<_, _>>()?;
        let table = self.read();
        let is_built = |channel: &Channel| {
            let entry = table.entries.get(channel.name());
            entry.is_some_and(|entry| entry.built.is_some())
        };
        let mut order = file.channel_order.iter().flatten();
        match order.find(|channel| !routes.contains_key(channel) && !is_built(channel)) {
            Some(channel) => Err(RefusedPlan(Why::Order(*channel))),
            None => Ok(Planned {
                routes,
                order: file.channel_order.clone(),
            }),
        }
    }

    /// Takes planned routes. A channel that is planned as before keeps its route, with what is known
    /// of its providers; one that is planned no more gets the route back that it was built with, and
    /// so does the order.
    pub(in crate::verifier) fn follow(&self, planned: Planned) {
        let mut table = self.write();
        table.order.planned = planned.order;
        table.entries.retain(|_, entry| {
            let is_planned = planned.routes.contains_key(&entry.channel);
            if entry.plan.is_some() && !is_planned {
                entry.plan = None;
                match &entry.built {
                    Some(built) => entry.route = Arc::clone(built),
                    None => return false,
                }
                said(entry.channel);
            }
            true
        });
        for (channel, (plan, route)) in planned.routes {
            let switch = route.start();
            let entry = table
                .entries
                .entry(channel.name())
                .or_insert_with(|| Entry {
                    channel,
                    route: Arc::clone(&route),
                    built: None,
                    plan: None,
                    switch,
                });
            if entry.plan.as_ref() != Some(&plan) {
                entry.route = route;
                entry.plan = Some(plan);
                said(channel);
            }
        }
    }

    /// Gives the plans that are followed.
    pub(in crate::verifier) fn plans(&self) -> BTreeMap<Channel, RoutePlan> {
        let table = self.read();
        let entries = table.entries.values();
        let plans = entries.filter_map(|entry| Some((entry.channel, entry.plan.clone()?)));
        plans.collect()
    }

    /// Gives the order that is planned.
    pub(in crate::verifier) fn planned_order(&self) -> Option<Vec<Channel>> {
        self.read().order.planned.clone()
    }
}

fn said(channel: Channel) {
    tracing::info!(
        target: "otp_kit",
        channel = channel.name(),
        "a route was replaced, as the policy of the fleet says"
    );
}
