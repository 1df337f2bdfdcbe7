//! Everything in Redis: many instances of the service, one set of counters.
//!
//! Every intent is one Lua script, and so one atomic step and one round trip. The scripts decide
//! as the pure functions of `otp-core` do, by the server's own clock.
//!
//! # Keys
//! Under `otp:` lie challenges, their indexes, send quotas, the host's idempotency keys and counts of
//! what happens, all with a time to live. Under `otpguard:` lie budgets with their locks and disablements, the
//! quotas of verifying, blocks, what was seen, the highest time, a sign of life, the form of all
//! this, the policy and the audit outbox; of these only quotas, what was seen and the turns of blocks have a
//! time to live. Sessions lie there too, each with a time to live, beside the tenants and when all of
//! one's sessions were ended, which have none; state for one use lies under `otp:`. Whoever deletes
//! every `otp:*` key ends every challenge and refills every send, and opens no lock and no session.
//! (In a cluster: on every node.)
//!
//! # Restarts and failovers
//! A server that is started anew, and a replica that is promoted, may not know of what was
//! acknowledged last. A challenge is therefore bound to the server's line of replication, whose
//! name changes with each of them: under another line it counts as expired, so that no code that
//! was used is ever used again. Servers that lose nothing may be excepted, see
//! [`RedisOptions::keep_challenges_over_restarts`]. What else was acknowledged last and is lost
//! stays lost: guesses (whose challenges ended), charges of quotas, blocks, records, and what changed
//! sessions. One that was ended in that moment may live on: end it again. One whose refresh token was
//! turned over in that moment ends when the successor is used, as if it were a copy. State for one
//! use counts as taken under another line. A record's
//! place in the outbox is never given again: it is the server's time in microseconds, or the next
//! number after the last one. Servers that may replace each other must keep their clocks together.
//!
//! # Redis Cluster
//! [`RedisOptions::cluster`] divides a store into shelves, whole small stores that each lie under
//! one hash tag, as `otp:{s17}:`. A subject's challenges and budget are on one shelf, and every
//! promise about them is as strong as on a single server. What is not:
//!
//! - *Quotas* and *idempotency keys* lie on the shelf of their own name. They are charged and taken
//!   before the subject's shelf decides, the requester's quotas before all others', and given back
//!   where it refuses. Never more are admitted than a quota's limit; a caller who races may be
//!   refused for a charge that is then given back, and may hear of a repeated request's challenge
//!   that is then refused. Where a node is lost in between, a charge stays until its time is over.
//! - *Blocks* are written to every shelf, to the first one first: it has the record, and of calls
//!   that race its order holds on all shelves. While shelves differ a request is refused as blocked
//!   where one of those that it needs has the block. An error says that some may not have it; the
//!   same call once more makes it whole.
//! - *Counts* of a name lie on one shelf a tenant. A call that counts under several names or tenants
//!   asks their shelves beside each other; one that fails may have counted on some of them.
//! - *Sessions* are on their subject's shelf. Ending those of a tenant, or all, goes from shelf to
//!   shelf; its record comes last, and where it fails half-way the same call ends the rest.
//! - *Listing, revoking, purging and forgiving* go from shelf to shelf, each a step of its own.
//! - *The outbox* takes the shelves' records over when it is read: each at least once, by its id,
//!   and those of a shelf in their order. A node that is down keeps its records until it is back;
//!   the others' are handed over, and [`purge`](otp_core::store::ChallengeStore::purge) passes it
//!   by. Without the node of the first shelf there is neither.
//! - *Slots that move* are out of order while they do: calls for a shelf in them answer
//!   [`Unavailable`](StoreErrorKind::Unavailable), because neither node sees all of it, and its
//!   challenges count as expired afterwards. So are the subjects of a node that is down.
//!
//! Issuing takes two round trips, as on a single server, where there is nothing on other shelves;
//! one more for the requester's quotas and the host's key, which are asked for beside each other,
//! and one more for the quotas of others. Verifying is the same: three with quotas of the requester
//! only. Each shelf of quotas is a script of its own, and what is refused is one more to give back.
//!
//! # Limits
//! [`ping`](otp_core::store::ChallengeStore::ping) in a cluster asks every shelf. A revocation
//! that names neither challenge nor subject is carried out in batches of about 500, with one
//! record at the end: where the server is lost half-way, what was revoked has none. A list that
//! names neither, and [`forgive_clock`](RedisStore::forgive_clock), are one step a shelf, however
//! many challenges there are. `INFO` must be allowed to scripts.

mod admit;
mod audit;
mod blocklist;
mod budgets;
mod challenges;
mod deliveries;
mod devices;
mod dial;
mod distant;
mod factors;
mod failure;
mod keys;
mod link;
mod options;
mod policies;
mod policy;
mod quotas;
mod script;
mod seen;
mod sessions;
mod shelf;
mod stats;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock;
use otp_core::event::Event;
use otp_core::store::{StoreError, StoreErrorKind};
use tokio::sync::OnceCell;

pub use options::RedisOptions;

use dial::Dial;
use keys::Keys;
use link::{Link, Pending};
use options::Servers;
use policy::{Eviction, Restarts};
use script::Source;
use shelf::{Shelf, Shelves};

use crate::wire::reply::Reply;
use crate::wire::request::Request;

/// The most that a number of a script stands for exactly.
const LARGEST: u64 = 1 << 51;

/// A store in Redis: one server, one primary among replicas, or a cluster.
///
/// - *One round trip.* Issuing asks once before a message is sent and once to put the challenge;
///   verifying asks once to count the guess and once to take the success. In a cluster there is
///   one more for quotas, see [the module](self#redis-cluster).
/// - *Steady.* The server's clock decides. The highest time seen is kept in the server, so that a
///   clock that is set back is noticed by every instance; see
///   [`forgive_clock`](Self::forgive_clock).
/// - *Bounded.* Whoever is not answered within the deadline hears
///   [`Unavailable`](StoreErrorKind::Unavailable); whether the intent was carried out is then not
///   known.
/// - *Cancellable.* No future of a caller touches the connection, and every answer is checked to
///   be the one to its question.
/// - *At most once.* No request is sent again that may have been carried out: whoever hears
///   [`Unavailable`](StoreErrorKind::Unavailable) decides about that.
/// - *As durable as the server is, and no success twice.* A restart or a failover ends what was
///   outstanding. Use `appendfsync always` where a lost second of guesses is too much, and `maxmemory-policy noeviction` in any case: others are refused, see
///   [`RedisOptions::allow_eviction`].
///
/// Cheap to clone; clones share one connection, which comes back by itself. One that let a call
/// wait too long, or leads to a server that takes no writes any more, is left.
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
    restarts: Restarts,
    eviction: Eviction,
    /// Whether the server was found fit, which is asked before anything else.
    entered: OnceCell<()>,
    /// How many records the outbox holds, and each shelf's share of it.
    room: (u64, u64),
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
    /// [`StoreError`]: [`Unavailable`](StoreErrorKind::Unavailable) where a server is not reached
    /// in time, or its certificate is not believed; [`Invalid`](StoreErrorKind::Invalid) where a
    /// URL or certificate is none, where a server evicts keys or does not say whether it does,
    /// where a store in a cluster was made with another number of shelves, or where another version
    /// of the library keeps the store in a form that this one does not know.
    pub async fn with_options(options: RedisOptions) -> Result<Self, StoreError> {
        let store = Self::connect_lazy(options)?;
        store.inner.link.open().await?;
        store.entered().await?;
        Ok(store)
    }

    /// Makes a store whose server need not be there yet: the first call connects. For a service
    /// that must start while its Redis is away, beneath
    /// [`Degrading`](crate::composite::Degrading) or by itself.
    ///
    /// Until the server was reached and found fit, every answer is what
    /// [`with_options`](Self::with_options) would have said; each call asks anew.
    ///
    /// # Errors
    /// [`Invalid`](StoreErrorKind::Invalid) where a URL or certificate is none.
    pub fn connect_lazy(options: RedisOptions) -> Result<Self, StoreError> {
        let shelves = match &options.servers {
            Servers::Cluster { .. } if options.prefix.contains(['{', '}']) => {
                return Err(StoreErrorKind::Invalid.into());
            }
            Servers::Cluster { shelves, .. } => Shelves::many(&options.prefix, *shelves),
            _ => Shelves::one(&options.prefix),
        };
        let link = Link::new(Dial::new(&options)?, options.deadline, options.eviction);
        let limit = u64::try_from(options.outbox_limit).unwrap_or(LARGEST);
        let limit = limit.min(LARGEST);
        let share = u64::try_from(shelves.count()).unwrap_or(u64::MAX);
        Ok(Self {
            inner: Arc::new(Inner {
                link,
                keys: Keys { shelves },
                clock: options.clock,
                keep: options.keep,
                restarts: options.restarts,
                eviction: options.eviction,
                entered: OnceCell::new(),
                room: (limit, limit.div_ceil(share)),
            }),
        })
    }

    /// Has the server found fit, once.
    async fn entered(&self) -> Result<(), StoreError> {
        let enter = || self.enter(self.inner.eviction);
        self.inner.entered.get_or_try_init(enter).await.copied()
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
        let shelves = &self.inner.keys.shelves;
        let mut ended = 0_u64;
        for shelf in shelves.all() {
            let request = self
                .request(shelf, "forgive")
                .with("ended", ended.into())
                .text("why", event.reason.as_deref().unwrap_or("revoked"));
            let request = if shelf.is(shelves.first()) {
                request.event(&event)
            } else {
                request
            };
            let reply = self.ask(shelf, &script::DESK, request).await?;
            ended = ended.saturating_add(reply.number(0)?);
        }
        Ok(ended)
    }

    /// Starts a request for a step of a script on a shelf.
    fn request(&self, shelf: &Shelf, step: &str) -> Request {
        let inner = &self.inner;
        let mut request = Request::new(step)
            .text("prefix", &shelf.prefix)
            .text("guard", &shelf.guard)
            .with("room", inner.room.1.into());
        if let Some(clock) = &inner.clock {
            request = request.text("now", &clock.now().as_millis().to_string());
        }
        if inner.restarts == Restarts::KeepChallenges {
            request = request.text("era", "any");
        }
        match inner.keys.shelves.divided() {
            Some(_) => request.with("shelved", true.into()),
            None => request,
        }
    }

    async fn ask(
        &self,
        shelf: &Shelf,
        source: &'static Source,
        request: Request,
    ) -> Result<Reply, StoreError> {
        if self.inner.entered.initialized() {
            let link = &self.inner.link;
            return link.ask(source, shelf.route(), request).await;
        }
        self.begin(shelf, source, request).answer().await
    }

    /// Takes an answer, or none of a shelf whose node is down; without the first one nothing goes.
    fn heard(
        &self,
        shelf: &Shelf,
        answer: Result<Reply, StoreError>,
    ) -> Result<Option<Reply>, StoreError> {
        match answer {
            Err(error)
                if error.kind() == StoreErrorKind::Unavailable
                    && !shelf.is(self.inner.keys.shelves.first()) =>
            {
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// Sends a request; its answer may be waited for beside others.
    fn begin(&self, shelf: &Shelf, source: &'static Source, request: Request) -> Pending {
        if self.inner.entered.initialized() {
            return self.begin_at_once(shelf, source, request);
        }
        let (store, shelf) = (self.clone(), shelf.clone());
        self.inner.link.first(async move {
            store.entered().await?;
            let pending = store.begin_at_once(&shelf, source, request);
            pending.answer().await
        })
    }

    fn begin_at_once(&self, shelf: &Shelf, source: &'static Source, request: Request) -> Pending {
        self.inner.link.begin(source, shelf.route(), request)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("keep", &self.inner.keep)
            .finish_non_exhaustive()
    }
}
