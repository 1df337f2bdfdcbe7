use std::collections::{HashMap, VecDeque};

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{
    Board, BoardText, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published, StoreError,
};

use super::{MemoryStore, lock};

/// The versions of a policy, oldest first.
#[derive(Debug, Default)]
pub(super) struct Policies(VecDeque<PolicyRecord>);

/// What the boards say, by their revisions.
pub(super) type Boards = HashMap<Board, (u64, BoardText)>;

impl Policies {
    fn version(&self) -> u64 {
        self.0.back().map_or(0, |record| record.version)
    }

    fn push(&mut self, record: PolicyRecord) {
        let forgotten = PolicyRecord::forgotten(record.version);
        self.0.retain(|kept| kept.version > forgotten);
        self.0.push_back(record);
    }
}

#[async_trait]
impl PolicyStore for MemoryStore {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let at = self.now()?;
        let mut policies = lock(&self.inner.policies);
        let current = policies.version();
        if expected.unwrap_or_default() != current {
            return Ok(Published::Conflict { current });
        }
        let version = current.saturating_add(1);
        policies.push(PolicyRecord {
            version,
            document,
            at,
        });
        self.inner.outbox.push(event.at(at));
        Ok(Published::As(version))
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(lock(&self.inner.policies).0.back().cloned())
    }

    async fn version(&self) -> Result<u64, StoreError> {
        Ok(lock(&self.inner.policies).version())
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        let policies = lock(&self.inner.policies);
        Ok(policies.0.iter().rev().take(limit).cloned().collect())
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        let mut policies = lock(&self.inner.policies);
        if record.version > policies.version() {
            policies.push(record.clone());
        }
        Ok(())
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        let now = self.now()?;
        let mut boards = lock(&self.inner.boards);
        let current = boards.get(&board).map_or(0, |(revision, _)| *revision);
        if expected != current {
            return Ok(Published::Conflict { current });
        }
        let revision = Posted::following(current, now);
        boards.insert(board, (revision, text));
        for event in events {
            self.inner.outbox.push(event.at(now));
        }
        Ok(Published::As(revision))
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        let now = self.now()?;
        let boards = lock(&self.inner.boards);
        let kept = boards.get(&board);
        Ok(Posted {
            revision: kept.map_or(0, |(revision, _)| *revision),
            text: kept.and_then(|(revision, text)| (*revision != known).then(|| text.clone())),
            now,
        })
    }
}
