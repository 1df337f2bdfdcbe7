//! The policy that a fleet shares: on the first shelf, among what guards.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StoreError,
};

use super::{RedisStore, script};
use crate::wire::policy;
use crate::wire::reply::Reply;
use crate::wire::request::Request;

impl RedisStore {
    async fn ask_policies(
        &self,
        step: &str,
        fill: impl FnOnce(Request) -> Request,
    ) -> Result<Reply, StoreError> {
        let shelf = self.inner.keys.shelves.first();
        let request = fill(self.request(shelf, step));
        self.ask(shelf, &script::POLICIES, request).await
    }
}

#[async_trait]
impl PolicyStore for RedisStore {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let expected = expected.unwrap_or_default().to_string();
        let fill = |request: Request| {
            let request = request.text("expected", &expected).document(&document);
            request.event(&event)
        };
        policy::published(&self.ask_policies("publish", fill).await?)
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(self.history(1).await?.into_iter().next())
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.ask_policies("version", |request| request)
            .await?
            .number(0)
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let limit = limit.min(PolicyRecord::KEPT);
        let fill = |request: Request| request.with("limit", limit.into());
        policy::records(&self.ask_policies("history", fill).await?)
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        let fill = |request: Request| request.policy(record);
        self.ask_policies("adopt", fill).await.map(drop)
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        let fill = |request: Request| request.post(board, expected, &text, &events);
        policy::published(&self.ask_policies("post", fill).await?)
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        let fill = |request: Request| request.board(board, known);
        policy::posted(&self.ask_policies("posted", fill).await?, known)
    }
}
