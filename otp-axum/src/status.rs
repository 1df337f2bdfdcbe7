//! `GET /healthz`, `GET /readyz`, `GET /otp/status`: states, and nothing about anybody.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use otp_core::delivery::TemplateState;
use otp_core::destination::Channel;
use otp_core::policy::ScopedQuota;
use otp_core::store::{Condition, EngineStatus};
use otp_core::verifier::{Health, Verifier};
use serde::Serialize;
use serde_json::{Value, json};

use crate::openapi::{Api, Operation, Schema};
use crate::refusal::Refusal;

/// A verifier, and the states of templates that were declared beside it.
#[derive(Clone)]
struct Watched {
    verifier: Verifier,
    declared: Vec<(Channel, TemplateState)>,
}

/// What works.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    redis: &'static str,
    database: &'static str,
    rate_limits: BTreeMap<&'static str, Vec<Window>>,
    channels: BTreeMap<&'static str, &'static str>,
    templates: BTreeMap<&'static str, &'static str>,
    overrides: Vec<&'static str>,
}

/// A limit in force.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    scope: &'static str,
    limit: u32,
    window_seconds: u64,
}

/// Gives `/healthz` and `/readyz`: liveness, and readiness of the verifier's store.
///
/// # Examples
/// ```
/// use axum::Router;
/// use otp_axum::{Edge, status};
/// use otp_core::verifier::Verifier;
///
/// fn public(verifier: Verifier) -> Router {
///     let routes = status::probes(verifier.clone()).merge(status::routes(verifier, []));
///     Edge::new().around(routes)
/// }
/// ```
pub fn probes<S>(verifier: Verifier) -> Api<S> {
    let said = |word| Schema::object([("status", Schema::word([word]))]);
    let alive = Operation::get("Answers as long as the process does").gives(200, said("ok"));
    let is_ready = Operation::get("Answers well where a request would be served")
        .gives(200, said("ready"))
        .refuses([Refusal::NOT_READY]);
    Api::new()
        .operation("/healthz", alive, healthy)
        .operation("/readyz", is_ready, ready)
        .with_state(verifier)
}

/// Gives `/otp/status`: states, with no name of a provider and nothing about anybody. `declared` are
/// states of templates that hold where the verifier knows of none.
pub fn routes<S>(
    verifier: Verifier,
    declared: impl IntoIterator<Item = (Channel, TemplateState)>,
) -> Api<S> {
    let window = Schema::object([
        ("scope", Schema::text()),
        ("limit", Schema::integer()),
        ("windowSeconds", Schema::integer()),
    ]);
    let states = Schema::map(&Schema::text());
    let status = Schema::object([
        ("redis", Schema::text()),
        ("database", Schema::text()),
        ("rateLimits", Schema::map(&Schema::list(&window))),
        ("channels", states.clone()),
        ("templates", states),
        ("overrides", Schema::list(&Schema::text())),
    ]);
    let look = Operation::get("Shows what works").gives(200, status);
    let declared = declared.into_iter().collect();
    Api::new()
        .operation("/otp/status", look, handle)
        .with_state(Watched { verifier, declared })
}

/// Answers as long as the process does.
async fn healthy() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Answers well where a request would be served.
async fn ready(State(verifier): State<Verifier>) -> Result<Json<Value>, Refusal> {
    match verifier.status().await.store {
        Health::Up | Health::Degraded(_) => Ok(Json(json!({ "status": "ready" }))),
        _ => Err(Refusal::NOT_READY),
    }
}

async fn handle(State(Watched { verifier, declared }): State<Watched>) -> Json<Status> {
    let status = verifier.status().await;
    let policy = verifier.policy();
    let limits = policy.limits();
    let operations = [
        ("issue", limits.issue()),
        ("resend", limits.resend()),
        ("verify", limits.verify()),
    ];
    let state = |channel: &'static str| {
        if status.channels.contains(&channel) {
            "enabled"
        } else {
            "disabled"
        }
    };
    Json(Status {
        redis: redis(&status.engines),
        database: database(&status.engines),
        rate_limits: operations
            .into_iter()
            .map(|(name, quotas)| (name, quotas.iter().map(Window::of).collect()))
            .collect(),
        channels: Channel::ALL
            .into_iter()
            .map(|channel| (channel.name(), state(channel.name())))
            .collect(),
        templates: templates(declared, &status),
        overrides: status.overrides,
    })
}

/// Says where approvals stand.
fn templates(
    declared: Vec<(Channel, TemplateState)>,
    status: &otp_core::verifier::Status,
) -> BTreeMap<&'static str, &'static str> {
    let known = status.templates.iter().copied();
    let states = declared.into_iter().chain(known);
    states
        .map(|(channel, state)| (channel.name(), state.name()))
        .collect()
}

/// Says how Redis is, in the words of the runbooks.
fn redis(engines: &[EngineStatus]) -> &'static str {
    match engines.iter().find(|engine| engine.engine == "redis") {
        None => "not configured",
        Some(engine) if engine.condition == Condition::Connected => "redis connected",
        Some(engine) => engine.condition.name(),
    }
}

fn database(engines: &[EngineStatus]) -> &'static str {
    let database = engines.iter().find(|engine| engine.engine != "redis");
    database.map_or("unavailable", |engine| engine.condition.name())
}

impl Window {
    fn of(scoped: &ScopedQuota) -> Self {
        Self {
            scope: scoped.scope.name(),
            limit: scoped.quota.max(),
            window_seconds: scoped.quota.period().as_secs(),
        }
    }
}
