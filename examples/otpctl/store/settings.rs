//! What a store is opened with, read as the server reads it: by the same files.

#[expect(dead_code, reason = "the server reads more")]
#[path = "../../server/config/environment.rs"]
mod environment;
#[expect(dead_code, reason = "the server reads it again when it changes")]
#[path = "../../server/config/keys.rs"]
mod keys;
#[expect(dead_code, reason = "the server checks all names")]
#[path = "../../server/config/known.rs"]
mod known;
#[expect(dead_code, reason = "the server checks more of it")]
#[path = "../../server/config/policy.rs"]
mod policy;
#[expect(dead_code, reason = "the server reads more")]
#[path = "../../server/config/stores.rs"]
mod stores;

use std::time::Duration;

use otp_kit::key::KeyRing;
use otp_kit::policy::Policy;
use otp_kit::quota::Quota;

use crate::failure::Failure;
use environment::{Environment, Refused};
use keys::Keys;
pub(super) use stores::Place;
use stores::Stores;

/// The engines, and what the verifier on them goes by.
pub(super) struct Settings {
    /// The one that was named; beside a Redis that was, `DATABASE_URL`.
    pub(super) database: Option<Place>,
    /// The one that was named; beside a database that was, `REDIS_URL`.
    pub(super) redis: Option<String>,
    /// Nobody has said whether the service has a Redis beside its database.
    pub(super) redis_is_unsaid: bool,
    /// The server's keys, where they are known here.
    pub(super) keys: Option<KeyRing>,
    pub(super) policy: Policy,
    /// Whether the server has somebody who checks captchas.
    pub(super) captcha: bool,
}

const NAMED: &str = "--server";
const WANTED: &str = "must be the http:// or https:// URL of the operator's listener, or a store: \
    sqlite:, postgres://, mysql:// or redis://";
const MINUTE: Duration = Duration::from_secs(60);

impl Settings {
    pub(super) fn read(url: &str) -> Result<Self, Failure> {
        Self::of(url).map_err(|refused| Failure::Unfit(refused.to_string()))
    }

    fn of(url: &str) -> Result<Self, Refused> {
        let env = Environment::of_process()?;
        let (database, redis) = if stores::is_redis(url) {
            let beside = env.get("DATABASE_URL");
            let beside = beside.map(|url| stores::place("DATABASE_URL", url));
            (beside.transpose()?, Some(url.to_owned()))
        } else {
            let named = stores::place(NAMED, url).map_err(|_| Refused::new(NAMED, WANTED))?;
            let beside = stores::redis(&env)?;
            (Some(named), beside.map(|redis| redis.url))
        };
        let has_keys = ["OTP_KEYS", "OTP_KEYS_FILE", "SECRET_KEY"]
            .iter()
            .any(|name| env.get(name).is_some());
        let keys = has_keys.then(|| Keys::read(&env, false)).transpose()?;
        let wanted = "a number from 1 to 10000";
        let most = env.parsed("RATE_LIMIT_REQUESTS", "100", wanted)?;
        let address = Quota::window(most, MINUTE)
            .map_err(|_| Refused::must_be("RATE_LIMIT_REQUESTS", wanted))?;
        let policy = policy::read(&env, address)?.policy;
        // Set to nothing it says that there is none.
        let redis_is_unsaid = redis.is_none() && std::env::var_os("REDIS_URL").is_none();
        Ok(Self {
            database,
            redis,
            redis_is_unsaid,
            keys: keys.map(|keys| keys.ring),
            captcha: env.get("CAPTCHA_PROVIDER").is_some() || policy.captcha().asks_by_itself(),
            policy,
        })
    }
}
