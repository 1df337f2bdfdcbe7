//! A table that does not grow with an attacker's keys.

use std::collections::HashMap;

/// How many are compared when one has to go.
const SAMPLE: usize = 16;

/// So many values and no more, by the hash of what they belong to.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    values: HashMap<u64, V>,
    limit: usize,
    until_sweep: usize,
}

impl<V> Table<V> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            values: HashMap::new(),
            limit: limit.max(1),
            until_sweep: 0,
        }
    }

    pub(super) fn get(&self, key: u64) -> Option<&V> {
        self.values.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.values.get_mut(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Finds a value or puts a new one in. Where there is no room, what is over goes; where
    /// nothing is, the least of a few does.
    pub(super) fn or_insert(
        &mut self,
        key: u64,
        fresh: impl FnOnce() -> V,
        is_over: impl Fn(&V) -> bool,
        weight: impl Fn(&V) -> u64,
    ) -> &mut V {
        if self.values.len() >= self.limit && !self.values.contains_key(&key) {
            self.make_room(is_over, weight);
        }
        self.values.entry(key).or_insert_with(fresh)
    }

    fn make_room(&mut self, is_over: impl Fn(&V) -> bool, weight: impl Fn(&V) -> u64) {
        // Looking at all of them is for once in so many insertions, not for each.
        if self.until_sweep == 0 {
            self.values.retain(|_, value| !is_over(value));
            self.until_sweep = self.limit / 4;
        }
        self.until_sweep = self.until_sweep.saturating_sub(1);
        if self.values.len() < self.limit {
            return;
        }
        let sample = self.values.iter().take(SAMPLE);
        let least = sample.min_by_key(|(_, value)| (!is_over(value), weight(value)));
        if let Some(key) = least.map(|(key, _)| *key) {
            self.values.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_keys_of_an_attackers_take_the_room_of_a_hundred() {
        let mut table = Table::new(100);
        for key in 0..1_000_000_u64 {
            table.or_insert(key, || 1_u64, |_| false, |value| *value);
            assert!(table.len() <= 100);
        }
    }

    #[test]
    fn what_is_over_goes_first_then_what_counts_least() {
        let mut table = Table::new(4);
        for key in 0..4 {
            table.or_insert(key, || key + 1, |_| false, |value| *value);
        }
        table.or_insert(9, || 9, |value| *value == 3, |value| *value);
        assert!(table.get(2).is_none(), "it was over");
        table.or_insert(10, || 10, |_| false, |value| *value);
        assert!(table.get(0).is_none(), "it counted least");
        assert_eq!(table.get(9), Some(&9));
        assert_eq!(table.len(), 4);
    }
}
