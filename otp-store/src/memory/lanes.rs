use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard};

use super::lock;

/// How many lanes there are where there is much to keep.
const MANY: usize = 16;
/// Below so much a lane would be too narrow, and one is enough.
const NARROW: usize = 64;

/// Parts of a table, each with a lock of its own, so that callers meet by chance alone.
///
/// Whoever holds one of them takes none of an earlier [`Lanes`] of the same table, and several of
/// one only in their order.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    first: Mutex<T>,
    others: Vec<Mutex<T>>,
}

impl<T> Lanes<T> {
    /// Divides the room; each part is made with its share.
    pub(super) fn new(room: NonZeroUsize, make: impl Fn(usize) -> T) -> Self {
        let many = if room.get() / MANY < NARROW { 1 } else { MANY };
        let share = room.get().div_ceil(many);
        Self {
            first: Mutex::new(make(share)),
            others: (1..many).map(|_| Mutex::new(make(share))).collect(),
        }
    }

    /// Locks the part that a key belongs to.
    pub(super) fn of(&self, key: &impl Hash) -> MutexGuard<'_, T> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let many = u64::try_from(self.others.len()).unwrap_or_default() + 1;
        let place = usize::try_from(hasher.finish() % many).unwrap_or_default();
        let other = place.checked_sub(1).and_then(|at| self.others.get(at));
        lock(other.unwrap_or(&self.first))
    }

    /// Locks one part after the other, in their order; each is held for as long as its guard is.
    pub(super) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        [&self.first].into_iter().chain(&self.others).map(lock)
    }
}
