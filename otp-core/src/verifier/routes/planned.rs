//! The routes that a policy of the fleet plans, in the place of those that the verifier was built
//! with.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::{Entry, RouteTable};
use crate::delivery::{InvalidPlan, InvalidRoute, Route, RoutePlan};
use crate::destination::Channel;

/// A plan that no route of this verifier can be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("delivery.{}: {why}", .channel.name())]
pub struct RefusedPlan {
    channel: Channel,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Why {
    #[error(transparent)]
    Plan(InvalidPlan),
    #[error(transparent)]
    Route(InvalidRoute),
}

/// Routes that were planned and can be taken.
pub(in crate::verifier) struct Planned(BTreeMap<Channel, (RoutePlan, Arc<Route>)>);

impl RouteTable {
    /// Builds what a policy plans, of the providers that it may name. Nothing changes.
    pub(in crate::verifier) fn plan(
        &self,
        plans: &BTreeMap<Channel, RoutePlan>,
    ) -> Result<Planned, RefusedPlan> {
        let build = |(channel, plan): (&Channel, &RoutePlan)| {
            let refused = |why| RefusedPlan {
                channel: *channel,
                why,
            };
            let route = plan.route(&self.providers);
            let route = route.map_err(|error| refused(Why::Plan(error)))?;
            let checked = route.check(*channel);
            checked.map_err(|error| refused(Why::Route(error)))?;
            Ok((*channel, (plan.clone(), Arc::new(route))))
        };
        plans
            .iter()
            .map(build)
            .collect::<Result<_, _>>()
            .map(Planned)
    }

    /// Takes planned routes. A channel that is planned as before keeps its route, with what is known
    /// of its providers; one that is planned no more gets the route back that it was built with.
    pub(in crate::verifier) fn follow(&self, planned: Planned) {
        let mut table = self.write();
        table.entries.retain(|_, entry| {
            let is_planned = planned.0.contains_key(&entry.channel);
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
        for (channel, (plan, route)) in planned.0 {
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
}

fn said(channel: Channel) {
    tracing::info!(
        target: "otp_kit",
        channel = channel.name(),
        "a route was replaced, as the policy of the fleet says"
    );
}
