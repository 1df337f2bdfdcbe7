//! The policy that a fleet shares.

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StoreError,
};

use super::PostgresStore;
use super::link::Function;
use crate::wire::policy;

/// The largest version that the engine can count to.
const LARGEST: u64 = i64::MAX.unsigned_abs();

#[async_trait]
impl PolicyStore for PostgresStore {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let expected = expected.unwrap_or_default().min(LARGEST);
        let request = self
            .request("publish")
            .with("expected", expected.into())
            .document(&document)
            .event(&event);
        policy::published(&self.ask(Function::Policy, request).await?)
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(self.history(1).await?.into_iter().next())
    }

    async fn version(&self) -> Result<u64, StoreError> {
        let request = self.request("version");
        self.ask(Function::Policy, request).await?.number(0)
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        let limit = u64::try_from(limit).unwrap_or(LARGEST);
        let request = self
            .request("history")
            .with("limit", limit.min(PolicyRecord::KEPT).into());
        policy::records(&self.ask(Function::Policy, request).await?)
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        let request = self.request("adopt").policy(record);
        self.ask(Function::Policy, request).await.map(drop)
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        let expected = expected.min(LARGEST);
        let request = self.request("post").post(board, expected, &text, &events);
        policy::published(&self.ask(Function::Board, request).await?)
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        let known = known.min(LARGEST);
        let request = self.request("read").board(board, known);
        policy::posted(&self.ask(Function::Board, request).await?, known)
    }
}
