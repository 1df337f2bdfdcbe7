//! What the handlers share, and the routes.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use otp_axum::cors::Origins;
use otp_axum::openapi::Api;
use otp_axum::operators::OperatorTokens;
use otp_axum::{Edge, factors, sessions, sign_in, status, webhooks};
use otp_kit::audit::DailyFiles;
use otp_kit::delivery::TemplateState;
use otp_kit::destination::Channel;
use otp_kit::metrics::Metrics;
use otp_kit::providers::TelegramBot;
use otp_kit::request::{Tenant, TrustedProxies};
use otp_kit::verifier::Verifier;

use crate::accounts::HostAccounts;
use crate::config::{Config, Listen, StatusPages, Webhooks};
use crate::database::Database;
use crate::outbox::Outbox;
use crate::routes::{initiate, jwks, link, oauth, onboarding, session, telegram};
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
    pub(crate) proxies: TrustedProxies,
    origins: Origins,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) operators: OperatorTokens,
    listen: Listen,
    pub(crate) whatsapp_template: TemplateState,
    pub(crate) webhooks: Webhooks,
    pub(crate) telegram: Option<TelegramBot>,
    pub(crate) metrics: Metrics,
    pub(crate) audit: Option<DailyFiles>,
    pub(crate) status_pages: StatusPages,
}

impl App {
    /// Puts the parts together.
    pub(crate) async fn new(
        config: Config,
        database: Database,
    ) -> Result<Arc<Self>, Box<dyn Error>> {
        let proxies = config.proxies.clone();
        let edge = Edge::new().trusting(proxies.clone());
        let (operators, listen) = (config.operators.clone(), config.listen);
        let origins = config.origins.clone();
        let key_file = config.keys.file.clone();
        let (access_life, algorithm) = (config.access_life, config.algorithm);
        let audit = config.audit.clone();
        let whatsapp_template = config.whatsapp_template.state();
        let (webhooks, telegram) = (config.webhooks.clone(), config.telegram.clone());
        let mail = config.delivery.mail();
        let status_pages = Arc::clone(&config.status_pages);
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
            proxies,
            origins,
            key_file,
            operators,
            listen,
            whatsapp_template,
            webhooks,
            telegram,
            metrics,
            audit,
            status_pages,
        }))
    }
}

/// What the documents of both listeners are of.
const TITLE: &str = "The reference server of otp-kit";

/// The routes of the public listener.
pub(crate) fn public(app: &Arc<App>) -> Router {
    let (verifier, door) = (app.verifier.clone(), app.door.front.clone());
    let declared = [(Channel::WhatsApp, app.whatsapp_template)];
    let routes = status::probes(verifier.clone())
        .merge(status::routes(verifier.clone(), declared))
        .merge(sign_in::routes(
            verifier.clone(),
            door.clone(),
            Arc::clone(app),
        ))
        .merge(factors::routes(
            verifier.clone(),
            door.clone(),
            Arc::clone(app),
        ))
        .merge(factors::addresses(verifier, door.clone(), Arc::clone(app)))
        .merge(sessions::one(door))
        .merge(logout_all(app))
        .merge(session::routes())
        .merge(initiate::routes())
        .merge(link::routes())
        .merge(telegram::routes())
        .merge(oauth::routes(&app.verifier))
        .merge(onboarding::routes())
        .merge(jwks::routes())
        .merge(webhooks::routes(Arc::clone(app)))
        .merge(webhooks::alias(
            "/api/auth/mfa/webhook",
            "twilio",
            Arc::clone(app),
        ));
    let version = env!("CARGO_PKG_VERSION");
    let routes = if app.listen.is_shared() {
        let operators = operator::routes(app);
        let guard = operator::guard(app);
        let described = guard.described_beside(routes, &operators, TITLE, version);
        app.origins.around(described).merge(operators)
    } else {
        app.origins.around(routes.described(TITLE, version))
    };
    finished(routes, app)
}

/// Ends the caller's sessions. Where operators share the listener, they end anybody's by the same
/// path.
fn logout_all(app: &Arc<App>) -> Api<Arc<App>> {
    if app.listen.is_shared() {
        operator::logout_all_of_either()
    } else {
        sessions::logout_all(app.door.front.clone())
    }
}

/// The routes of the operator's listener.
pub(crate) fn admin(app: &Arc<App>) -> Router {
    let routes = status::probes(app.verifier.clone())
        .merge(operator::routes(app))
        .merge(operator::logout_all(app));
    let guard = operator::guard(app);
    let routes = guard.described(routes, TITLE, env!("CARGO_PKG_VERSION"));
    finished(routes, app)
}

/// Adds what holds for every answer of every route.
fn finished(routes: Router<Arc<App>>, app: &Arc<App>) -> Router {
    let counted = from_fn_with_state(Arc::clone(app), metering::count);
    let routes = app.edge.around(routes).layer(counted);
    routes.with_state(Arc::clone(app))
}
