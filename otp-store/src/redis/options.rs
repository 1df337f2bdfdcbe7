//! How a store is reached.

use std::fmt;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock;

use super::policy::{Eviction, Restarts};

/// How many shelves a store in a cluster has.
const SHELVES: NonZeroU16 = NonZeroU16::MIN.saturating_add(63);

/// Says which servers a [`RedisStore`](super::RedisStore) keeps things in and how long it waits.
///
/// A URL is `redis://user:password@host:port/database`; with `rediss://` the connection is
/// encrypted, and the server's certificate checked against the platform's authorities or
/// [`root_certificate`](Self::root_certificate).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_store::redis::RedisOptions;
///
/// let options = RedisOptions::new("redis://127.0.0.1:6379").deadline(Duration::from_secs(1));
/// let named = RedisOptions::sentinel("main", &["redis://10.0.0.1:26379", "redis://10.0.0.2:26379"]);
/// let cluster = RedisOptions::cluster(&["rediss://10.0.0.1:6379"]).login(None, "password");
/// # let _ = (options, named, cluster);
/// ```
#[derive(Clone)]
pub struct RedisOptions {
    pub(super) servers: Servers,
    pub(super) login: Option<Login>,
    pub(super) root: Option<String>,
    pub(super) prefix: String,
    pub(super) clock: Option<Arc<dyn Clock>>,
    pub(super) deadline: Duration,
    pub(super) keep: Duration,
    pub(super) eviction: Eviction,
    pub(super) restarts: Restarts,
    pub(super) outbox_limit: usize,
}

/// Where the servers are found.
#[derive(Clone)]
pub(super) enum Servers {
    One(String),
    Sentinel {
        service: String,
        urls: Vec<String>,
    },
    Cluster {
        urls: Vec<String>,
        shelves: NonZeroU16,
    },
}

/// How a server knows us.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) username: Option<String>,
    pub(super) password: String,
}

impl RedisOptions {
    /// Keeps everything in the server of this URL.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self::of(Servers::One(url.to_owned()))
    }

    /// Keeps everything in the primary of a service, as the Sentinels of these URLs name it.
    ///
    /// The primary is asked for anew whenever a connection is lost, times out, or turns out to be
    /// to a server that takes no writes any more: after a failover the store works by itself, and
    /// is [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable) until then. What the first
    /// URL names (user, password, database, encryption) holds for the primary, too, unless there
    /// is a [`login`](Self::login). Use `min-replicas-to-write 1`, which bounds what a primary
    /// that was cut off acknowledges and loses.
    #[must_use]
    pub fn sentinel(service: &str, urls: &[&str]) -> Self {
        Self::of(Servers::Sentinel {
            service: service.to_owned(),
            urls: owned(urls),
        })
    }

    /// Keeps everything in the Redis Cluster that the nodes of these URLs belong to.
    ///
    /// See [the module](super#redis-cluster) for what is weaker there, and what a call costs.
    #[must_use]
    pub fn cluster(urls: &[&str]) -> Self {
        Self::of(Servers::Cluster {
            urls: owned(urls),
            shelves: SHELVES,
        })
    }

    fn of(servers: Servers) -> Self {
        Self {
            servers,
            login: None,
            root: None,
            prefix: "otp".to_owned(),
            clock: None,
            deadline: Duration::from_secs(2),
            keep: Duration::from_secs(86_400),
            eviction: Eviction::Refused,
            restarts: Restarts::EndChallenges,
            outbox_limit: 1_000_000,
        }
    }

    /// Sets into how many shelves a store in a cluster is divided, and so among how many nodes it
    /// can be spread. Default: 64. No meaning without a cluster.
    ///
    /// It is written down when a store is used first, and another number is refused from then on.
    #[must_use]
    pub fn shelves(mut self, count: NonZeroU16) -> Self {
        if let Servers::Cluster { shelves, .. } = &mut self.servers {
            *shelves = count;
        }
        self
    }

    /// Sets how the servers that Sentinels name, or of a cluster, know us. Default: as the first
    /// URL says. No meaning with a single server, whose URL says it.
    #[must_use]
    pub fn login(mut self, username: Option<&str>, password: &str) -> Self {
        self.login = Some(Login {
            username: username.map(str::to_owned),
            password: password.to_owned(),
        });
        self
    }

    /// Takes certificates that one of these authorities (PEM) has signed, and no others. Every
    /// URL must begin with `rediss://`. Default: the platform's authorities.
    ///
    /// Where the process has named no default [`CryptoProvider`] of rustls before the store
    /// connects with `rediss://`, the store names `ring`.
    ///
    /// [`CryptoProvider`]: https://docs.rs/rustls/latest/rustls/crypto/struct.CryptoProvider.html
    #[must_use]
    pub fn root_certificate(mut self, pem: &str) -> Self {
        self.root = Some(pem.to_owned());
        self
    }

    /// Sets what keys begin with. Default: `otp`, for `otp:` and `otpguard:`.
    ///
    /// Two stores of one prefix on one server are one store. In a cluster it must have no brace.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Decides by this clock in place of the server's: for tests. Every instance must have the
    /// same one.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets how long a caller waits for any one answer; then it is
    /// [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable). Default: 2 s.
    #[must_use]
    pub fn deadline(mut self, wait: Duration) -> Self {
        self.deadline = wait;
        self
    }

    /// Sets how long challenges that have ended are kept. Default: a day.
    #[must_use]
    pub fn keep_ended_challenges(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// Takes a server that may evict keys, or that does not say whether it does (where `INFO`
    /// has no `maxmemory_policy`).
    ///
    /// A server that evicts a budget forgets its guesses. Default: such a server is refused when a
    /// store is opened, and is an outage where a later connection leads to it (not in a cluster).
    #[must_use]
    pub fn allow_eviction(mut self) -> Self {
        self.eviction = Eviction::Allowed;
        self
    }

    /// Lets a challenge be verified after the server was restarted, or another one was promoted.
    ///
    /// Default: a challenge counts as expired once the server runs anew or has changed its line of
    /// replication (a promotion; also the first replica, and an hour without one): what it had
    /// acknowledged may be lost, and a code that was used could be used again. People who were
    /// sent a code within its few minutes ask for another one.
    ///
    /// Safe only with `appendfsync always`, a disk that keeps what it acknowledged, and no
    /// replica that may ever be promoted. Every instance must be set alike.
    #[must_use]
    pub fn keep_challenges_over_restarts(mut self) -> Self {
        self.restarts = Restarts::KeepChallenges;
        self
    }

    /// Sets how many records the audit outbox holds. Default: 1,000,000, some 500 MB.
    ///
    /// When it is full, every call that could leave a record answers
    /// [`Full`](otp_core::store::StoreErrorKind::Full) and does nothing, and so does `ping`, until
    /// [`acknowledge`](otp_core::store::AuditStore::acknowledge) makes room. Racing calls may add
    /// a few more. In a cluster each shelf holds its share, and the outbox as much again.
    #[must_use]
    pub fn outbox_limit(mut self, records: usize) -> Self {
        self.outbox_limit = records;
        self
    }
}

fn owned(urls: &[&str]) -> Vec<String> {
    urls.iter().map(|url| (*url).to_owned()).collect()
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = match &self.servers {
            Servers::One(_) => "one",
            Servers::Sentinel { .. } => "sentinel",
            Servers::Cluster { .. } => "cluster",
        };
        f.debug_struct("RedisOptions")
            .field("servers", &servers)
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .field("keep", &self.keep)
            .field("eviction", &self.eviction)
            .field("restarts", &self.restarts)
            .field("outbox_limit", &self.outbox_limit)
            .finish_non_exhaustive()
    }
}
