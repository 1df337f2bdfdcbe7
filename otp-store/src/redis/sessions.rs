//! Sessions, each on its subject's shelf, and what may be used once, on the shelf of its key.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::request::{SessionBinding, SubjectId, SubjectKey, Tenant};
use otp_core::session::SessionId;
use otp_core::store::{
    KeyUse, NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord,
    SessionStore, StoreError, StoreErrorKind,
};

use super::shelf::Shelf;
use super::{RedisStore, script};
use crate::wire::reply::Reply;
use crate::wire::request::{Request, hex};
use crate::wire::session;

#[async_trait]
impl SessionStore for RedisStore {
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError> {
        let shelf = self.shelf_of(&session.id);
        let owner = self.owner(&session.tenant, &session.subject);
        let request = self.request(shelf, "open").session(&session);
        session::opened(
            &self
                .ask_sessions(shelf, request.text("owner", &owner))
                .await?,
        )
    }

    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError> {
        let shelf = self.shelf_of(&rotate.session);
        let request = self.request(shelf, "rotate").rotation(&rotate);
        session::rotated(&self.ask_sessions(shelf, request).await?)
    }

    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        let shelf = self.shelf_of(session);
        let request = self.request(shelf, "live").text("id", &session.to_string());
        let reply = self.ask_sessions(shelf, request).await?;
        reply.fields(0)?.as_ref().map(session::record).transpose()
    }

    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let shelf = self.shelf_of_subject(subject);
        let request = self
            .request(shelf, "list")
            .text("owner", &self.owner(tenant, subject))
            .with("limit", limit.into());
        session::records(&self.ask_sessions(shelf, request).await?)
    }

    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError> {
        let keys = &self.inner.keys;
        let one = |shelf| vec![shelf];
        let shelves: Vec<&Shelf> = match query {
            SessionQuery::One(id) => one(self.shelf_of(id)),
            SessionQuery::Subject(_, subject) => one(self.shelf_of_subject(subject)),
            SessionQuery::Tenant(_) | SessionQuery::Everything => keys.shelves.all().collect(),
            _ => return Err(StoreErrorKind::Invalid.into()),
        };
        let last = shelves.len().saturating_sub(1);
        let mut ended = 0_u64;
        for (place, shelf) in shelves.into_iter().enumerate() {
            let mut request = self
                .request(shelf, "end")
                .sessions(query)?
                .with("before", ended.into());
            if let SessionQuery::Subject(tenant, subject) = query {
                request = request.text("owner", &self.owner(tenant, subject));
            }
            if place == last {
                request = request.event(&event);
            }
            let reply = self.ask_sessions(shelf, request).await?;
            ended = ended.saturating_add(reply.number(0)?);
        }
        Ok(ended)
    }

    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.count_key_uses(&script::SESSIONS).await
    }

    async fn put_state(&self, state: PutState) -> Result<(), StoreError> {
        let shelf = self.inner.keys.shelves.of_name(&hex(&state.key));
        let request = self.request(shelf, "put").state(&state)?;
        self.ask_sessions(shelf, request).await.map(drop)
    }

    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = hex(key);
        let shelf = self.inner.keys.shelves.of_name(&key);
        let request = self
            .request(shelf, "take")
            .text("key", &key)
            .text("binding", &hex(binding.as_bytes()));
        session::taken(&self.ask_sessions(shelf, request).await?)
    }
}

impl RedisStore {
    fn shelf_of(&self, session: &SessionId) -> &Shelf {
        self.inner.keys.shelves.of_shard(session.shard())
    }

    fn shelf_of_subject(&self, subject: &SubjectId) -> &Shelf {
        let subject = SubjectKey::of_subject(subject);
        self.inner.keys.shelves.of(&subject)
    }

    fn owner(&self, tenant: &Tenant, subject: &SubjectId) -> String {
        self.inner.keys.sessions(tenant, subject)
    }

    async fn ask_sessions(&self, shelf: &Shelf, request: Request) -> Result<Reply, StoreError> {
        self.ask(shelf, &script::SESSIONS, request).await
    }
}
