//! The audit log, which is the outbox too: what was acknowledged stays for the operator's queries.

use async_trait::async_trait;
use otp_core::event::{Event, EventKind};
use otp_core::store::{AuditStore, OutboxEntry, StoreError};

use super::PostgresStore;
use super::link::Function;
use crate::wire::event;

/// The most that is read at once.
const LONGEST_PAGE: usize = 100_000;

#[async_trait]
impl AuditStore for PostgresStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let request = self.request("append").event(&event);
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn append_all(&self, events: Vec<Event>) -> Result<(), StoreError> {
        let request = self.request("append_all").events(&events);
        self.ask(Function::Desk, request).await.map(drop)
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let mut request = self
            .request("outbox")
            .with("limit", limit.min(LONGEST_PAGE).into())
            .with("types", EventKind::event_types().collect());
        if let Some(after) = after {
            request = request.with("after", place(after).into());
        }
        let reply = self.ask(Function::Query, request).await?;
        let members = reply.texts(0)?;
        members.iter().map(|member| event::read(member)).collect()
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        let request = self
            .request("acknowledge")
            .with("up_to", place(up_to).into());
        self.ask(Function::Desk, request).await.map(drop)
    }
}

fn place(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
