//! `GET /healthz`, `GET /readyz`, `GET /otp/status`: states, and nothing about anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::destination::Channel;
use otp_kit::policy::ScopedQuota;
use otp_kit::store::{Condition, EngineStatus};
use otp_kit::verifier::Health;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::app::App;

/// What works.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
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

/// Liveness and readiness, for both listeners.
pub(crate) fn probes() -> Api<Arc<App>> {
    let said = |word| Schema::object([("status", Schema::word([word]))]);
    let alive = Operation::get("Answers as long as the process does").gives(200, said("ok"));
    let is_ready = Operation::get("Answers well where a request would be served")
        .gives(200, said("ready"))
        .refuses([Refusal::NOT_READY]);
    Api::new()
        .operation("/healthz", alive, healthy)
        .operation("/readyz", is_ready, ready)
}

pub(crate) fn routes() -> Api<Arc<App>> {
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
    Api::new().operation("/otp/status", look, handle)
}

/// Answers as long as the process does.
pub(crate) async fn healthy() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// Answers well where a request would be served.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    match app.verifier.status().await.store {
        Health::Up | Health::Degraded(_) => Ok(Json(json!({ "status": "ready" }))),
        _ => Err(Refusal::NOT_READY),
    }
}

pub(crate) async fn handle(State(app): State<Arc<App>>) -> Json<Status> {
    let status = app.verifier.status().await;
    let policy = app.verifier.policy();
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
        templates: templates(&app, &status),
        overrides: status.overrides,
    })
}

/// Says where approvals stand. In development nothing is sent by a template, and what was declared
/// is what there is to say.
fn templates(
    app: &App,
    status: &otp_kit::verifier::Status,
) -> BTreeMap<&'static str, &'static str> {
    let declared = [(Channel::WhatsApp, app.whatsapp_template)];
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
