use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::store::{
    AcceptedTry, IdempotencyClaim, IdempotencyKey, NamedTry, RecordedIssue, Seen, SeenStore,
    StoreError, StoreErrorKind,
};

use super::{MemoryStore, lock};

/// What may happen once, and what was asked under a name before.
#[derive(Debug)]
pub(super) struct Memory {
    seen: Mutex<HashMap<String, Timestamp>>,
    keys: Mutex<Keys>,
    capacity: usize,
}

/// The idempotency keys that are in use.
#[derive(Debug)]
pub(super) struct Keys {
    table: HashMap<IdempotencyKey, KeyRecord>,
    capacity: usize,
}

#[derive(Debug)]
struct KeyRecord {
    fingerprint: [u8; 32],
    issue: RecordedIssue,
}

/// What an idempotency key stands for.
pub(super) enum KeyFound {
    No,
    Same(RecordedIssue),
    Other,
}

impl Memory {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            seen: Mutex::default(),
            keys: Mutex::new(Keys {
                table: HashMap::new(),
                capacity: capacity.get(),
            }),
            capacity: capacity.get(),
        }
    }

    pub(super) fn keys(&self) -> MutexGuard<'_, Keys> {
        lock(&self.keys)
    }

    /// Says when the guess of a try was counted, where it is remembered.
    pub(super) fn counted(&self, named: &NamedTry, now: Timestamp) -> Option<Timestamp> {
        let seen = lock(&self.seen);
        let mut untils = named.keys().filter_map(|key| seen.get(&key).copied());
        untils.find(|until| now < *until).map(NamedTry::counted_at)
    }

    /// Remembers that the guess of a try is counted.
    pub(super) fn count(&self, named: &NamedTry, now: Timestamp) {
        if let Some(key) = named.keys().next() {
            lock(&self.seen).insert(key, now.saturating_add(AcceptedTry::LIFE));
        }
    }

    pub(super) fn make_room(&self, now: Timestamp) -> Result<(), StoreError> {
        self.room_in(&mut lock(&self.seen), now)
    }

    fn room_in(
        &self,
        seen: &mut HashMap<String, Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if seen.len() >= self.capacity {
            seen.retain(|_, until| now < *until);
        }
        if seen.len() >= self.capacity {
            return Err(StoreErrorKind::Full.into());
        }
        Ok(())
    }

    pub(super) fn purge(&self, limit: usize, now: Timestamp) -> usize {
        let seen = drop_over(&mut lock(&self.seen), limit, |until| *until <= now);
        let rest = limit.saturating_sub(seen);
        let keys = drop_over(&mut self.keys().table, rest, |record| {
            record.issue.expires_at <= now
        });
        seen.saturating_add(keys)
    }
}

impl Keys {
    pub(super) fn find(&self, claim: &IdempotencyClaim, now: Timestamp) -> KeyFound {
        match self.table.get(&claim.key) {
            Some(record) if now < record.issue.expires_at => {
                if record.fingerprint == claim.fingerprint {
                    KeyFound::Same(record.issue)
                } else {
                    KeyFound::Other
                }
            }
            _ => KeyFound::No,
        }
    }

    pub(super) fn make_room(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.table.len() >= self.capacity {
            self.table.retain(|_, record| now < record.issue.expires_at);
        }
        if self.table.len() >= self.capacity {
            return Err(StoreErrorKind::Full.into());
        }
        Ok(())
    }

    pub(super) fn record(&mut self, claim: &IdempotencyClaim, now: Timestamp) {
        let record = KeyRecord {
            fingerprint: claim.fingerprint,
            issue: claim.record(now),
        };
        self.table.insert(claim.key.clone(), record);
    }

    #[cfg(feature = "composite")]
    pub(super) fn holds(&self, key: &IdempotencyKey, now: Timestamp) -> bool {
        let record = self.table.get(key);
        record.is_some_and(|record| now < record.issue.expires_at)
    }

    pub(super) fn release(&mut self, key: &IdempotencyKey) {
        self.table.remove(key);
    }
}

#[async_trait]
impl SeenStore for MemoryStore {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        let now = self.now()?;
        let memory = &self.inner.seen;
        let mut seen = lock(&memory.seen);
        if seen.get(key).is_some_and(|until| now < *until) {
            return Ok(Seen::Again);
        }
        memory.room_in(&mut seen, now)?;
        seen.insert(key.to_owned(), now.saturating_add(life));
        Ok(Seen::First)
    }
}

/// Removes up to `limit` entries that are over.
pub(super) fn drop_over<K, V>(
    table: &mut HashMap<K, V>,
    limit: usize,
    over: impl Fn(&V) -> bool,
) -> usize {
    let mut removed = 0;
    table.retain(|_, value| {
        let drop = removed < limit && over(value);
        removed += usize::from(drop);
        !drop
    });
    removed
}
