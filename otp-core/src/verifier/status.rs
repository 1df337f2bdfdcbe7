use super::Verifier;
use crate::delivery::{RouteHealth, TemplateState};
use crate::destination::Channel;
use crate::store::{Condition, Duty, EngineStatus, StoreErrorKind};

/// Whether a part works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// It does.
    Up,
    /// It works, with tighter limits or with a part of it missing, for this reason.
    Degraded(StoreErrorKind),
    /// It does not, for this reason.
    Down(StoreErrorKind),
}

impl Health {
    /// Sums up: nothing is decided where an engine of decisions is down.
    fn of(engines: &[EngineStatus]) -> Self {
        engines
            .iter()
            .map(|engine| match (engine.condition, engine.duty) {
                (Condition::Connected, _) => Self::Up,
                (Condition::Fallback(why), _) => Self::Degraded(why),
                (Condition::Down(why) | Condition::ReadOnly(why), Duty::Audit) => {
                    Self::Degraded(why)
                }
                (Condition::Down(why) | Condition::ReadOnly(why), Duty::Decisions) => {
                    Self::Down(why)
                }
            })
            .max_by_key(|health| match health {
                Self::Up => 0,
                Self::Degraded(_) => 1,
                Self::Down(_) => 2,
            })
            .unwrap_or(Self::Up)
    }
}

/// What works, without a name of a provider, a secret or anybody's data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Whether codes can be issued and verified.
    pub store: Health,
    /// The engines of the store, each with its condition.
    pub engines: Vec<EngineStatus>,
    /// The channels that have a route and are switched on, by name.
    pub channels: Vec<&'static str>,
    /// How each channel that has a route is doing. Which providers that is about,
    /// [`Routes::status`](super::Routes::status) tells the operator.
    pub delivery: Vec<(Channel, RouteHealth)>,
    /// Where the approval of each channel's template stands, of channels that need one.
    pub templates: Vec<(Channel, TemplateState)>,
    /// The version of the policy in force.
    pub policy_version: u64,
    /// The kinds of the overrides in force; [`Policies::overrides`](super::Policies::overrides)
    /// tells the operator whose and why.
    pub overrides: Vec<&'static str>,
}

impl Verifier {
    /// Asks the parts how they are. It never fails: what is wrong is in the answer.
    pub async fn status(&self) -> Status {
        let engines = self.inner.store.status().await;
        let approvals = self.inner.routes.approvals().into_iter();
        let templates = approvals
            .map(|(channel, approval)| (channel, approval.state()))
            .collect();
        let policy = self.policies().status();
        let channels = policy.policy.channels();
        let mut delivery = self.inner.routes.health();
        for (channel, health) in &mut delivery {
            if !channels.is_on(*channel) {
                *health = RouteHealth::Off;
            }
        }
        let on = delivery
            .iter()
            .filter(|(_, health)| *health != RouteHealth::Off);
        Status {
            store: Health::of(&engines),
            engines,
            channels: on.map(|(channel, _)| channel.name()).collect(),
            delivery,
            templates,
            policy_version: policy.version,
            overrides: policy
                .overrides
                .iter()
                .map(|one| one.exception().name())
                .collect(),
        }
    }
}
