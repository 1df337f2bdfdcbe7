//! The intents that read challenges, and the sign of life.

use otp_core::challenge::{Challenge, ChallengeId};
use otp_core::clock::Timestamp;
use otp_core::store::{ChallengeQuery, StoreError};

use super::{Intent, Tx, challenge_rows, query};

/// Reads one challenge.
pub(crate) struct Find(pub(crate) ChallengeId);

impl Intent for Find {
    type Answer = Option<Challenge>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Option<Challenge>, StoreError> {
        tx.now()?;
        challenge_rows::find(tx, &self.0).await
    }
}

/// Lists live challenges.
pub(crate) struct List {
    pub(crate) query: ChallengeQuery,
    pub(crate) limit: usize,
}

impl Intent for List {
    type Answer = Vec<Challenge>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let now = tx.now()?;
        let rows = query::live(tx, &self.query, self.limit, now).await?;
        challenge_rows::with_all_tries(tx, rows).await
    }
}

/// Tells the time, from an engine that takes writes: one that only reads decides nothing.
pub(crate) struct Ping;

const PROVE: &str = "UPDATE otp_clock SET seen_ms = seen_ms WHERE id = 1";

impl Intent for Ping {
    type Answer = Timestamp;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Timestamp, StoreError> {
        let now = tx.now()?;
        tx.execute(PROVE, &[]).await?;
        Ok(now)
    }
}
