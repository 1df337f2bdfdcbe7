//! The contract's challenge intents, each handed to the writer or to a reader.

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome};
use otp_core::clock::Timestamp;
use otp_core::store::{
    Admission, ChallengeQuery, ChallengeStore, Consume, IdempotencyKey, Insert, Plan, Reissue,
    Reject, Revocation, StoreError,
};

use super::admit::Admit;
use super::idempotency::Release;
use super::intent::{Intent, Tx};
use super::settle::List;
use super::{SqliteStore, challenge_rows};

struct Find(ChallengeId);

impl Intent for Find {
    type Answer = Option<Challenge>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Option<Challenge>, StoreError> {
        tx.now()?;
        challenge_rows::find(tx, &self.0).await
    }
}

struct Ping;

impl Intent for Ping {
    type Answer = Timestamp;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Timestamp, StoreError> {
        tx.now()
    }
}

#[async_trait]
impl ChallengeStore for SqliteStore {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.write(Admit(plan.clone())).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        self.write(insert).await
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        self.write(reissue).await
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        self.write(consume).await
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        self.write(reject).await
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.read(Find(*id)).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let query = query.clone();
        self.read(List { query, limit }).await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        self.write(revocation).await
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.write(Release(key.clone())).await
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        // Through the writer: a file that can be read and takes no write decides nothing.
        self.write(Ping).await
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        self.purge_in_batches(limit).await
    }
}
