//! What the handlers share, and the routes.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use otp_axum::Edge;
use otp_axum::cors::Origins;
use otp_axum::operators::OperatorTokens;
use otp_kit::audit::DailyFiles;
use otp_kit::delivery::TemplateState;
use otp_kit::metrics::Metrics;
use otp_kit::providers::TelegramBot;
use otp_kit::request::Tenant;
use otp_kit::verifier::Verifier;

use crate::accounts::HostAccounts;
use crate::config::{Config, Listen, Webhooks};
use crate::database::Database;
use crate::outbox::Outbox;
use crate::routes::{
    initiate, jwks, link, mfa, oauth, onboarding, recovery_codes, request, session, status,
    telegram, totp, verify, webhook,
};
use crate::tokens::Door;
use crate::users::Users;
use crate::{metering, operator, service};

/// Everything that a request may need. Handlers hold it shared.
pub(crate) struct App {
    pub(crate) verifier: Verifier,
    pub(crate) users: Users,
    pub(crate) accounts: Arc<HostAccounts>,
    pub(crate) door: Door,
    pub(crate) outbox: Outbox,
    edge: Edge,
    origins: Origins,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) operators: OperatorTokens,
    listen: Listen,
    pub(crate) whatsapp_template: TemplateState,
    pub(crate) webhooks: Webhooks,
    pub(crate) telegram: Option<TelegramBot>,
    pub(crate) metrics: Metrics,
    pub(crate) audit: Option<DailyFiles>,
}

impl App {
    /// Puts the parts together.
    pub(crate) async fn new(
        config: Config,
        database: Database,
    ) -> Result<Arc<Self>, Box<dyn Error>> {
        let edge = Edge::new().trusting(config.proxies.clone());
        let (operators, listen) = (config.operators.clone(), config.listen);
        let origins = config.origins.clone();
        let key_file = config.keys.file.clone();
        let (access_life, algorithm) = (config.access_life, config.algorithm);
        let audit = config.audit.clone();
        let whatsapp_template = config.whatsapp_template.state();
        let (webhooks, telegram) = (config.webhooks.clone(), config.telegram.clone());
        let mail = config.delivery.mail();
        let metrics = Metrics::for_tenants([Tenant::default()]);
        database.watched_by(&metrics);
        let (verifier, outbox, sessions) = service::build(config, &metrics).await?;
        let door = Door::new(&sessions, verifier.keys(), access_life, algorithm)?;
        let users = Users::new(database);
        let accounts = Arc::new(HostAccounts::new(users.clone(), mail));
        Ok(Arc::new(Self {
            verifier,
            users,
            accounts,
            door,
            outbox,
            edge,
            origins,
            key_file,
            operators,
            listen,
            whatsapp_template,
            webhooks,
            telegram,
            metrics,
            audit,
        }))
    }
}

/// The routes of the public listener.
pub(crate) fn public(app: &Arc<App>) -> Router {
    let routes = probes()
        .route("/api/auth/otp/request", post(request::handle))
        .route("/api/auth/verify-otp", post(verify::handle))
        .route("/api/auth/telegram", post(telegram::handle))
        .route("/api/auth/token/refresh", post(session::refresh))
        .route("/api/v1/auth/logout", post(session::logout))
        .route("/api/v1/auth/logout-all", logout_all(app))
        .route("/auth/fan/from-onboarding", post(onboarding::handle))
        .route("/api/me", get(session::me))
        .route("/.well-known/jwks.json", get(jwks::handle))
        .route("/api/auth/oauth/{name}/start", get(oauth::start))
        .route("/api/auth/oauth/{name}/callback", get(oauth::callback))
        .route("/auth/link", get(link::show).post(link::act))
        .merge(initiations())
        .merge(second_factors())
        .route("/otp/status", get(status::handle))
        .merge(webhooks());
    let routes = app.origins.around(routes);
    let routes = if app.listen.is_shared() {
        routes.merge(operator::routes(app))
    } else {
        routes
    };
    finished(routes, app)
}

/// Ends the caller's sessions. Where operators share the listener, they end anybody's by the same
/// path.
fn logout_all(app: &Arc<App>) -> MethodRouter<Arc<App>> {
    if app.listen.is_shared() {
        post(operator::logout_all_of_either)
    } else {
        post(session::logout_all)
    }
}

/// Starts for a user who is named.
fn initiations() -> Router<Arc<App>> {
    const OF: &str = "/browser/api/v1/identity/auth";
    Router::new()
        .route(&format!("{OF}/otp/initiate"), post(initiate::by_phone))
        .route(
            &format!("{OF}/magic-link/initiate"),
            post(initiate::by_email),
        )
}

/// What whoever is signed in proves more by.
fn second_factors() -> Router<Arc<App>> {
    Router::new()
        .route("/api/auth/mfa/send-code", post(mfa::send_code))
        .route("/api/auth/mfa/verify", post(mfa::verify))
        .route("/api/v1/2fa/totp/enrol", post(totp::enrol))
        .route("/api/v1/2fa/totp/confirm", post(totp::confirm))
        .route("/api/v1/2fa/totp/verify", post(totp::verify))
        .route("/api/v1/2fa/recovery-codes", post(recovery_codes::renew))
}

/// What vendors call; their bodies may be larger than a client's.
fn webhooks() -> Router<Arc<App>> {
    Router::new()
        .route("/api/auth/mfa/webhook", post(webhook::twilio))
        .route(
            "/api/auth/webhooks/{vendor}",
            post(webhook::handle).get(webhook::handle),
        )
        .layer(DefaultBodyLimit::max(webhook::LARGEST))
}

/// The routes of the operator's listener.
pub(crate) fn admin(app: &Arc<App>) -> Router {
    let routes = probes().merge(operator::routes(app));
    finished(routes.merge(operator::logout_all(app)), app)
}

fn probes() -> Router<Arc<App>> {
    Router::new()
        .route("/healthz", get(status::healthy))
        .route("/readyz", get(status::ready))
}

/// Adds what holds for every answer of every route.
fn finished(routes: Router<Arc<App>>, app: &Arc<App>) -> Router {
    let counted = from_fn_with_state(Arc::clone(app), metering::count);
    let routes = app.edge.around(routes).layer(counted);
    routes.with_state(Arc::clone(app))
}
