//! Sessions are kept where they were opened: above, or in an outage beneath.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, Store, StoreError,
};

use super::Degrading;

#[async_trait]
impl<P: Store + SessionStore> SessionStore for Degrading<P> {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        let inner = &self.inner;
        if inner.memory.keeps_session(&session.id) {
            return inner.memory.open(session).await;
        }
        match self.away() {
            None => inner.above(inner.primary.open(session)).await,
            Some(_) => {
                inner.serves()?;
                inner.memory.open(session).await
            }
        }
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        let inner = &self.inner;
        if inner.memory.keeps_session(&rotate.session) {
            return inner.memory.rotate(rotate).await;
        }
        self.ask(self.away(), inner.primary.rotate(rotate)).await
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let inner = &self.inner;
        if inner.memory.keeps_session(session) {
            return inner.memory.live(session).await;
        }
        self.ask(self.away(), inner.primary.live(session)).await
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let inner = &self.inner;
        let above = inner.primary.sessions(tenant, subject, limit);
        let mut found = self.ask(self.away(), above).await?;
        found.extend(inner.memory.sessions(tenant, subject, limit).await?);
        found.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
        found.truncate(limit);
        Ok(found)
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        let inner = &self.inner;
        if let SessionQuery::One(id) = query
            && inner.memory.keeps_session(id)
        {
            return inner.memory.end(query, event).await;
        }
        let beneath = inner.memory.end_quietly(query)?;
        let above = self.ask(self.away(), inner.primary.end(query, event));
        Ok(above.await?.saturating_add(beneath))
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        let inner = &self.inner;
        let above = inner.primary.session_keys();
        let mut uses = self.ask(self.away(), above).await?;
        for one in inner.memory.session_keys().await? {
            one.add_to(&mut uses);
        }
        Ok(uses)
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        let inner = &self.inner;
        match self.away() {
            None => inner.above(inner.primary.put_state(state)).await,
            Some(_) => {
                inner.serves()?;
                inner.memory.put_state(state).await
            }
        }
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let inner = &self.inner;
        if let Some(taken) = inner.memory.take_state(key, binding).await? {
            return Ok(Some(taken));
        }
        let above = inner.primary.take_state(key, binding);
        self.ask(self.away(), above).await
    }
}
