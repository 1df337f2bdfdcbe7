//! Sessions, and what may be used once.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, StoreError,
};

use super::PostgresStore;
use super::link::Function;
use crate::wire::request::hex;
use crate::wire::{device, session};

#[async_trait]
impl SessionStore for PostgresStore {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        let request = self.request("open").session(&session);
        session::opened(&self.ask(Function::Session, request).await?)
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        let request = self.request("rotate").rotation(&rotate);
        session::rotated(&self.ask(Function::Session, request).await?)
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let found = self.live_sessions(&SessionQuery::One(*session), 1).await?;
        Ok(found.into_iter().next())
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let query = SessionQuery::Subject(tenant.clone(), subject.clone());
        self.live_sessions(&query, limit).await
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        let request = self.request("end").sessions(query)?.event(&event);
        self.ask(Function::Session, request).await?.number(0)
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        let request = self.request("keys");
        device::key_uses(&self.ask(Function::Session, request).await?, 0)
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        let request = self.request("put").state(&state)?;
        self.ask(Function::Session, request).await.map(drop)
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let request = self
            .request("take")
            .text("key", &hex(key))
            .text("binding", &hex(binding.as_bytes()));
        session::taken(&self.ask(Function::Session, request).await?)
    }
}

impl PostgresStore {
    async fn live_sessions(
        &self,
        query: &SessionQuery,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let request = self
            .request("list")
            .sessions(query)?
            .with("limit", limit.into());
        session::records(&self.ask(Function::Session, request).await?)
    }
}
