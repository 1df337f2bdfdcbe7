//! The state of the parts as it is when the text is written.

use std::collections::BTreeMap;

use super::family::histogram;
use super::page::{Kind, Page};
use crate::breaker::BreakerState;
use crate::delivery::{AnswerTimes, ProviderHealth, RouteHealth, TemplateState, VendorState};
use crate::store::{Condition, Connections, Duty, EngineStatus, StoreErrorKind};
use crate::verifier::{RouteStatus, Status, Verifier};

pub(super) fn write(page: &mut Page, verifier: &Verifier, status: &Status) {
    let routes = verifier.routes().status();
    answers(page, &routes);
    times(page, &routes);
    breakers(page, &routes);
    vendors(page, &routes);
    channels(page, status);
    engines(page, &status.engines);
    hands(page, verifier);
    policy(page, verifier, status);
    page.family(Kind::Gauge, "otp_build_info", "The version of the library.");
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.sample("otp_build_info", &version, 1);
}

/// Lists the providers, each once a channel: those of a country's own rule are added up.
fn providers(routes: &[RouteStatus]) -> BTreeMap<(&'static str, &str), Vec<&ProviderHealth>> {
    let mut providers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for route in routes {
        for health in &route.providers {
            let key = (route.channel.name(), health.provider.as_str());
            providers.entry(key).or_default().push(health);
        }
    }
    providers
}

fn answers(page: &mut Page, routes: &[RouteStatus]) {
    const NAME: &str = "otp_provider_answers_total";
    page.family(Kind::Counter, NAME, "What providers answered.");
    for ((channel, provider), all) in providers(routes) {
        let sum = |of: fn(&ProviderHealth) -> u64| all.iter().map(|one| of(one)).sum();
        let counts = [
            ("accepted", sum(|one| one.accepted)),
            ("failed", sum(|one| one.failed)),
            ("unknown", sum(|one| one.unknown)),
            ("refused", sum(|one| one.refused)),
            ("passed_over", sum(|one| one.passed_over)),
        ];
        for (answer, count) in counts {
            let labels = [
                ("channel", channel),
                ("provider", provider),
                ("answer", answer),
            ];
            page.sample(NAME, &labels, count);
        }
    }
}

fn times(page: &mut Page, routes: &[RouteStatus]) {
    const NAME: &str = "otp_provider_seconds";
    page.family(Kind::Histogram, NAME, "How long providers took to answer.");
    for ((channel, provider), all) in providers(routes) {
        let times = all
            .iter()
            .fold(AnswerTimes::default(), |sum, one| sum.and(&one.answers));
        let labels = [("channel", channel), ("provider", provider)];
        let (count, sum) = (times.count(), times.sum());
        histogram(page, NAME, &labels, times.within(), count, sum);
    }
}

fn breakers(page: &mut Page, routes: &[RouteStatus]) {
    const NAME: &str = "otp_breaker_open";
    page.family(Kind::Gauge, NAME, "1 while a provider is left alone.");
    for ((channel, provider), all) in providers(routes) {
        let open = all.iter().any(|one| one.breaker != BreakerState::Closed);
        let labels = [("channel", channel), ("provider", provider)];
        page.sample(NAME, &labels, u64::from(open));
    }
}

/// What vendors say of themselves, where somebody reads it.
fn vendors(page: &mut Page, routes: &[RouteStatus]) {
    const NAME: &str = "otp_vendor_state";
    page.family(
        Kind::Gauge,
        NAME,
        "1 for the state that a vendor's status page tells.",
    );
    for ((channel, provider), all) in providers(routes) {
        let Some(notice) = all.iter().find_map(|one| one.vendor) else {
            continue;
        };
        for state in VendorState::ALL {
            let labels = [
                ("channel", channel),
                ("provider", provider),
                ("state", state.name()),
            ];
            page.sample(NAME, &labels, u64::from(state == notice.state));
        }
    }
}

fn channels(page: &mut Page, status: &Status) {
    const UP: &str = "otp_channel_up";
    page.family(
        Kind::Gauge,
        UP,
        "1 while the first provider of a channel takes messages.",
    );
    for (channel, health) in &status.delivery {
        let up = *health == RouteHealth::Up;
        page.sample(UP, &[("channel", channel.name())], u64::from(up));
    }
    const STATE: &str = "otp_channel_state";
    page.family(Kind::Gauge, STATE, "1 for the state a channel is in.");
    for (channel, health) in &status.delivery {
        for state in RouteHealth::ALL {
            let labels = [("channel", channel.name()), ("state", state.name())];
            page.sample(STATE, &labels, u64::from(state == *health));
        }
    }
    const APPROVED: &str = "otp_template_approved";
    page.family(
        Kind::Gauge,
        APPROVED,
        "1 while the template of a channel is approved.",
    );
    for (channel, state) in &status.templates {
        let approved = *state == TemplateState::Approved;
        page.sample(
            APPROVED,
            &[("channel", channel.name())],
            u64::from(approved),
        );
    }
}

fn engines(page: &mut Page, engines: &[EngineStatus]) {
    const NAME: &str = "otp_store_up";
    page.family(Kind::Gauge, NAME, "1 for the condition an engine is in.");
    let why = StoreErrorKind::Unavailable;
    let all = [
        Condition::Connected,
        Condition::Fallback(why),
        Condition::ReadOnly(why),
        Condition::Down(why),
    ];
    for engine in engines {
        let duty = match engine.duty {
            Duty::Decisions => "decisions",
            Duty::Audit => "audit",
        };
        for condition in all {
            let labels = [
                ("engine", engine.engine),
                ("duty", duty),
                ("condition", condition.name()),
            ];
            let is = engine.condition.name() == condition.name();
            page.sample(NAME, &labels, u64::from(is));
        }
    }
}

/// Writes what this instance has in hand.
fn hands(page: &mut Page, verifier: &Verifier) {
    const PLACES: &str = "otp_hash_pool_places";
    let load = verifier.load();
    page.family(
        Kind::Gauge,
        PLACES,
        "Places of the hashing pool: taken, running at the most, and in all.",
    );
    let hashing = load.hashing;
    for (state, places) in [
        ("taken", hashing.taken),
        ("workers", hashing.workers),
        ("all", hashing.places),
    ] {
        page.sample(PLACES, &[("state", state)], whole(places));
    }
    const MESSAGES: &str = "otp_messages_in_flight";
    page.family(
        Kind::Gauge,
        MESSAGES,
        "Messages on their way to a provider.",
    );
    page.sample(MESSAGES, &[], whole(load.messages));
    const ALARM: &str = "otp_fleet_alarm";
    page.family(
        Kind::Gauge,
        ALARM,
        "1 while codes are guessed at many accounts.",
    );
    page.sample(ALARM, &[], u64::from(verifier.is_fleet_alarmed()));
}

fn policy(page: &mut Page, verifier: &Verifier, status: &Status) {
    const OVERRIDES: &str = "otp_overrides_active";
    page.family(
        Kind::Gauge,
        OVERRIDES,
        "Overrides of the policy that hold, by their kind.",
    );
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for one in verifier.policies().overrides() {
        let count = kinds.entry(one.exception().name()).or_default();
        *count = count.saturating_add(1);
    }
    for (kind, count) in kinds {
        page.sample(OVERRIDES, &[("kind", kind)], count);
    }
    const VERSION: &str = "otp_policy_version";
    page.family(Kind::Gauge, VERSION, "The version of the policy in force.");
    page.sample(VERSION, &[], status.policy_version);
}

pub(super) fn write_pools(
    page: &mut Page,
    pools: impl Iterator<Item = (&'static str, Connections)>,
) {
    const NAME: &str = "db_connections";
    page.family(
        Kind::Gauge,
        NAME,
        "Connections of a pool: open, idle, in use, and the most there may be.",
    );
    for (engine, connections) in pools {
        let Connections { open, idle, most } = connections;
        let states = [
            ("open", open),
            ("idle", idle),
            ("in_use", open.saturating_sub(idle)),
            ("max", most),
        ];
        for (state, count) in states {
            let labels = [("engine", engine), ("state", state)];
            page.sample(NAME, &labels, count.into());
        }
    }
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
