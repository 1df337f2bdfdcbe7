use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;

use super::SessionId;

/// The most sessions that are remembered; beyond it the store is asked.
const MOST: usize = 65_536;

/// Which sessions were seen alive a moment ago, so that a busy client costs the store one question a
/// second. That a session has ended is never remembered: it is asked for each time.
#[derive(Debug, Default)]
pub(super) struct Liveness(Mutex<HashMap<SessionId, Timestamp>>);

impl Liveness {
    pub(super) fn is_fresh(&self, id: &SessionId, freshness: Duration, now: Timestamp) -> bool {
        let seen = self.seen();
        let at = seen.get(id);
        at.is_some_and(|at| now < at.saturating_add(freshness))
    }

    /// Remembers what a question that was asked at a time has found.
    pub(super) fn saw(&self, id: SessionId, freshness: Duration, asked: Timestamp) {
        if freshness.is_zero() {
            return;
        }
        let mut seen = self.seen();
        if seen.len() >= MOST {
            seen.retain(|_, at| asked < at.saturating_add(freshness));
        }
        if seen.len() < MOST {
            seen.insert(id, asked);
        }
    }

    pub(super) fn forget(&self, id: &SessionId) {
        self.seen().remove(id);
    }

    pub(super) fn forget_all(&self) {
        self.seen().clear();
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<SessionId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
