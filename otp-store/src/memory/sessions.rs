use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    KeyHold, KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, StoreError, StoreErrorKind,
};

use super::seen::drop_over;
use super::{MemoryStore, lock};

/// Sessions by their names, their names by whose they are, and what may be used once.
#[derive(Debug)]
pub(super) struct Table {
    sessions: HashMap<SessionId, SessionRecord>,
    names: BTreeSet<(Tenant, SubjectId, SessionId)>,
    states: HashMap<[u8; 32], State>,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    binding: SessionBinding,
    payload: Vec<u8>,
    ends: Timestamp,
}

impl Table {
    pub(super) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            sessions: HashMap::new(),
            names: BTreeSet::new(),
            states: HashMap::new(),
            capacity: capacity.get(),
        }
    }

    fn put(&mut self, session: &SessionRecord, now: Timestamp) -> Result<(), StoreError> {
        if self.sessions.len() >= self.capacity {
            self.purge_sessions(usize::MAX, now);
        }
        if self.sessions.len() >= self.capacity {
            return Err(StoreErrorKind::Full.into());
        }
        self.names.insert(name(session));
        self.sessions.insert(session.id, session.clone());
        Ok(())
    }

    /// Names the sessions that a query may mean.
    fn meant(&self, query: &SessionQuery) -> Vec<SessionId> {
        match query {
            SessionQuery::One(id) => vec![*id],
            SessionQuery::Subject(tenant, subject) => {
                let first = SessionId::from_bytes([0; SessionId::LENGTH]);
                let last = SessionId::from_bytes([u8::MAX; SessionId::LENGTH]);
                let of = |id| (tenant.clone(), subject.clone(), id);
                let names = self.names.range(of(first)..=of(last));
                names.map(|(_, _, id)| *id).collect()
            }
            _ => self.sessions.keys().copied().collect(),
        }
    }

    #[cfg(feature = "composite")]
    pub(super) fn keeps(&self, id: &SessionId) -> bool {
        self.sessions.contains_key(id)
    }

    pub(super) fn end(&mut self, query: &SessionQuery, now: Timestamp) -> u64 {
        let mut ended = 0_u64;
        for id in self.meant(query) {
            let session = self.sessions.get_mut(&id);
            let meant = session.filter(|one| one.is_live(now) && query.fits(one));
            if let Some(session) = meant {
                session.end(now);
                ended = ended.saturating_add(1);
            }
        }
        ended
    }

    /// Ends every session, and forgets every state.
    pub(super) fn end_everything(&mut self, now: Timestamp) {
        for session in self.sessions.values_mut() {
            session.end(now);
        }
        self.states.clear();
    }

    fn keep(&mut self, state: PutState, now: Timestamp) -> Result<(), StoreError> {
        if self.states.len() >= self.capacity {
            self.states.retain(|_, state| now < state.ends);
        }
        if self.states.len() >= self.capacity {
            return Err(StoreErrorKind::Full.into());
        }
        let kept = State {
            binding: state.binding,
            payload: state.payload,
            ends: now.saturating_add(state.life),
        };
        self.states.insert(state.key, kept);
        Ok(())
    }

    /// Removes up to `limit` sessions and states that are over, and answers how many.
    pub(super) fn purge(&mut self, limit: usize, now: Timestamp) -> usize {
        let states = drop_over(&mut self.states, limit, |state| state.ends <= now);
        let rest = limit.saturating_sub(states);
        states.saturating_add(self.purge_sessions(rest, now))
    }

    fn purge_sessions(&mut self, limit: usize, now: Timestamp) -> usize {
        let over = self.sessions.values().filter(|one| one.kept_until() <= now);
        let over: Vec<_> = over.take(limit).map(name).collect();
        for name in &over {
            self.sessions.remove(&name.2);
            self.names.remove(name);
        }
        over.len()
    }
}

fn name(session: &SessionRecord) -> (Tenant, SubjectId, SessionId) {
    (session.tenant.clone(), session.subject.clone(), session.id)
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        let mut table = lock(&self.inner.sessions);
        let now = self.now()?;
        if let Some(known) = table.sessions.get(&session.id) {
            return Ok(Opened::Known(known.clone()));
        }
        let record = SessionRecord::opened(&session, now);
        table.put(&record, now)?;
        self.inner.outbox.push(session.event.at(now));
        Ok(Opened::Fresh(record))
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        let mut table = lock(&self.inner.sessions);
        let now = self.now()?;
        let session = table.sessions.get_mut(&rotate.session);
        let rotated = session.map_or(Rotated::Gone, |session| session.rotate(&rotate, now));
        if let Some(event) = rotated.event(&rotate.event) {
            self.inner.outbox.push(event.at(now));
        }
        Ok(rotated)
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let now = self.now()?;
        let table = lock(&self.inner.sessions);
        let found = table.sessions.get(session);
        Ok(found.filter(|session| session.is_live(now)).cloned())
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let now = self.now()?;
        let query = SessionQuery::Subject(tenant.clone(), subject.clone());
        let mut found: Vec<_> = {
            let table = lock(&self.inner.sessions);
            let meant = table.meant(&query).into_iter();
            let meant = meant.filter_map(|id| table.sessions.get(&id));
            meant.filter(|one| one.is_live(now)).cloned().collect()
        };
        found.sort_by_key(|one| Reverse((one.created_at, one.id)));
        found.truncate(limit);
        Ok(found)
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        let mut table = lock(&self.inner.sessions);
        let now = self.now()?;
        let ended = table.end(query, now);
        self.inner.outbox.push(event.counting(ended).at(now));
        Ok(ended)
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        let now = self.now()?;
        let mut uses = Vec::new();
        for one in lock(&self.inner.sessions).sessions.values() {
            if one.is_live(now) {
                let until = Some(one.lapses_at);
                KeyUse::add(&mut uses, one.key_id, KeyHold::Sessions, until);
            }
        }
        Ok(uses)
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        state.checked()?;
        let now = self.now()?;
        lock(&self.inner.sessions).keep(state, now)
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let now = self.now()?;
        let mut table = lock(&self.inner.sessions);
        let found = table.states.get(key);
        if !found.is_some_and(|state| state.binding == *binding && now < state.ends) {
            return Ok(None);
        }
        Ok(table.states.remove(key).map(|state| state.payload))
    }
}
