//! `GET /admin/otp/dashboard`: how the last hour went, for a first look.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use otp_core::delivery::RouteHealth;
use otp_core::event::{EventKind, Outcome};
use otp_core::operator::{Overview, Source};
use otp_core::verifier::{RouteStatus, Verifier};
use serde_json::{Value, json};

use super::Desk;
use crate::ApiError;
use crate::openapi::{Api, Operation, Schema};
use crate::page::{Finding, Gauge, Judged, Snapshot, Trouble};
use crate::time::Rfc3339;

const WITHIN: Duration = Duration::from_secs(3_600);
const TOP: usize = 20;

pub(super) fn routes() -> Api<Verifier> {
    let look = Operation::get("Shows how the last hour went")
        .gives(200, schema())
        .at_desk();
    Api::new().operation("/admin/otp/dashboard", look, handle)
}

fn schema() -> Schema {
    let counts = Schema::map(&Schema::integer());
    let shares = Schema::map(&Schema::text().or_null());
    let source = Schema::object([
        ("name", Schema::text()),
        ("refused", Schema::integer()),
        ("by_limits", Schema::integer()),
        ("by_locks", Schema::integer()),
        ("by_blocks", Schema::integer()),
        ("accounts", Schema::integer()),
    ]);
    let sources = Schema::list(&source);
    let attackers = Schema::object([
        ("addresses", sources.clone()),
        ("users", sources.clone()),
        ("prefixes", sources),
    ]);
    let engine = Schema::object([("engine", Schema::text()), ("condition", Schema::text())]);
    let toll_fraud = Schema::object([
        ("mode", Schema::text()),
        ("suspicions", Schema::list(&Schema::map(&Schema::any()))),
    ]);
    let alarm = Schema::object([
        ("alarmed", Schema::flag()),
        ("wrong_codes_a_minute", Schema::integer().or_null()),
    ]);
    let level = || Schema::word(["idle", "ok", "watch", "alarm"]);
    let gauge = Schema::object([
        ("name", Schema::text()),
        ("level", level()),
        ("percent", Schema::text().or_null()),
        ("of", Schema::text()),
        ("marks", Schema::text()),
    ]);
    let finding = Schema::object([("level", level()), ("text", Schema::text())]);
    Schema::object([
        ("at", Schema::time()),
        ("window_seconds", Schema::integer()),
        (
            "complete",
            Schema::flag().about(
                "whether all records of the window were read: else the newest 100,000 were, or none \
                 while the store is away",
            ),
        ),
        ("counters", counts.clone()),
        ("rates", shares.about("in percent; null of nothing")),
        (
            "gauges",
            Schema::list(&gauge).about("the rates with their marks"),
        ),
        (
            "findings",
            Schema::list(&finding).about("what needs a look, the worst first"),
        ),
        ("refusals", counts),
        ("blocks", Schema::integer()),
        ("attackers", attackers),
        ("engines", Schema::list(&engine)),
        ("routes", Schema::list(&Schema::map(&Schema::any()))),
        (
            "channel_order",
            Schema::list(&Schema::text()).about("which channel follows which"),
        ),
        ("overrides", Schema::list(&super::overrides::schema())),
        ("toll_fraud", toll_fraud),
        ("fleet_alarm", alarm),
    ])
}

pub(super) async fn handle(
    State(verifier): State<Verifier>,
    desk: Desk,
) -> Result<Json<Value>, ApiError> {
    let operator = desk.operator(&verifier, None)?;
    // In an outage whoever looks here wants to see what is down, more than counters.
    let overview = operator.overview(WITHIN, TOP).await;
    let overview = overview.map_err(|error| {
        tracing::warn!(%error, "the dashboard has no counters");
        Trouble::Store(error.kind())
    });
    let snapshot = Snapshot::of(&verifier, verifier.clock().now(), overview).await;
    let judged = Judged::of(&snapshot);
    let overview = snapshot.overview;
    let overview = overview.unwrap_or_else(|_| Overview::unknown(snapshot.at));
    let status = snapshot.status;
    let engines = status
        .engines
        .iter()
        .map(|engine| json!({ "engine": engine.engine, "condition": engine.condition.name() }));
    // What the policy has switched off, the verifier's status knows.
    let delivery = status.delivery.iter();
    let healths: BTreeMap<_, _> = delivery
        .map(|(channel, health)| (channel.name(), *health))
        .collect();
    let routes = snapshot.routes.iter().map(|one| {
        let health = healths.get(one.channel.name()).copied();
        route(one, health.unwrap_or(one.health))
    });
    let overrides = verifier.policies().overrides();
    Ok(Json(json!({
        "at": Rfc3339::from(overview.now).to_string(),
        "window_seconds": WITHIN.as_secs(),
        "complete": overview.attackers.complete,
        "counters": counters(&overview),
        "rates": rates(&overview),
        "gauges": judged.gauges.iter().map(gauge).collect::<Vec<_>>(),
        "findings": judged.findings.iter().map(finding).collect::<Vec<_>>(),
        "refusals": overview.reasons,
        "blocks": overview.blocks.number(),
        "attackers": {
            "addresses": sources(&overview.attackers.addresses),
            "users": sources(&overview.attackers.subjects),
            "prefixes": sources(&overview.attackers.prefixes),
        },
        "engines": engines.collect::<Vec<_>>(),
        "routes": routes.collect::<Vec<_>>(),
        "channel_order": verifier.routes().order().iter().map(|one| one.name()).collect::<Vec<_>>(),
        "overrides": overrides.iter().map(super::overrides::shown).collect::<Vec<_>>(),
        "toll_fraud": toll_fraud(&verifier),
        "fleet_alarm": {
            "alarmed": verifier.is_fleet_alarmed(),
            "wrong_codes_a_minute": verifier.policy().fleet_alarm().wrong_codes_a_minute(),
        },
    })))
}

fn counters(overview: &Overview) -> Value {
    let of = |kind, outcome| overview.of(kind, outcome);
    json!({
        "sent": of(EventKind::CodeSent, Outcome::Success),
        "not_sent": overview.not_sent(),
        "reported_failed": of(EventKind::DeliveryReported, Outcome::Failed),
        "verified": of(EventKind::ValidationAttempt, Outcome::Success),
        "not_verified": of(EventKind::ValidationAttempt, Outcome::Refused),
        "rate_limited": overview.limited(),
        "locked": overview.because("locked"),
        "blocked": overview.because("blocked"),
        "requests": overview.attackers.requests,
        "refused": overview.attackers.refused,
    })
}

/// Shares in percent; `null` of nothing.
fn rates(overview: &Overview) -> Value {
    let counters = counters(overview);
    let count = |name: &str| {
        counters
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let share = |part: u64, rest: u64| {
        let whole = part.saturating_add(rest);
        part.saturating_mul(1_000)
            .checked_div(whole)
            .map(|tenths| json!(format!("{}.{}", tenths / 10, tenths % 10)))
    };
    let limited = count("rate_limited");
    json!({
        // Taken by a provider, and not reported as failed since.
        "delivery": share(
            overview.sent_and_not_failed(),
            count("not_sent").saturating_add(count("reported_failed").min(count("sent"))),
        ),
        "verification": share(count("verified"), count("not_verified")),
        "limit_hits": share(limited, count("requests").saturating_sub(limited)),
    })
}

/// A share with its marks, as the operators' page has them.
fn gauge(gauge: &Gauge) -> Value {
    json!({
        "name": gauge.name,
        "level": gauge.level,
        "percent": (!gauge.value.is_empty()).then_some(&gauge.value),
        "of": gauge.of,
        "marks": gauge.marks,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({ "level": finding.level, "text": finding.text })
}

/// What the toll-fraud guard of this instance had something against, the latest first.
fn toll_fraud(verifier: &Verifier) -> Value {
    let suspicions = verifier.suspicions();
    let latest = suspicions.iter().rev().take(TOP).map(|one| {
        json!({
            "at": Rfc3339::from(one.at).to_string(),
            "mode": one.mode.name(),
            "action": one.verdict.action.name(),
            "reasons": one.verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    json!({
        "mode": verifier.policy().toll_fraud().mode().name(),
        "suspicions": latest.collect::<Vec<_>>(),
    })
}

fn sources(sources: &[Source]) -> Vec<Value> {
    let shown = |source: &Source| {
        json!({
            "name": source.name,
            "refused": source.refused,
            "by_limits": source.by_limits,
            "by_locks": source.by_locks,
            "by_blocks": source.by_blocks,
            "accounts": source.accounts,
        })
    };
    sources.iter().map(shown).collect()
}

fn route(status: &RouteStatus, health: RouteHealth) -> Value {
    let providers = status.providers.iter().map(|provider| {
        json!({
            "provider": provider.provider,
            "breaker": format!("{:?}", provider.breaker),
            "accepted": provider.accepted,
            "failed": provider.failed,
            "unknown": provider.unknown,
            "failures_in_a_row": provider.failures_in_a_row,
            "vendor_says": provider.vendor.map(|notice| notice.state.name()),
        })
    });
    json!({
        "channel": status.channel.name(),
        "health": format!("{health:?}"),
        "providers": providers.collect::<Vec<_>>(),
    })
}
