//! What was sent, what became of it, and what can be sent again; each one call.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use otp_core::clock::Timestamp;
use otp_core::delivery::{MessageId, Report};
use otp_core::event::{Event, EventKind, Outcome};
use otp_core::request::Tenant;
use otp_core::store::{Advanced, Delivery, DeliveryStore, Settled, StoreError};
use serde_json::Value;

use super::PostgresStore;
use super::link::Function;
use crate::wire::delivery;
use crate::wire::reply::Reply;
use crate::wire::request::{Request, millis};

/// The most that is listed or changed at once.
const LONGEST_LIST: usize = 100_000;

impl PostgresStore {
    async fn on_deliveries(&self, request: Request) -> Result<Reply, StoreError> {
        self.ask(Function::Delivery, request).await
    }

    fn some_deliveries(&self, step: &str, limit: usize) -> Request {
        self.request(step)
            .with("limit", limit.min(LONGEST_LIST).into())
    }
}

#[async_trait]
impl DeliveryStore for PostgresStore {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        let mut request = self
            .request("settle")
            .with("fields", delivery::settled(&settled));
        if let Some(event) = &settled.event {
            request = request.event(event);
        }
        self.on_deliveries(request).await.map(drop)
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        let request = self
            .request("advance")
            .with("fields", delivery::report(report));
        delivery::advanced(&self.on_deliveries(request).await?, 0)
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        let request = self.request("find").text("id", id.as_str());
        let row = self.on_deliveries(request).await?.fields(0)?;
        row.as_ref().map(delivery::read).transpose()
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let request = self
            .some_deliveries("failures", limit)
            .with("from", window.start.as_millis().into())
            .with("until", window.end.as_millis().into());
        delivery::list(&self.on_deliveries(request).await?, 0)
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        let asked: Value = ids.iter().map(MessageId::as_str).collect();
        let request = self.request("claim").with("ids", asked);
        let claimed = self.on_deliveries(request).await?.texts(0)?;
        let claimed = |id: &&MessageId| claimed.iter().any(|one| one == id.as_str());
        Ok(ids.iter().filter(claimed).cloned().collect())
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let request = self
            .some_deliveries("unsent", limit)
            // What every record of theirs has; the rest is each one's own.
            .event(&Event {
                outcome: Outcome::Failed,
                ..Event::new(EventKind::CodeNotSent, &Tenant::default())
            })
            .with("older_than", millis(older_than).into());
        delivery::list(&self.on_deliveries(request).await?, 0)
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let request = self
            .some_deliveries("overdue", limit)
            .with("youngest", millis(age.start).into())
            .with("oldest", millis(age.end).into());
        delivery::list(&self.on_deliveries(request).await?, 0)
    }
}
