//! What a composite asks of the memory that lies beneath its primary.

use std::sync::PoisonError;

use otp_core::challenge::{AttemptClaim, AttemptOutcome, Challenge, ChallengeId};
use otp_core::clock::Timestamp;
use otp_core::delivery::Report;
use otp_core::session::SessionId;
use otp_core::store::{BlockEntry, BudgetKey, IdempotencyKey, SessionQuery, StoreError, Target};

use super::admit::find;
use super::{MemoryStore, lock};

impl MemoryStore {
    /// Says whether a challenge is kept here, live or not.
    pub(crate) fn keeps(&self, id: &ChallengeId) -> Result<bool, StoreError> {
        Ok(self.shard_of(id)?.get(id)?.is_some())
    }

    /// Says whether any challenge is kept here.
    pub(crate) fn keeps_any(&self) -> bool {
        let mut shards = self.inner.shards.iter();
        shards.any(|shard| !lock(shard).is_empty())
    }

    /// Finds the challenge that a try is meant for: the one of an id, live or not, or the live one
    /// of a subject.
    pub(crate) fn meant(&self, target: &Target) -> Result<Option<Challenge>, StoreError> {
        self.target(target, |_, _| false)
    }

    /// As [`meant`](Self::meant), or the ended one of the subject that has answered this very try:
    /// a success that is repeated after a lost reply is found again.
    pub(crate) fn meant_by(
        &self,
        target: &Target,
        claim: &AttemptClaim,
    ) -> Result<Option<Challenge>, StoreError> {
        self.target(target, |challenge, now| {
            matches!(
                challenge.judge_attempt(claim, now),
                AttemptOutcome::Replayed(_)
            )
        })
    }

    fn target(
        &self,
        target: &Target,
        counts_when_ended: impl Fn(&Challenge, Timestamp) -> bool,
    ) -> Result<Option<Challenge>, StoreError> {
        match target {
            Target::Id(id) => self.shard_of(id)?.get(id),
            Target::Latest { subject, .. } => {
                let now = self.now()?;
                let found = find(&*self.shard_of_subject(subject)?, target, now)?;
                Ok(found.filter(|found| found.is_live(now) || counts_when_ended(found, now)))
            }
        }
    }

    /// Ends the live challenges whose place a newer one has taken elsewhere.
    pub(crate) fn supersede(&self, newer: &Challenge) -> Result<(), StoreError> {
        let now = self.now()?;
        self.shard_of_subject(&newer.subject)?.supersede(newer, now)
    }

    /// Says whether a message was sent from here under the name that a report has for it.
    pub(crate) fn knows_sending(&self, report: &Report) -> bool {
        self.inner.deliveries.knows(report)
    }

    /// Says whether an idempotency key is in use here.
    pub(crate) fn holds_key(&self, key: &IdempotencyKey) -> Result<bool, StoreError> {
        let now = self.now()?;
        Ok(self.inner.seen.keys().holds(key, now))
    }

    /// Opens a budget that was opened elsewhere, and writes no record of it.
    pub(crate) fn forgive(&self, key: &BudgetKey) -> Result<(), StoreError> {
        self.shard_of_subject(&key.subject)?.open_budget(key);
        Ok(())
    }

    /// Says whether a session is kept here, live or not.
    pub(crate) fn keeps_session(&self, id: &SessionId) -> bool {
        lock(&self.inner.sessions).keeps(id)
    }

    /// Ends live sessions and counts them, and writes no record of it.
    pub(crate) fn end_quietly(&self, query: &SessionQuery) -> Result<u64, StoreError> {
        let mut table = lock(&self.inner.sessions);
        Ok(table.end(query, self.now()?))
    }

    /// Says whether a record waits here.
    pub(crate) fn has_records(&self) -> bool {
        !self.inner.outbox.records().is_empty()
    }

    /// Puts these entries in place of all that were blocked, and writes no record of it.
    pub(crate) fn mirror(&self, entries: Vec<BlockEntry>) {
        let entries = entries.into_iter();
        let blocks = entries.map(|entry| (entry.block.clone(), entry)).collect();
        *self
            .inner
            .blocks
            .write()
            .unwrap_or_else(PoisonError::into_inner) = blocks;
    }
}
