//! Sessions are kept where guesses are decided.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    AuditStore, KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, Store, StoreError,
};

use super::Split;

#[async_trait]
impl<D: Store + SessionStore, A: AuditStore> SessionStore for Split<D, A> {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        self.inner.decisions.open(session).await
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        self.inner.decisions.rotate(rotate).await
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.inner.decisions.live(session).await
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let decisions = &self.inner.decisions;
        decisions.sessions(tenant, subject, limit).await
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        self.inner.decisions.end(query, event).await
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.inner.decisions.session_keys().await
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        self.inner.decisions.put_state(state).await
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.decisions.take_state(key, binding).await
    }
}
