//! Sessions that can be taken away.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, Store, StoreError,
};

use super::Switched;

#[async_trait]
impl<S: Store + SessionStore> SessionStore for Switched<S> {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        self.pass("open", self.inner.open(session)).await
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        self.pass("rotate", self.inner.rotate(rotate)).await
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        self.pass("live", self.inner.live(session)).await
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let call = self.inner.sessions(tenant, subject, limit);
        self.pass("sessions", call).await
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        self.pass("end", self.inner.end(query, event)).await
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.pass("session_keys", self.inner.session_keys()).await
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        self.pass("put_state", self.inner.put_state(state)).await
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let call = self.inner.take_state(key, binding);
        self.pass("take_state", call).await
    }
}
