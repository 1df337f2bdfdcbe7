//! What the environment asks for, checked as a whole before anything starts.

mod audit;
mod brand;
mod captcha;
mod channel_order;
mod doubts;
mod environment;
mod keys;
mod known;
mod links;
mod logging;
mod operators;
mod outside;
mod policy;
mod providers;
mod second_factor;
mod status_pages;
mod stores;
mod tls;
mod traces;
mod webhooks;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use otp_axum::cors::Origins;
use otp_axum::operators::OperatorTokens;
use otp_kit::audit::DailyFiles;
use otp_kit::delivery::{LinkSettings, TemplateApproval};
use otp_kit::hash::{BcryptCost, CodeHasher};
use otp_kit::policy::Policy;
use otp_kit::providers::{SiteVerify, TelegramBot};
use otp_kit::quota::Quota;
use otp_kit::request::TrustedProxies;
use otp_kit::session::TokenAlgorithm;

pub(crate) use brand::Speaker;
pub(crate) use environment::{Environment, Refused};
pub(crate) use keys::{Keys, from_file};
pub(crate) use logging::Logging;
pub(crate) use providers::{Delivery, Providers};
pub(crate) use status_pages::StatusPages;
pub(crate) use stores::{Place, Redis, Stores};
pub(crate) use webhooks::Webhooks;

/// Everything the server is told, in types that cannot be half right.
pub(crate) struct Config {
    pub(crate) listen: Listen,
    /// How both listeners speak TLS, where they do.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
    pub(crate) origins: Origins,
    pub(crate) operators: OperatorTokens,
    pub(crate) proxies: TrustedProxies,
    pub(crate) stores: Stores,
    pub(crate) keys: Keys,
    pub(crate) hasher: CodeHasher,
    pub(crate) delivery: Delivery,
    pub(crate) captcha: Option<SiteVerify>,
    pub(crate) status_pages: StatusPages,
    pub(crate) whatsapp_template: TemplateApproval,
    /// Who speaks in messages.
    pub(crate) speaker: Speaker,
    pub(crate) webhooks: Webhooks,
    pub(crate) telegram: Option<TelegramBot>,
    /// Where links lead to, where the outside address is one that they may have.
    pub(crate) links: Option<LinkSettings>,
    pub(crate) policy: Policy,
    /// How long no second factor is asked for, where one is not.
    pub(crate) waiver: Option<Duration>,
    pub(crate) access_life: Duration,
    /// Where the daily files of the audit log are, where there are any.
    pub(crate) audit: Option<DailyFiles>,
    /// How access tokens are signed.
    pub(crate) algorithm: TokenAlgorithm,
    pub(crate) logging: Logging,
    unused: Vec<String>,
    doubts: Vec<&'static str>,
    /// Twilio Verify is named, and not asked.
    leaves_verify: bool,
}

/// Where the two listeners are.
#[derive(Clone, Copy)]
pub(crate) struct Listen {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Listen {
    /// Says whether one listener is both.
    pub(crate) fn is_shared(self) -> bool {
        self.admin == self.public && self.public.port() != 0
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Checks that may wait for a hashing thread; at some ten milliseconds each, seconds of work.
const WAITING_HASHES: usize = 512;

impl Config {
    /// Reads the process's environment.
    pub(crate) fn from_environment() -> Result<Self, Refused> {
        Self::read(&Environment::of_process()?)
    }

    fn read(env: &Environment) -> Result<Self, Refused> {
        known::check(env)?;
        providers::check_bases(env)?;
        let development = development(env)?;
        let mut file = policy::read(env, address_quota(env)?)?;
        let mut stores = Stores::read(env)?;
        policy::agree(&file, &stores)?;
        stores.connections = file.database.max_open_conns;
        stores.connection_life = file.database.conn_max_lifetime;
        let captcha = captcha::read(env, &mut file, development)?;
        let unused = policy::unused(&file).collect();
        let webhooks = Webhooks::read(env)?;
        let delivery = Delivery::read(env, development)?
            .along(&file.routes)?
            .in_order(channel_order::read(env, &file)?)?;
        let status_pages = status_pages::read(env, &delivery)?;
        let proxies = env.parsed(
            "TRUSTED_PROXIES",
            "",
            "addresses or networks such as 10.0.0.0/8",
        )?;
        let keys = Keys::read(env, development)?;
        let doubts = doubts::of(&proxies, &keys);
        Ok(Self {
            listen: Listen {
                public: env.parsed(
                    "BIND_ADDR",
                    "127.0.0.1:8080",
                    "an address such as 127.0.0.1:8080",
                )?,
                admin: env.parsed(
                    "ADMIN_BIND_ADDR",
                    "127.0.0.1:9090",
                    "an address such as 127.0.0.1:9090",
                )?,
            },
            tls: tls::read(env)?,
            origins: env.parsed(
                "CORS_ORIGINS",
                "",
                "origins such as https://app.example.org",
            )?,
            operators: operators::read(env)?,
            proxies,
            stores,
            keys,
            hasher: hasher(env)?,
            delivery,
            captcha,
            status_pages,
            whatsapp_template: providers::approval(env)?,
            speaker: brand::read(env)?,
            links: links::read(env, &webhooks)?,
            webhooks,
            telegram: webhooks::telegram_bot(env)?,
            policy: file.policy,
            waiver: second_factor::waiver(env)?,
            access_life: access_life(env)?,
            audit: audit::read(env)?,
            algorithm: algorithm(env)?,
            logging: Logging::read(env)?,
            unused,
            doubts,
            leaves_verify: providers::leaves_verify(env),
        })
    }

    /// Says whether codes are shown instead of sent.
    pub(crate) fn is_development(&self) -> bool {
        !matches!(self.delivery, Delivery::Sent(_))
    }

    /// Tells the log what a reader should know before the first request.
    pub(crate) fn warn(&self) {
        for name in &self.unused {
            tracing::warn!("{name} is set, and this version does nothing with it yet");
        }
        for doubt in &self.doubts {
            tracing::warn!("{doubt}");
        }
        if self.leaves_verify {
            tracing::warn!(
                "TWILIO_VERIFY_SERVICE_SID is set beside a sender of messages: \
                 codes are our own, and Verify is not asked"
            );
        }
        if self.links.is_none() {
            tracing::warn!("PUBLIC_BASE_URL is not https: mails carry codes and no links");
        }
        if self.audit.is_none() {
            tracing::warn!("there are no daily files of the audit log");
        }
        if self.is_development() {
            tracing::warn!("development mode: codes are in the answers and no message leaves");
        }
    }
}

/// Whether this is development: asked for by `DEV_MODE`, and possible in this build.
fn development(env: &Environment) -> Result<bool, Refused> {
    let default = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    let asked = env.flag("DEV_MODE", default)?;
    if asked && !crate::outbox::BUILT_IN {
        return Err(Refused::new(
            "DEV_MODE",
            "must be false in a release build without the cargo feature danger-preview",
        ));
    }
    Ok(asked)
}

fn hasher(env: &Environment) -> Result<CodeHasher, Refused> {
    let hasher = match env.get("OTP_HASHER").unwrap_or("argon2id") {
        "argon2id" => CodeHasher::argon2id(),
        "bcrypt" => CodeHasher::bcrypt(BcryptCost::MIN),
        "hmac" => return Ok(CodeHasher::keyed()),
        _ => {
            return Err(Refused::new(
                "OTP_HASHER",
                "must be argon2id, bcrypt or hmac",
            ));
        }
    };
    Ok(hasher.queue(WAITING_HASHES))
}

fn address_quota(env: &Environment) -> Result<Quota, Refused> {
    let wanted = "a number from 1 to 10000";
    let max = env.parsed("RATE_LIMIT_REQUESTS", "100", wanted)?;
    Quota::window(max, MINUTE).map_err(|_| Refused::must_be("RATE_LIMIT_REQUESTS", wanted))
}

fn algorithm(env: &Environment) -> Result<TokenAlgorithm, Refused> {
    const KEY: &str = "OTP_TOKEN_ALGORITHM";
    let name = env.get(KEY).unwrap_or("EdDSA");
    TokenAlgorithm::from_name(name).ok_or_else(|| Refused::must_be(KEY, "EdDSA or HS256"))
}

fn access_life(env: &Environment) -> Result<Duration, Refused> {
    let wanted = "a number of minutes from 1 to 1440";
    let minutes: u32 = env.parsed("ACCESS_TOKEN_EXPIRE_MINUTES", "15", wanted)?;
    if (1..=1440).contains(&minutes) {
        Ok(MINUTE.saturating_mul(minutes))
    } else {
        Err(Refused::must_be("ACCESS_TOKEN_EXPIRE_MINUTES", wanted))
    }
}
