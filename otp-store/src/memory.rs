//! Everything in this process: exact within it, gone with it.

mod admit;
mod audit;
#[cfg(feature = "composite")]
mod beneath;
mod blocks;
mod capacity;
mod chain;
mod deliveries;
mod devices;
mod factors;
mod lanes;
mod lookup;
mod packed;
mod policy;
mod seen;
mod sessions;
mod settle;
mod shard;
mod stats;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use otp_core::challenge::ChallengeId;
use otp_core::clock::{Clock, SteadyClock, SystemClock, Timestamp};
use otp_core::quota::LocalQuotas;
use otp_core::request::SubjectKey;
use otp_core::store::{StoreError, StoreErrorKind};

pub use capacity::Capacity;

use audit::Outbox;
use blocks::Blocks;
use deliveries::Deliveries;
use policy::{Boards, Policies};
use seen::Memory;
use sessions::Table;
use shard::Shard;
use stats::Stats;

/// Shards by subject: what belongs to one subject is decided under one lock.
const SHARDS: usize = 64;

/// A store in the memory of one process.
///
/// Every promise of the contract holds within the process and ends with it: after a restart no
/// challenge is known (so none can be verified) and every budget is full again. Use it for tests,
/// for development, or where losing the budgets at a restart is acceptable; never for two
/// instances of a service.
///
/// Bounded: see [`Capacity`]. Cheap to clone; clones share everything.
///
/// # Examples
/// ```
/// use otp_store::MemoryStore;
///
/// let store = MemoryStore::new();
/// let other_handle = store.clone();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

struct Inner {
    clock: SteadyClock,
    capacity: Capacity,
    shards: Vec<Mutex<Shard>>,
    quotas: LocalQuotas,
    blocks: RwLock<Blocks>,
    seen: Memory,
    deliveries: Deliveries,
    outbox: Outbox,
    stats: Mutex<Stats>,
    policies: Mutex<Policies>,
    boards: Mutex<Boards>,
    sessions: Mutex<Table>,
}

impl MemoryStore {
    /// Makes an empty store on the system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// Makes an empty store on another clock, for tests.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::build(clock, Capacity::default())
    }

    /// Makes an empty store of another size.
    #[must_use]
    pub fn with_capacity(capacity: Capacity) -> Self {
        Self::build(Arc::new(SystemClock), capacity)
    }

    /// Makes an empty store of another size on another clock.
    #[must_use]
    pub fn build(clock: Arc<dyn Clock>, capacity: Capacity) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock: SteadyClock::new(clock),
                shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
                quotas: LocalQuotas::with_capacity(capacity.quota_keys),
                blocks: RwLock::default(),
                seen: Memory::new(capacity.seen_keys),
                deliveries: Deliveries::new(capacity.deliveries),
                outbox: Outbox::new(capacity.audit_records),
                stats: Mutex::new(Stats::new(capacity.stat_keys)),
                policies: Mutex::default(),
                boards: Mutex::default(),
                sessions: Mutex::new(Table::new(capacity.sessions)),
                capacity,
            }),
        }
    }

    /// Accepts the clock's present reading after it was set back on purpose. Every live challenge
    /// and every session is revoked first, so that none is revived or lives longer than it was given.
    pub fn forgive_clock(&self) {
        lock(&self.inner.sessions).end_everything(self.inner.clock.highest());
        for shard in &self.inner.shards {
            lock(shard).revoke_all();
        }
        self.inner.clock.forgive();
    }

    fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.inner.clock.read()?)
    }

    /// Locks the shard that decides about a challenge.
    fn shard_of(&self, id: &ChallengeId) -> Result<MutexGuard<'_, Shard>, StoreError> {
        self.shard(id.shard())
    }

    fn shard_of_subject(&self, subject: &SubjectKey) -> Result<MutexGuard<'_, Shard>, StoreError> {
        self.shard(subject.shard())
    }

    fn shard(&self, number: u16) -> Result<MutexGuard<'_, Shard>, StoreError> {
        let index = usize::from(number) % SHARDS;
        let shard = self.inner.shards.get(index);
        shard
            .map(lock)
            .ok_or_else(|| StoreErrorKind::Corrupt.into())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("capacity", &self.inner.capacity)
            .finish_non_exhaustive()
    }
}

/// Takes a lock, also after a panic under it: every change under these locks is made by code that
/// does not panic half-way, so what is behind a poisoned one is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
