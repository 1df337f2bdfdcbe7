//! Sessions are the primary's alone: while it is away nobody is let in.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, Store, StoreError,
};

use super::ReadOnlyFallback;

#[async_trait]
impl<P: Store + SessionStore, M: Store> SessionStore for ReadOnlyFallback<P, M> {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        let call = self.inner.primary.open(session);
        self.ask(self.away(), call).await
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        let call = self.inner.primary.rotate(rotate);
        self.ask(self.away(), call).await
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.ask(self.away(), self.inner.primary.live(session))
            .await
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let call = self.inner.primary.sessions(tenant, subject, limit);
        self.ask(self.away(), call).await
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        let call = self.inner.primary.end(query, event);
        self.ask(self.away(), call).await
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.ask(self.away(), self.inner.primary.session_keys())
            .await
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        let call = self.inner.primary.put_state(state);
        self.ask(self.away(), call).await
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let call = self.inner.primary.take_state(key, binding);
        self.ask(self.away(), call).await
    }
}
