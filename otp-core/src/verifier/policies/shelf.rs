use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use super::laid::Laid;
use crate::clock::Timestamp;
use crate::event::Event;
use crate::policy::{Fallen, InForce, Override, OverrideError, OverrideList, Policy, Shared, Step};

/// Where the policy in force lies, behind a lock that is never held over an await.
#[derive(Debug)]
pub(in crate::verifier) struct Shelf {
    in_force: RwLock<InForce>,
    /// Held by whoever changes something, over the record of it.
    turn: tokio::sync::Mutex<()>,
    /// Ends that are not recorded yet.
    unrecorded: Mutex<Vec<Event>>,
    laid: Mutex<Laid>,
    #[cfg(feature = "policy-file")]
    followed: super::fleet::Followed,
}

impl Shelf {
    pub(in crate::verifier) fn new(policy: Policy) -> Self {
        Self {
            in_force: RwLock::new(InForce::new(policy)),
            turn: tokio::sync::Mutex::new(()),
            unrecorded: Mutex::new(Vec::new()),
            laid: Mutex::default(),
            #[cfg(feature = "policy-file")]
            followed: super::fleet::Followed::default(),
        }
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&InForce) -> T) -> T {
        look(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes away the overrides that have ended. The clock is read only where there are any.
    pub(super) fn settle(&self, now: impl Fn() -> Timestamp) -> Fallen {
        if !self.look(|in_force| in_force.is_due(&now)) {
            return Fallen::default();
        }
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        in_force.settle(now())
    }

    /// Makes a change, on what is in force by now.
    pub(super) fn take(&self, step: &Step, now: Timestamp) -> Result<(), OverrideError> {
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        in_force.take(step, now)
    }

    /// Lays on what the fleet has.
    pub(super) fn share(
        &self,
        list: &OverrideList,
        read: Timestamp,
        now: Timestamp,
        fits: impl Fn(&Policy) -> bool,
    ) -> Shared {
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        in_force.share(list, read, now, fits)
    }

    /// Gives what is known of the fleet's overrides.
    pub(super) fn laid(&self) -> MutexGuard<'_, Laid> {
        self.laid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::verifier) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    #[cfg(feature = "policy-file")]
    pub(super) fn followed(&self) -> &super::fleet::Followed {
        &self.followed
    }

    /// Keeps ends until they are recorded. They are as few as overrides are.
    pub(super) fn keep(&self, events: impl IntoIterator<Item = Event>) {
        let mut unrecorded = self.lock();
        let room = Override::MOST.saturating_sub(unrecorded.len());
        unrecorded.extend(events.into_iter().take(room));
    }

    pub(super) fn unrecorded(&self) -> Vec<Event> {
        std::mem::take(&mut *self.lock())
    }

    /// Says whether every end is on record.
    pub(super) fn has_recorded(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.unrecorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
