//! Everything in one Redis: many instances of the service, one set of counters.
//!
//! Every intent is one Lua script, and so one atomic step and one round trip. The scripts decide
//! as the pure functions of `otp-core` do, by the server's own clock.
//!
//! # Keys
//! Under `otp:` lie challenges, their indexes, send quotas and the host's idempotency keys, all
//! with a time to live. Under `otpguard:` lie budgets with their locks and disablements, the
//! quotas of verifying, blocks, what was seen, the highest time and the audit outbox; of these
//! only quotas and what was seen have a time to live. Whoever deletes every `otp:*` key ends every
//! challenge and refills every send, and opens no lock.
//!
//! A subject's challenges, slots and budget share a hash tag, `{...}`, made of
//! [`ChallengeId::shard`](otp_core::challenge::ChallengeId::shard).
//!
//! # Limits
//! One server, or one primary: no Redis Cluster (indexes, quotas and outbox lie beside the hash
//! tags), no Sentinel discovery, no TLS. What a failover loses is lost: a replica that had not
//! heard of a success or a guess when it was promoted does not know of it. Nothing bounds the
//! outbox but [`acknowledge`](otp_core::store::AuditStore::acknowledge).

mod admit;
mod audit;
mod blocklist;
mod budgets;
mod challenges;
mod failure;
mod keys;
mod link;
mod options;
mod policy;
mod quotas;
mod script;
mod seen;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock;
use otp_core::event::Event;
use otp_core::store::StoreError;

pub use options::RedisOptions;

use keys::Keys;
use link::Link;
use script::Source;

use crate::wire::reply::Reply;
use crate::wire::request::Request;

/// A store in one Redis server.
///
/// - *One round trip.* Issuing asks once before a message is sent and once to put the challenge;
///   verifying asks once to count the guess and once to take the success.
/// - *Steady.* The server's clock decides. The highest time seen is kept in the server, so that a
///   clock that is set back is noticed by every instance; see
///   [`forgive_clock`](Self::forgive_clock).
/// - *Bounded.* Whoever is not answered within the deadline hears
///   [`Unavailable`](StoreErrorKind::Unavailable); whether the intent was carried out is then not
///   known.
/// - *Cancellable.* No future of a caller touches the connection, and every answer is checked to
///   be the one to its question.
/// - *As durable as the server is.* Use `appendfsync always` where a lost second of guesses is
///   too much, and `maxmemory-policy noeviction` in any case: others are refused, see
///   [`RedisOptions::allow_eviction`].
///
/// Cheap to clone; clones share one connection, which comes back by itself.
///
/// # Examples
/// ```no_run
/// use otp_core::store::ChallengeStore as _;
/// use otp_store::RedisStore;
///
/// # async fn example() -> Result<(), otp_core::store::StoreError> {
/// let store = RedisStore::connect("redis://127.0.0.1:6379").await?;
/// let now = store.ping().await?;
/// # let _ = now;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    link: Link,
    keys: Keys,
    clock: Option<Arc<dyn Clock>>,
    keep: Duration,
}

impl RedisStore {
    /// Connects to a server as `redis://user:password@host:port/database` names it.
    ///
    /// # Errors
    /// As [`with_options`](Self::with_options).
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::with_options(RedisOptions::new(url)).await
    }

    /// Connects as the options say.
    ///
    /// # Errors
    /// [`StoreError`]: [`Unavailable`](StoreErrorKind::Unavailable) where the server is not reached
    /// in time, [`Invalid`](StoreErrorKind::Invalid) where the URL is none, or where the server
    /// evicts keys, or does not say whether it does.
    pub async fn with_options(options: RedisOptions) -> Result<Self, StoreError> {
        let link = Link::open(&options.url, options.deadline).await?;
        if options.eviction == policy::Eviction::Refused {
            policy::check(&link).await?;
        }
        Ok(Self {
            inner: Arc::new(Inner {
                link,
                keys: Keys::new(&options.prefix),
                clock: options.clock,
                keep: options.keep,
            }),
        })
    }

    /// Accepts the server's clock as it stands, after an operator has put right one that had leapt
    /// ahead.
    ///
    /// Until then every answer is [`ClockAnomaly`](StoreErrorKind::ClockAnomaly). Every live
    /// challenge is revoked in the same step, because nobody can say any more which of them had
    /// expired; answers how many, and adds to the event how many as the reason `revoked:N`. Locks
    /// and quotas stay as they are and may last longer by the leap.
    ///
    /// # Errors
    /// [`StoreError`]; then the clock is not accepted.
    pub async fn forgive_clock(&self, event: Event) -> Result<u64, StoreError> {
        let request = self
            .request("forgive")
            .text("why", event.reason.as_deref().unwrap_or("revoked"))
            .event(&event);
        self.ask(&script::DESK, request).await?.number(0)
    }

    /// Starts a request for a step of a script.
    fn request(&self, step: &str) -> Request {
        let request = Request::new(step)
            .text("prefix", &self.inner.keys.prefix)
            .text("guard", &self.inner.keys.guard);
        match &self.inner.clock {
            Some(clock) => request.text("now", &clock.now().as_millis().to_string()),
            None => request,
        }
    }

    async fn ask(&self, source: &'static Source, request: Request) -> Result<Reply, StoreError> {
        self.inner.link.ask(source, request).await
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("keep", &self.inner.keep)
            .finish_non_exhaustive()
    }
}
