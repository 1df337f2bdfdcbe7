//! The audit outbox; a record leaves it when it is acknowledged.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{AuditStore, OutboxEntry, StoreError};

use super::{RedisStore, script};
use crate::wire::event;

/// The most that is read at once.
const LONGEST_PAGE: usize = 100_000;

#[async_trait]
impl AuditStore for RedisStore {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        let request = self.request("append").event(&event);
        self.ask(&script::DESK, request).await.map(drop)
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        let request = self
            .request("outbox")
            .text("after", &after.unwrap_or_default().to_string())
            .with("limit", limit.min(LONGEST_PAGE).into());
        let reply = self.ask(&script::DESK, request).await?;
        let members = reply.texts(0)?;
        members.iter().map(|member| event::read(member)).collect()
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        loop {
            let request = self
                .request("acknowledge")
                .text("up_to", &up_to.to_string());
            if self.ask(&script::DESK, request).await?.number(0)? == 0 {
                return Ok(());
            }
        }
    }
}
