//! How the parts stand: engines, channels with their providers, templates, overrides, limits.

use otp_core::breaker::BreakerState;
use otp_core::clock::Timestamp;
use otp_core::delivery::{ProviderHealth, RouteHealth, TemplateState, VendorState};
use otp_core::policy::{Exception, Override, ScopedQuota};
use otp_core::store::{Condition, Duty, EngineStatus};
use otp_core::verifier::{RouteStatus, TemplateStatus};
use serde::Serialize;

use super::super::gather::Snapshot;
use super::super::gauge::Level;
use super::super::when::{When, span};

/// A part, with its state in a word.
#[derive(Serialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) level: Level,
    pub(super) note: String,
}

/// A channel.
#[derive(Serialize)]
pub(super) struct Channel {
    pub(super) part: Part,
    pub(super) providers: Vec<Provider>,
}

/// A provider of a channel.
#[derive(Serialize)]
pub(super) struct Provider {
    pub(super) name: String,
    breaker: &'static str,
    pub(super) level: Level,
    accepted: u64,
    failed: u64,
    unknown: u64,
    latency: String,
    last_error: Option<&'static str>,
    failed_at: Option<When>,
    vendor: Option<&'static str>,
    vendor_at: Option<When>,
}

/// An exception from the policy.
#[derive(Serialize)]
pub(super) struct Exempt {
    pub(super) what: String,
    pub(super) level: Level,
    operator: String,
    reason: String,
    until: When,
}

/// A limit in force.
#[derive(Serialize)]
pub(super) struct Limit {
    operation: &'static str,
    scope: &'static str,
    limit: String,
}

pub(super) fn engine(engine: &EngineStatus) -> Part {
    let (level, why) = match engine.condition {
        Condition::Connected => (Level::Ok, None),
        Condition::Fallback(why) => (Level::Watch, Some(why)),
        Condition::ReadOnly(why) | Condition::Down(why) => (Level::Alarm, Some(why)),
        _ => (Level::Watch, None),
    };
    let duty = match engine.duty {
        Duty::Audit => "audit log",
        _ => "codes, limits, blocks",
    };
    Part {
        name: engine.engine.to_owned(),
        state: engine.condition.name().to_owned(),
        level,
        note: match why {
            None => duty.to_owned(),
            Some(why) => format!("{duty}: {}", why.name()),
        },
    }
}

pub(super) fn channel(status: &RouteStatus, snapshot: &Snapshot) -> Channel {
    // What the policy has switched off, the verifier's status knows.
    let mut states = snapshot.status.delivery.iter();
    let state = states.find(|(channel, _)| *channel == status.channel);
    let health = state.map_or(status.health, |(_, health)| *health);
    let (level, note) = match health {
        RouteHealth::Up => (Level::Ok, ""),
        RouteHealth::Degraded => (Level::Watch, "a backup takes the messages"),
        RouteHealth::Down => (Level::Alarm, "no provider takes messages"),
        _ => (Level::Idle, "takes no messages"),
    };
    let providers = status.providers.iter();
    Channel {
        part: Part {
            name: status.channel.name().to_owned(),
            state: health.name().to_owned(),
            level,
            note: note.to_owned(),
        },
        providers: providers.map(|it| provider(it, snapshot.at)).collect(),
    }
}

fn provider(health: &ProviderHealth, now: Timestamp) -> Provider {
    let (breaker, level) = match health.breaker {
        BreakerState::Closed => ("asked", Level::Ok),
        BreakerState::Open => ("left alone", Level::Alarm),
        _ => ("on probation", Level::Watch),
    };
    let country = health.country.as_ref();
    let trouble = health
        .vendor
        .filter(|notice| notice.state != VendorState::None);
    Provider {
        name: match country {
            None => health.provider.clone(),
            Some(country) => format!("{} ({})", health.provider, country.code()),
        },
        breaker,
        level,
        accepted: health.accepted,
        failed: health.failed,
        unknown: health.unknown,
        latency: match health.latency_p95.or(health.latency) {
            None => String::new(),
            Some(latency) => format!("{} ms", latency.as_millis()),
        },
        last_error: health.last_error.map(|kind| kind.name()),
        failed_at: health.last_error_at.map(|at| When::of(at, now)),
        vendor: trouble.map(|notice| notice.state.name()),
        vendor_at: trouble.map(|notice| When::of(notice.read_at, now)),
    }
}

pub(super) fn template(status: &TemplateStatus) -> Part {
    Part {
        name: status.channel.name().to_owned(),
        state: status.state.name().to_owned(),
        level: match status.state {
            TemplateState::Approved => Level::Ok,
            TemplateState::Pending | TemplateState::Paused => Level::Watch,
            _ => Level::Alarm,
        },
        note: status.template.as_str().to_owned(),
    }
}

pub(super) fn exempt(one: &Override, now: Timestamp) -> Exempt {
    Exempt {
        what: one.exception().to_string().replace('_', " "),
        level: match one.exception() {
            Exception::SecondFactorWaived => Level::Alarm,
            _ => Level::Watch,
        },
        operator: one.act().operator.to_string(),
        reason: one.act().reason.as_str().to_owned(),
        until: When::of(one.expires_at(), now),
    }
}

pub(super) fn limits(snapshot: &Snapshot) -> Vec<Limit> {
    let limits = snapshot.policy.policy.limits();
    let of = |operation: &'static str, quotas: &[ScopedQuota]| -> Vec<Limit> {
        let limit = |scoped: &ScopedQuota| Limit {
            operation,
            scope: scoped.scope.name(),
            limit: format!("{} in {}", scoped.quota.max(), span(scoped.quota.period())),
        };
        quotas.iter().map(limit).collect()
    };
    let mut all = of("start", limits.issue());
    all.extend(of("resend", limits.resend()));
    all.extend(of("verify", limits.verify()));
    all
}
