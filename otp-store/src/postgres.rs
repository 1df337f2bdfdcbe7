//! Everything in one `PostgreSQL`: many instances of the service, one set of rows.
//!
//! Every intent is one call of a function in the database: one statement, one round trip, one
//! transaction of its own. The functions decide as the pure functions of `otp-core` do, by the
//! server's own clock.
//!
//! # Isolation
//! Callers who would decide about the same things queue for advisory locks, and read what the one
//! before them committed. That needs READ COMMITTED, `PostgreSQL`'s default. Where the host's pool
//! defaults to another level, the functions refuse, and every call is put into a transaction that
//! asks for READ COMMITTED by name: as safe, for two round trips more.
//!
//! # Versions
//! Tables and functions are made by [`PostgresStore::migrate`]. Names of functions end in their
//! version: a later library lays its own beside them, and both work on one schema.
//!
//! # Limits
//! `PostgreSQL` 14 or later, and its primary. Behind a pooler that hands out connections by the
//! transaction, turn the client's prepared statements off
//! ([`statement_cache_capacity(0)`](sqlx::postgres::PgConnectOptions::statement_cache_capacity)).
//! Nothing bounds `audit_logs` but [`keep_audit`](PostgresOptions::keep_audit).

mod admit;
mod audit;
mod blocklist;
mod budgets;
mod chain;
mod challenges;
mod deliveries;
mod devices;
mod factors;
mod failure;
mod link;
mod mark;
mod options;
mod policy;
mod quotas;
mod schema;
mod seen;
mod sessions;
mod stats;

use std::fmt;
use std::sync::Arc;

use otp_core::clock::Clock;
use otp_core::event::Event;
use otp_core::store::{Connections, StoreError};
use sqlx::PgPool;

pub use options::PostgresOptions;

pub use crate::Tables;

use link::{Function, Link};

use crate::terms::Retention;
use crate::wire::reply::Reply;
use crate::wire::request::Request;

/// A store in one `PostgreSQL` database.
///
/// - *One round trip.* Issuing asks once before a message is sent and once to put the challenge;
///   verifying asks once to count the guess and once to take the success.
/// - *Durable.* As the server's `synchronous_commit` is: what was answered is committed.
/// - *Cancellable.* No future of a caller touches a connection: a dropped one leaves its intent
///   done or not done, and harms nobody.
/// - *Bounded.* Whoever is not answered within the deadline hears
///   [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable); whether the intent was carried
///   out is then not known, and the connection is closed.
/// - *Steady.* The server's clock decides. The highest time is noted in the database about once a
///   second and kept by every process, so that a clock that is set back, also by a failover, is
///   noticed; see [`forgive_clock`](Self::forgive_clock).
///
/// Guesses are forgotten when their subject's next one is reserved, not by
/// [`purge`](otp_core::store::ChallengeStore::purge): how long they count is the budget's rule.
/// A record of a kind that only a later version of this library knows is passed over by the outbox
/// and stays in the audit log.
///
/// Cheap to clone; clones share everything.
///
/// # Examples
/// ```no_run
/// use otp_core::store::ChallengeStore as _;
/// use otp_store::PostgresStore;
///
/// # async fn example() -> Result<(), otp_core::store::StoreError> {
/// let store = PostgresStore::connect("postgres://otp@localhost/otp").await?;
/// let now = store.ping().await?;
/// # let _ = now;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    inner: Arc<Inner>,
}

struct Inner {
    link: Link,
    clock: Option<Arc<dyn Clock>>,
    retention: Retention,
}

impl PostgresStore {
    /// Connects to a server as `postgres://user:password@host:port/database` names it, and brings
    /// the tables up to date in the connection's schema.
    ///
    /// # Errors
    /// As [`with_options`](Self::with_options).
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::with_options(PostgresOptions::new(url)).await
    }

    /// Opens a store as the options say.
    ///
    /// # Errors
    /// [`StoreError`]: [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable) where the
    /// server is not reached in time, or takes no writes;
    /// [`Invalid`](otp_core::store::StoreErrorKind::Invalid) where the URL is none, or the server
    /// is older than version 14;
    /// [`Corrupt`](otp_core::store::StoreErrorKind::Corrupt) where the tables are missing, or those
    /// of a version of this library that this one cannot work with.
    pub async fn with_options(options: PostgresOptions) -> Result<Self, StoreError> {
        let pool = options.pool_of()?;
        let link = Link::new(pool.clone(), options.deadline);
        let tables = options.tables;
        link.within(async move { schema::open(&pool, tables).await })
            .await?;
        Ok(Self {
            inner: Arc::new(Inner {
                link,
                clock: options.clock,
                retention: options.retention,
            }),
        })
    }

    /// Says how full the pool is, at once and without asking the server.
    #[must_use]
    pub fn connections(&self) -> Connections {
        self.inner.link.connections()
    }

    /// Makes tables and functions in the schema of the pool's connections, or brings them up to
    /// date. Where they are there already it changes nothing; of several at once, one does it and
    /// the others wait. Either all of it is done or none.
    ///
    /// What was done is noted in the table `_otp_kit_migrations`, beside which the host's own
    /// migrations are not mixed up.
    ///
    /// # Errors
    /// [`StoreError`]: [`Corrupt`](otp_core::store::StoreErrorKind::Corrupt) where the tables are
    /// those of a version of this library that this one cannot work with.
    pub async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
        let pool = pool.clone();
        link::aside(async move { schema::migrate(&pool).await }).await
    }

    /// Accepts the server's clock as it stands, after an operator has put right one that had leapt
    /// ahead.
    ///
    /// Until then every answer is
    /// [`ClockAnomaly`](otp_core::store::StoreErrorKind::ClockAnomaly). Every live challenge is
    /// revoked and every session ended in the same step, because nobody can say any more which of
    /// them had expired; answers how many challenges, and adds to the event how many as the reason `revoked:N`. Locks and quotas stay as
    /// they are and may last longer by the leap. Every process on the same tables takes part.
    ///
    /// # Errors
    /// [`StoreError`]; then the clock is not accepted.
    pub async fn forgive_clock(&self, event: Event) -> Result<u64, StoreError> {
        let request = self.request("forgive").event(&event);
        self.ask(Function::Desk, request).await?.number(0)
    }

    /// Starts a request for a step of a function.
    fn request(&self, step: &str) -> Request {
        let request = Request::naming(step);
        match &self.inner.clock {
            Some(clock) => request.text("now", &clock.now().as_millis().to_string()),
            None => request,
        }
    }

    async fn ask(&self, function: Function, request: Request) -> Result<Reply, StoreError> {
        self.inner.link.ask(function, request).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("retention", &self.inner.retention)
            .finish_non_exhaustive()
    }
}
