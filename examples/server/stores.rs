//! The store that the configuration asks for: an engine, or engines put together.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use otp_kit::metrics::Metrics;
use otp_kit::store::{
    ChainStore, Degrading, MysqlOptions, MysqlStore, PostgresOptions, PostgresStore,
    ReadOnlyFallback, RedisOptions, RedisStore, SessionStore, Split, SqliteStore, Store,
    StoreErrorKind,
};

use otp_kit::policy::OutagePolicy;

use crate::config::{Place, Redis, Refused, Stores};

/// Takes a store of whatever type the configuration comes to.
pub(crate) trait Taker {
    type Taken;

    fn take(self, store: impl Store + ChainStore + Clone) -> Self::Taken;
}

/// What the taker made, and where sessions are kept.
type Opened<T> = (<T as Taker>::Taken, Arc<dyn SessionStore>);

/// Opens what is asked for and hands it over. Sessions are kept where guesses are decided: in Redis
/// where there is one, else in the database.
pub(crate) async fn open<T: Taker>(
    stores: Stores,
    metrics: &Metrics,
    taker: T,
) -> Result<Opened<T>, Refused> {
    let Stores {
        database,
        fallback,
        redis,
        connections,
        connection_life,
    } = stores;
    match database {
        Place::Sqlite(path) => {
            let store = sqlite("DATABASE_URL", path).await?;
            shared(redis, store, taker).await
        }
        Place::Postgres(url) => {
            let mut options = PostgresOptions::new(&url);
            if let Some(most) = connections {
                options = options.connections(most.get());
            }
            if let Some(life) = connection_life {
                options = options.connection_life(life);
            }
            let store = PostgresStore::with_options(options)
                .await
                .map_err(database_refused)?;
            let watched = store.clone();
            metrics.watch_pool("postgres", move || watched.connections());
            backed(fallback, redis, store, taker).await
        }
        Place::Mysql(url) => {
            let mut options = MysqlOptions::new(&url);
            if let Some(most) = connections {
                options = options.connections(most.get());
            }
            if let Some(life) = connection_life {
                options = options.connection_life(life);
            }
            let store = MysqlStore::with_options(options)
                .await
                .map_err(database_refused)?;
            let watched = store.clone();
            metrics.watch_pool("mysql", move || watched.connections());
            backed(fallback, redis, store, taker).await
        }
    }
}

/// Puts a file beneath the database, for the operator to read from while it is away.
async fn backed<T: Taker>(
    fallback: Option<PathBuf>,
    redis: Option<Redis>,
    store: impl Store + ChainStore + SessionStore + Clone,
    taker: T,
) -> Result<Opened<T>, Refused> {
    let Some(path) = fallback else {
        return shared(redis, store, taker).await;
    };
    let beneath = sqlite("DATABASE_FALLBACK_URL", path).await?;
    shared(redis, ReadOnlyFallback::new(store, beneath), taker).await
}

/// Puts Redis before the database, where there is one: it decides, the database keeps the record.
async fn shared<T: Taker>(
    redis: Option<Redis>,
    database: impl Store + ChainStore + SessionStore + Clone,
    taker: T,
) -> Result<Opened<T>, Refused> {
    let Some(Redis {
        url,
        outage,
        instances,
    }) = redis
    else {
        let sessions = Arc::new(database.clone());
        return Ok((taker.take(database), sessions));
    };
    let unusable = |error| refused("REDIS_URL", "names a Redis that cannot be used", &error);
    let opened = RedisStore::connect(&url).await;
    let store = match opened {
        // What goes on without Redis also starts without it.
        Err(error)
            if error.kind() == StoreErrorKind::Unavailable && outage != OutagePolicy::closed() =>
        {
            tracing::warn!(
                error = &error as &dyn Error,
                "redis: not there at the start"
            );
            RedisStore::connect_lazy(RedisOptions::new(&url)).map_err(unusable)?
        }
        opened => opened.map_err(unusable)?,
    };
    let store = Degrading::new(store, outage, instances);
    let engine = database.engine();
    let sessions = Arc::new(store.clone());
    Ok((taker.take(Split::new(store, database, engine)), sessions))
}

async fn sqlite(key: &str, path: PathBuf) -> Result<SqliteStore, Refused> {
    let opened = SqliteStore::open(path).await;
    opened.map_err(|error| refused(key, "names a database that cannot be opened", &error))
}

fn database_refused(error: otp_kit::store::StoreError) -> Refused {
    refused(
        "DATABASE_URL",
        "names a database that cannot be opened",
        &error,
    )
}

/// The line on standard error names the setting; the cause is in the log, for the operator.
fn refused(key: &str, problem: &str, error: &(dyn Error + 'static)) -> Refused {
    tracing::error!(error, "{key} {problem}");
    Refused::new(key, problem)
}
