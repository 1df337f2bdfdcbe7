//! A part of the buckets, behind one lock.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::cell::Cell;
use super::fingerprint::{AsItIs, Fingerprint};

/// How many buckets are compared when one has to go.
const SAMPLE: usize = 16;

/// A bounded table of buckets.
pub(super) struct Shard {
    cells: HashMap<Fingerprint, Cell, AsItIs>,
    limit: usize,
    until_sweep: usize,
}

impl Shard {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            cells: HashMap::with_hasher(AsItIs),
            limit,
            until_sweep: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn get(&self, fingerprint: Fingerprint) -> Option<&Cell> {
        self.cells.get(&fingerprint)
    }

    pub(super) fn get_mut(&mut self, fingerprint: Fingerprint) -> Option<&mut Cell> {
        self.cells.get_mut(&fingerprint)
    }

    pub(super) fn remove(&mut self, fingerprint: Fingerprint) {
        self.cells.remove(&fingerprint);
    }

    /// Finds a bucket or puts a new one in, for which another may have to go.
    ///
    /// None of `spared` goes: they are the buckets of the call that is being answered.
    pub(super) fn or_insert(
        &mut self,
        fingerprint: Fingerprint,
        spared: &[Fingerprint],
        now_ms: i64,
        fresh: impl FnOnce() -> Cell,
    ) -> &mut Cell {
        if self.cells.len() >= self.limit && !self.cells.contains_key(&fingerprint) {
            self.make_room(fingerprint, spared, now_ms);
        }
        match self.cells.entry(fingerprint) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(fresh()),
        }
    }

    fn make_room(&mut self, fingerprint: Fingerprint, spared: &[Fingerprint], now_ms: i64) {
        // A sweep costs the whole table, so it runs once in an eighth of a table of newcomers.
        if self.until_sweep == 0 {
            self.until_sweep = self.limit / 8;
            self.cells
                .retain(|key, cell| spared.contains(key) || cell.resets_at_ms() > now_ms);
        } else {
            self.until_sweep -= 1;
        }
        if self.cells.len() >= self.limit
            && let Some(victim) = self.victim(fingerprint, spared, now_ms)
        {
            self.cells.remove(&victim);
        }
    }

    /// Chooses who goes: of a few buckets at a random place, the idle one that resets soonest.
    ///
    /// Where all of those are refusing, the first idle one after them. Only when every bucket is
    /// refusing does one of these go, again the one that resets soonest.
    fn victim(
        &self,
        newcomer: Fingerprint,
        spared: &[Fingerprint],
        now_ms: i64,
    ) -> Option<Fingerprint> {
        let start = u64::try_from(self.cells.len())
            .ok()
            .and_then(|len| newcomer.chance().checked_rem(len))
            .and_then(|start| usize::try_from(start).ok())?;
        let (mut idle, mut refusing) = (None, None);
        let from_start = self
            .cells
            .iter()
            .skip(start)
            .chain(self.cells.iter().take(start));
        let candidates = from_start.filter(|(key, _)| !spared.contains(key));
        for (seen, (key, cell)) in candidates.enumerate() {
            if seen >= SAMPLE && idle.is_some() {
                break;
            }
            let best = if cell.is_refusing(now_ms) {
                &mut refusing
            } else {
                &mut idle
            };
            let resets_at = cell.resets_at_ms();
            if best.is_none_or(|(soonest, _)| resets_at < soonest) {
                *best = Some((resets_at, *key));
            }
        }
        idle.or(refusing).map(|(_, key)| key)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        // The standard table fills seven eighths of its places and keeps one more byte for each.
        self.cells.capacity().div_ceil(7) * 8 * (size_of::<(Fingerprint, Cell)>() + 1)
    }
}
