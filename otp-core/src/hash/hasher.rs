//! The handle that hashes and checks codes.

use std::{fmt, num::NonZeroUsize, sync::Arc, thread, time::Duration};

use super::{
    Algorithm, Argon2Params, BcryptCost, HashSlot,
    pool::{Pool, PoolLoad},
    scheme::{AllowList, Scheme},
};
use crate::key::DerivedKey;

/// Waiting places for each worker, unless set otherwise.
const QUEUE_PER_WORKER: usize = 8;

/// Hashes and checks codes by one policy; clones share one pool of threads.
///
/// Take a place with [`reserve`](Self::reserve) before anything is counted against the claimant, then use
/// it: a service that has no place says so before an attempt is spent. Slow work runs on threads of the
/// pool's own, which start with the first work and stop when the last clone is dropped. Keyed digests are
/// made where they are asked for and need no thread.
///
/// Defaults: as many workers as the machine has cores for this process, 8 waiting places for each, all three
/// algorithms accepted.
///
/// # Examples
/// ```
/// use otp_core::hash::{Binding, CodeHasher, Comparison};
/// use otp_core::key::KeyRing;
/// use otp_core::random::OsRandom;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let keys = KeyRing::generate(&OsRandom)?.snapshot();
/// let hasher = CodeHasher::keyed();
/// let binding = Binding {
///     tenant: "acme",
///     challenge: "c-1",
///     subject: "u-1",
///     purpose: "login",
///     channel: "sms",
///     destination: "+14155550123",
/// };
/// let stored = hasher.reserve()?.hash(&keys, &OsRandom, &binding, "123456").await?;
/// let right = hasher.reserve()?.verify(&keys, &binding, "123456", stored.as_str()).await?;
/// assert!(matches!(right, Comparison::Match { .. }));
/// let moved = Binding { challenge: "c-2", ..binding };
/// let wrong = hasher.reserve()?.verify(&keys, &moved, "123456", stored.as_str()).await?;
/// assert!(matches!(wrong, Comparison::Mismatch(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CodeHasher {
    inner: Arc<Inner>,
}

/// Says that every place in the pool is taken; nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("every place for hashing is taken, retry in {} ms", retry_after.as_millis())]
pub struct Busy {
    /// When the pool will have worked off what it holds now, from what jobs have lately taken; 5 ms to 60 s.
    pub retry_after: Duration,
}

pub(super) struct Inner {
    pub(super) settings: Settings,
    pub(super) pool: Pool,
    /// Stands in for a real key where work is done for its time only.
    pub(super) decoy_key: DerivedKey,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) scheme: Scheme,
    pub(super) allowed: AllowList,
    workers: NonZeroUsize,
    queue: Option<usize>,
}

impl CodeHasher {
    /// Writes Argon2id with the default parameters: 19456 KiB, 2 passes, 1 lane.
    #[must_use]
    pub fn argon2id() -> Self {
        Self::argon2id_with(Argon2Params::default())
    }

    /// Writes Argon2id with other parameters.
    ///
    /// The lanes of one job run one after another: the pool keeps the cores busy with many jobs instead.
    #[must_use]
    pub fn argon2id_with(params: Argon2Params) -> Self {
        Self::writing(Scheme::Argon2id(params))
    }

    /// Writes bcrypt with this cost.
    #[must_use]
    pub fn bcrypt(cost: BcryptCost) -> Self {
        Self::writing(Scheme::Bcrypt(cost))
    }

    /// Writes the keyed digest as it is: the choice for high throughput, for codes that live minutes.
    ///
    /// Without the key nothing can be searched offline; with it, a six-digit code falls at once. The slow
    /// forms delay that by minutes at best.
    #[must_use]
    pub fn keyed() -> Self {
        Self::writing(Scheme::Keyed)
    }

    fn writing(scheme: Scheme) -> Self {
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::with(Settings {
            scheme,
            allowed: AllowList::ALL,
            workers,
            queue: None,
        })
    }

    fn with(settings: Settings) -> Self {
        let Settings {
            scheme,
            workers,
            queue,
            ..
        } = settings;
        let queue = queue.unwrap_or_else(|| workers.get().saturating_mul(QUEUE_PER_WORKER));
        let keep_kib = match scheme {
            Scheme::Argon2id(params) => params.memory_kib(),
            Scheme::Keyed | Scheme::Bcrypt(_) => 0,
        };
        let pool = Pool::new(workers, queue, keep_kib);
        Self {
            inner: Arc::new(Inner {
                settings,
                pool,
                decoy_key: DerivedKey::from_bytes([0x5A; 32]),
            }),
        }
    }

    /// Sets how many threads do slow work; default: the cores this process may use.
    ///
    /// Each keeps the memory of one job. It starts a pool of its own: call it before cloning.
    #[must_use]
    pub fn workers(self, workers: NonZeroUsize) -> Self {
        Self::with(Settings {
            workers,
            ..self.inner.settings
        })
    }

    /// Sets how many jobs may wait beyond those that run; default: 8 for each worker.
    ///
    /// With 0, a place is free only while a worker is. It starts a pool of its own: call it before cloning.
    #[must_use]
    pub fn queue(self, waiting: usize) -> Self {
        Self::with(Settings {
            queue: Some(waiting),
            ..self.inner.settings
        })
    }

    /// Accepts these algorithms only, and always the one that is written; default: all.
    ///
    /// It starts a pool of its own: call it before cloning.
    #[must_use]
    pub fn only(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let own = AllowList::NONE.with(self.inner.settings.scheme.algorithm());
        let allowed = algorithms.into_iter().fold(own, AllowList::with);
        Self::with(Settings {
            allowed,
            ..self.inner.settings
        })
    }

    /// Names the algorithm that is written.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.inner.settings.scheme.algorithm()
    }

    /// Gives what hashes recovery codes, which live for years: this one where it writes Argon2id, on
    /// its pool, else one that does, on a pool of its own.
    pub(crate) fn for_recovery(&self) -> Self {
        match self.algorithm() {
            Algorithm::Argon2id => self.clone(),
            _ => Self::argon2id(),
        }
    }

    /// Says how full the pool is. One that writes keyed digests takes no place.
    #[must_use]
    pub fn load(&self) -> PoolLoad {
        self.inner.pool.load()
    }

    /// Takes a place for one hash or check, at once; dropping the slot gives it back.
    ///
    /// A hasher that writes keyed digests needs no place and always has a slot.
    ///
    /// # Errors
    /// [`Busy`] when all workers are at work and all waiting places are taken.
    pub fn reserve(&self) -> Result<HashSlot, Busy> {
        let pool = &self.inner.pool;
        let place = match self.inner.settings.scheme {
            Scheme::Keyed => None,
            _ => Some(pool.try_place().ok_or_else(|| Busy {
                retry_after: pool.retry_after(),
            })?),
        };
        Ok(HashSlot::new(Arc::clone(&self.inner), place))
    }
}

impl fmt::Debug for CodeHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeHasher")
            .field("settings", &self.inner.settings)
            .field("pool", &self.inner.pool)
            .finish_non_exhaustive()
    }
}
