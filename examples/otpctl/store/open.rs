//! The verifier on a store, to be acted on and never to be asked by users.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use otp_kit::audit::Sealer;
use otp_kit::prelude::*;
use otp_kit::store::{
    ChainStore, MysqlOptions, MysqlStore, PostgresOptions, PostgresStore, RedisStore, Split,
    SqliteOptions, SqliteStore, Store, StoreError, Tables,
};

use super::nobody::Nobody;
use super::settings::{Place, Settings};
use crate::failure::Failure;

/// Connections that one command has.
const CONNECTIONS: u32 = 2;
/// How often the fleet's policy is looked for while it is not known.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Opens what is there: tables that are missing are made by a server, at a version of its own.
pub(super) async fn open(settings: &Settings) -> Result<Verifier, Failure> {
    let verifier = match &settings.database {
        Some(Place::Sqlite(path)) => {
            if !path.exists() {
                let why = format!("there is no store at {}", path.display());
                return Err(Failure::Unavailable(why));
            }
            let options = SqliteOptions::file(path).tables(Tables::Expect);
            let store = SqliteStore::with_options(options).await;
            beside(settings, store.map_err(unopened("sqlite"))?).await?
        }
        Some(Place::Postgres(url)) => {
            let options = PostgresOptions::new(url).connections(CONNECTIONS);
            let store = PostgresStore::with_options(options.tables(Tables::Expect)).await;
            beside(settings, store.map_err(unopened("postgres"))?).await?
        }
        Some(Place::Mysql(url)) => {
            let options = MysqlOptions::new(url).connections(CONNECTIONS);
            let store = MysqlStore::with_options(options.tables(Tables::Expect)).await;
            beside(settings, store.map_err(unopened("mysql"))?).await?
        }
        None => {
            let url = settings.redis.as_deref().unwrap_or_default();
            build(settings, redis(url).await?, None)?
        }
    };
    follow(&verifier).await?;
    Ok(verifier)
}

/// Puts Redis before the database, where the server has one.
async fn beside(
    settings: &Settings,
    database: impl Store + ChainStore + Clone,
) -> Result<Verifier, Failure> {
    match settings.redis.as_deref() {
        None => chained(settings, database),
        Some(url) => {
            let engine = database.engine();
            chained(settings, Split::new(redis(url).await?, database, engine))
        }
    }
}

async fn redis(url: &str) -> Result<RedisStore, Failure> {
    let store = RedisStore::connect(url).await;
    store.map_err(unopened("redis"))
}

fn chained(
    settings: &Settings,
    store: impl Store + ChainStore + Clone,
) -> Result<Verifier, Failure> {
    let chain = Arc::new(store.clone());
    build(settings, store, Some(chain))
}

/// Without the server's keys nothing is sealed: by keys of our own nobody could tell it from a
/// forgery.
fn build(
    settings: &Settings,
    store: impl Store,
    chain: Option<Arc<dyn ChainStore>>,
) -> Result<Verifier, Failure> {
    let keys = match &settings.keys {
        Some(ring) => ring.clone(),
        None => KeyRing::generate(&OsRandom).map_err(|error| unbuilt(&error))?,
    };
    let mut builder = Verifier::builder(store, keys.clone())
        .policy(settings.policy.clone())
        .route(Channel::Email, Route::primary(Nobody));
    if let (Some(chain), Some(_)) = (chain, &settings.keys) {
        let sealer = Sealer::new(chain, keys).map_err(|error| unbuilt(&error))?;
        builder = builder.sealer(sealer);
    }
    if settings.captcha {
        builder = builder.captcha(Nobody);
    }
    builder.build().map_err(|error| unbuilt(&error))
}

/// Takes over the policy of the fleet, which says what is counted against whom.
async fn follow(verifier: &Verifier) -> Result<(), Failure> {
    let version = verifier.store().version().await;
    let version = version.map_err(unopened("policy"))?;
    let policies = verifier.policies();
    let taken = async {
        loop {
            let fleet = policies.fleet();
            if fleet.version >= version || fleet.trouble.is_some() {
                break fleet.trouble;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let trouble = tokio::select! {
        never = verifier.follow_policy(LOOK_EVERY) => match never {},
        trouble = taken => trouble,
    };
    if trouble.is_some() {
        eprintln!("otpctl: the policy of the fleet is not one that can be in force here");
    }
    Ok(())
}

fn unopened(engine: &'static str) -> impl Fn(StoreError) -> Failure {
    move |error| {
        let why = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        Failure::Unavailable(format!("{engine} cannot be opened: {why}"))
    }
}

fn unbuilt(error: &dyn Error) -> Failure {
    Failure::Unavailable(format!("the store cannot be acted on: {error}"))
}
