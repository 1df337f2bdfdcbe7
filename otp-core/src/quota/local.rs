//! `LocalQuotas`: the limiter of one process.

mod cell;
mod fingerprint;
mod governed;
mod log;
mod shard;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::cell::Cell;
use self::fingerprint::{Fingerprint, Seeds};
use self::shard::Shard;
use super::moment::bounded;
use super::reading::{Level, QuotaReading, Refused};
use super::{Quota, QuotaClaim, QuotaKey, Shape};

/// Buckets to a lock. With an eighth to spare they fill a standard table of 1,024 places.
const SHARD: usize = 796;

/// Limits what happens in this process, in bounded memory.
///
/// - *Bounded.* However many keys are tried, it holds its capacity of buckets, or an eighth more
///   where it has several parts, which fill unevenly. When a part is full, buckets that have reset
///   go first, then an idle one that resets soon, and one that is refusing only where all are. A
///   key whose bucket went starts afresh.
/// - *Small.* Keys are kept as 128-bit fingerprints under random seeds, never as text: below 150
///   bytes a bucket, and for a window eight bytes more for each hit in it.
/// - *Atomic.* Calls on the same keys happen one after the other. No call waits for anything but
///   short locks, taken in one order; there is nothing to cancel.
/// - *Changeable.* The quota comes with each claim. When it differs from the last one for the key,
///   what is used already counts under the new one. A bucket that had used more than the new quota
///   allows is empty under it, and nothing more.
/// - *Steady.* A clock that goes backwards admits less, never more.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use otp_core::quota::{LocalQuotas, Quota, QuotaClaim, QuotaKey, Scope};
///
/// let quotas = LocalQuotas::new();
/// let claim = QuotaClaim {
///     key: QuotaKey::new("issue", Scope::Subject, "acme", "alice"),
///     quota: Quota::window(1, Duration::from_secs(60))?,
/// };
/// let now_ms = 1_700_000_000_000;
/// assert!(quotas.check(&claim, now_ms).is_ok());
/// let refused = quotas.check(&claim, now_ms + 20_000).unwrap_err();
/// assert_eq!(refused.retry_after(), Duration::from_secs(40));
/// assert!(quotas.check(&claim, now_ms + 60_000).is_ok());
/// # Ok::<(), otp_core::quota::InvalidQuota>(())
/// ```
pub struct LocalQuotas {
    shards: Box<[Mutex<Shard>]>,
    seeds: Seeds,
}

impl LocalQuotas {
    /// The capacity of [`LocalQuotas::new`]: 100,000 buckets.
    pub const DEFAULT_CAPACITY: NonZeroUsize = match NonZeroUsize::new(100_000) {
        Some(capacity) => capacity,
        None => NonZeroUsize::MIN,
    };

    /// Makes a limiter of [`LocalQuotas::DEFAULT_CAPACITY`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(Self::DEFAULT_CAPACITY)
    }

    /// Makes a limiter that holds so many buckets.
    #[must_use]
    pub fn with_capacity(capacity: NonZeroUsize) -> Self {
        let shards = capacity.get().div_ceil(SHARD).clamp(1, 1 << 14);
        let share = capacity.get() / shards;
        let limit = if shards == 1 {
            share
        } else {
            share.saturating_add(share / 8)
        };
        Self {
            shards: (0..shards).map(|_| Mutex::new(Shard::new(limit))).collect(),
            seeds: Seeds::new(),
        }
    }

    /// Counts one hit, or refuses it.
    ///
    /// # Errors
    ///
    /// [`Refused`] when the quota is used up; nothing was counted.
    pub fn check(&self, claim: &QuotaClaim, now_ms: i64) -> Result<QuotaReading, Refused> {
        let now_ms = bounded(now_ms);
        let governed = match claim.quota.shape() {
            Shape::Rate(rate) => governed::check(self, &claim.key, rate, now_ms),
            Shape::Window(_) => None,
        };
        let level = governed.unwrap_or_else(|| {
            let fingerprint = self.fingerprint(&claim.key);
            let mut shard = self.lock(fingerprint);
            take(&mut shard, fingerprint, &[], claim.quota, now_ms)
        });
        Refused::unless_admits(QuotaReading::new(claim, level))
    }

    /// Counts one hit on every claim's bucket, or none on any.
    ///
    /// The claims are a set: a key that stands in several is hit once, if all of them admit it.
    /// Windows of different lengths on one key are all exact when they are always checked
    /// together; of different rates on one key the first is kept. The readings are in the order of
    /// the claims.
    ///
    /// # Errors
    ///
    /// [`Refused`] when any quota is used up; nothing was counted anywhere.
    pub fn check_all(
        &self,
        claims: &[QuotaClaim],
        now_ms: i64,
    ) -> Result<Vec<QuotaReading>, Refused> {
        let now_ms = bounded(now_ms);
        let prints: Vec<Fingerprint> = claims
            .iter()
            .map(|claim| self.fingerprint(&claim.key))
            .collect();
        let mut shards = self.lock_all(&prints);
        let mut readings = Vec::with_capacity(claims.len());
        for (claim, print) in claims.iter().zip(&prints) {
            let level = shards.of(self, *print).map(|shard| {
                adopt(shard, *print, claim.quota, now_ms);
                look(shard, *print, claim.quota, now_ms)
            });
            let level = level.unwrap_or_else(|| Cell::untouched(claim.quota.shape()));
            readings.push(QuotaReading::new(claim, level));
        }
        let mut readings = Refused::unless_admitted(readings)?;
        for (index, print) in prints.iter().enumerate() {
            let repeats = prints.iter().take(index).any(|earlier| earlier == print);
            let Some(shard) = shards.of(self, *print).filter(|_| !repeats) else {
                continue;
            };
            let same = claims
                .iter()
                .zip(&prints)
                .filter(|(_, other)| *other == print);
            let quotas = same.map(|(claim, _)| claim.quota);
            if let Some(quota) = quotas.reduce(Quota::covering) {
                take(shard, *print, &prints, quota, now_ms);
            }
        }
        for ((claim, print), reading) in claims.iter().zip(&prints).zip(&mut readings) {
            if let Some(shard) = shards.of(self, *print) {
                let level = Level {
                    retry_after: None,
                    ..look(shard, *print, claim.quota, now_ms)
                };
                *reading = QuotaReading::new(claim, level);
            }
        }
        Ok(readings)
    }

    /// Reads a bucket without counting a hit; `retry_after` says whether one would be refused.
    #[must_use]
    pub fn peek(&self, claim: &QuotaClaim, now_ms: i64) -> QuotaReading {
        let fingerprint = self.fingerprint(&claim.key);
        let level = look(
            &self.lock(fingerprint),
            fingerprint,
            claim.quota,
            bounded(now_ms),
        );
        QuotaReading::new(claim, level)
    }

    /// Forgets the hits of a key.
    pub fn clear(&self, key: &QuotaKey) {
        let fingerprint = self.fingerprint(key);
        self.lock(fingerprint).remove(fingerprint);
    }

    /// Counts the buckets, with those that have reset and were not dropped yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| guard(shard).len()).sum()
    }

    /// Tells whether there is no bucket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn fingerprint(&self, key: &QuotaKey) -> Fingerprint {
        self.seeds.fingerprint(key)
    }

    fn index(&self, fingerprint: Fingerprint) -> usize {
        let shards = u64::try_from(self.shards.len()).unwrap_or(u64::MAX);
        fingerprint
            .shard()
            .checked_rem(shards)
            .and_then(|i| usize::try_from(i).ok())
            .unwrap_or(0)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "an index is below the number of shards"
    )]
    fn lock(&self, fingerprint: Fingerprint) -> MutexGuard<'_, Shard> {
        guard(&self.shards[self.index(fingerprint)])
    }

    /// Locks the shards of these keys, lower ones first, so that no two calls wait for each other.
    fn lock_all(&self, fingerprints: &[Fingerprint]) -> Locked<'_> {
        let mut locked = Vec::with_capacity(fingerprints.len());
        let mut from = 0;
        let indices = || fingerprints.iter().map(|print| self.index(*print));
        while let Some(next) = indices().filter(|index| *index >= from).min() {
            locked.extend(self.shards.get(next).map(|shard| (next, guard(shard))));
            from = next.saturating_add(1);
        }
        Locked(locked)
    }
}

impl Default for LocalQuotas {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LocalQuotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalQuotas")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}

/// The shards that a call has locked, with their indices.
struct Locked<'a>(Vec<(usize, MutexGuard<'a, Shard>)>);

impl Locked<'_> {
    fn of(&mut self, quotas: &LocalQuotas, fingerprint: Fingerprint) -> Option<&mut Shard> {
        let wanted = quotas.index(fingerprint);
        self.0
            .iter_mut()
            .find(|(index, _)| *index == wanted)
            .map(|(_, shard)| &mut **shard)
    }
}

/// A shard stays sound when a thread dies while it has it: every change to one is a single step.
fn guard(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Applies a changed quota; it is not a hit, so it stays also where the hit is refused.
fn adopt(shard: &mut Shard, fingerprint: Fingerprint, quota: Quota, now_ms: i64) {
    if let Some(cell) = shard.get_mut(fingerprint) {
        cell.adopt(quota.shape(), now_ms);
    }
}

fn look(shard: &Shard, fingerprint: Fingerprint, quota: Quota, now_ms: i64) -> Level {
    shard.get(fingerprint).map_or_else(
        || Cell::untouched(quota.shape()),
        |cell| cell.look(quota, now_ms),
    )
}

fn take(
    shard: &mut Shard,
    fingerprint: Fingerprint,
    spared: &[Fingerprint],
    quota: Quota,
    now_ms: i64,
) -> Level {
    let fresh = || Cell::fresh(quota.shape(), now_ms);
    shard
        .or_insert(fingerprint, spared, now_ms, fresh)
        .take(quota, now_ms)
}

#[cfg(test)]
mod tests;
