use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::SessionFixture;
use crate::clock::{Clock, ManualClock, SteadyClock, Timestamp};
use crate::event::Event;
use crate::request::{SessionBinding, SubjectId, Tenant};
use crate::session::SessionId;
use crate::store::{
    AuditStore, KeyHold, KeyUse, NewSession, Opened, OutboxEntry, PutState, Rotate, Rotated,
    SessionQuery, SessionRecord, SessionStore, StoreError, StoreErrorKind,
};

/// The smallest store of sessions that keeps the contract: one lock, and nothing is forgotten.
#[derive(Clone, Debug)]
pub struct ReferenceSessions {
    clock: SteadyClock,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    sessions: HashMap<SessionId, SessionRecord>,
    states: HashMap<[u8; 32], (PutState, Timestamp)>,
    log: Vec<Event>,
}

impl ReferenceSessions {
    /// Makes an empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: SteadyClock::new(clock),
            kept: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(self.clock.read()?)
    }
}

#[async_trait]
impl SessionStore for ReferenceSessions {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        let mut kept = self.lock();
        let now = self.now()?;
        if let Some(known) = kept.sessions.get(&session.id) {
            return Ok(Opened::Known(known.clone()));
        }
        let record = SessionRecord::opened(&session, now);
        kept.sessions.insert(record.id, record.clone());
        kept.log.push(session.event.at(now));
        Ok(Opened::Fresh(record))
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        let mut kept = self.lock();
        let now = self.now()?;
        let session = kept.sessions.get_mut(&rotate.session);
        let rotated = session.map_or(Rotated::Gone, |session| session.rotate(&rotate, now));
        kept.log
            .extend(rotated.event(&rotate.event).map(|event| event.at(now)));
        Ok(rotated)
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let now = self.now()?;
        let found = self.lock().sessions.get(session).cloned();
        Ok(found.filter(|session| session.is_live(now)))
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let now = self.now()?;
        let query = SessionQuery::Subject(tenant.clone(), subject.clone());
        let kept = self.lock();
        let live = kept.sessions.values().filter(|one| one.is_live(now));
        let mut found: Vec<_> = live.filter(|one| query.fits(one)).cloned().collect();
        found.sort_by_key(|one| std::cmp::Reverse(one.created_at));
        found.truncate(limit);
        Ok(found)
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        let mut kept = self.lock();
        let now = self.now()?;
        let mut ended = 0;
        for session in kept.sessions.values_mut() {
            if session.is_live(now) && query.fits(session) {
                session.end(now);
                ended += 1;
            }
        }
        kept.log.push(event.counting(ended).at(now));
        Ok(ended)
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        let now = self.now()?;
        let mut uses = Vec::new();
        for one in self.lock().sessions.values() {
            if one.is_live(now) {
                KeyUse::add(
                    &mut uses,
                    one.key_id,
                    KeyHold::Sessions,
                    Some(one.lapses_at),
                );
            }
        }
        Ok(uses)
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        let ends = self.now()?.saturating_add(state.checked()?.life);
        self.lock().states.insert(state.key, (state, ends));
        Ok(())
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let now = self.now()?;
        let mut kept = self.lock();
        let found = kept.states.get(key);
        if !found.is_some_and(|(state, ends)| state.binding == *binding && now < *ends) {
            return Ok(None);
        }
        Ok(kept.states.remove(key).map(|(state, _)| state.payload))
    }
}

#[async_trait]
impl AuditStore for ReferenceSessions {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let now = self.now()?;
        self.lock().log.push(event.at(now));
        Ok(())
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let kept = self.lock();
        let entries = (1..).zip(&kept.log).map(|(sequence, event)| OutboxEntry {
            sequence,
            event: event.clone(),
        });
        let after = after.unwrap_or_default();
        let newer = entries.filter(|entry| entry.sequence > after);
        Ok(newer.take(limit).collect())
    }

    async fn acknowledge(&self, _up_to: u64) -> Result<(), StoreError> {
        Err(StoreErrorKind::Invalid.into())
    }
}

/// The fixture of [`ReferenceSessions`].
#[derive(Debug)]
pub struct ReferenceSessionsFixture {
    store: ReferenceSessions,
    clock: ManualClock,
}

impl ReferenceSessionsFixture {
    /// Makes an empty store on a clock of its own.
    #[must_use]
    pub fn new() -> Self {
        let clock = ManualClock::default();
        Self {
            store: ReferenceSessions::new(Arc::new(clock.clone())),
            clock,
        }
    }
}

impl Default for ReferenceSessionsFixture {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionFixture for ReferenceSessionsFixture {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    fn records(&self) -> Arc<dyn AuditStore> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}

#[cfg(test)]
mod tests {
    use super::ReferenceSessionsFixture;

    async fn fixture() -> ReferenceSessionsFixture {
        ReferenceSessionsFixture::new()
    }

    crate::session_conformance!(fixture);
}
