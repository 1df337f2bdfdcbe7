use async_trait::async_trait;
use otp_core::challenge::{
    Challenge, ChallengeId, ChallengeState, ConsumeOutcome, Ended, Exhausted, Refusal,
};
use otp_core::clock::Timestamp;
use otp_core::event::Outcome;
use otp_core::store::{
    Admission, ChallengeQuery, ChallengeStore, Consume, IdempotencyKey, Insert, Plan, Reissue,
    Reject, Revocation, StoreError, StoreErrorKind,
};

use super::admit::budget_key;
use super::{MemoryStore, lock};

#[async_trait]
impl ChallengeStore for MemoryStore {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.carry_out(plan)
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of(&insert.challenge.id)?;
        shard.insert(&insert.challenge, self.inner.capacity.challenges.get(), now)?;
        self.inner.deliveries.intend(insert.delivery, now);
        self.inner.outbox.push(insert.event.at(now));
        Ok(())
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of(&reissue.challenge)?;
        let Some(mut challenge) = shard.get(&reissue.challenge)? else {
            return Err(StoreErrorKind::Invalid.into());
        };
        challenge.replace_code(
            reissue.channel,
            reissue.key_id,
            reissue.digest,
            reissue.sealed_code,
        );
        shard.put(&challenge);
        self.inner.deliveries.intend(reissue.delivery, now);
        self.inner.outbox.push(reissue.event.at(now));
        Ok(())
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of(&consume.challenge)?;
        let outcome = match shard.get(&consume.challenge)? {
            None => ConsumeOutcome::Lost(Refusal::Unknown),
            Some(mut challenge) => {
                let outcome = challenge.consume(&consume.digest, consume.by.as_ref(), now);
                if outcome == ConsumeOutcome::Won {
                    shard.succeed(&budget_key(&challenge), challenge.lane);
                    shard.put(&challenge);
                }
                outcome
            }
        };
        let event = match outcome {
            ConsumeOutcome::Lost(refusal) => {
                consume.event.with_outcome(Outcome::Refused, refusal.name())
            }
            ConsumeOutcome::Won => consume.event,
            ConsumeOutcome::WonBefore => consume.event.with_outcome(Outcome::Success, "repeated"),
        };
        self.inner.outbox.push(event.at(now));
        Ok(outcome)
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        let now = self.now()?;
        if let Some((id, by)) = &reject.counted {
            let mut shard = self.shard_of(id)?;
            if let Some(mut challenge) = shard.get(id)? {
                if challenge.refuse(by.as_ref()) == Exhausted::Yes {
                    // Before the challenge is put back: where there is no room, nothing is done.
                    let capacity = self.inner.capacity.budgets.get();
                    let budget = shard.budget_mut(&budget_key(&challenge), capacity)?;
                    budget.strike(&reject.rules, challenge.lane, now);
                }
                shard.put(&challenge);
            }
        }
        self.inner.outbox.push(reject.event.at(now));
        Ok(())
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.now()?;
        self.shard_of(id)?.get(id)
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let now = self.now()?;
        let mut found = self.matching(query, now)?;
        found.sort_by(|a, b| {
            b.created_at
                .cmp(&a.created_at)
                .then_with(|| a.id.cmp(&b.id))
        });
        found.truncate(limit);
        Ok(found)
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let now = self.now()?;
        let mut revoked = 0_u64;
        for found in self.matching(&revocation.query, now)? {
            let mut shard = self.shard_of(&found.id)?;
            // Looked at again under the lock: it may have been consumed meanwhile.
            if let Some(mut challenge) = shard.get(&found.id)?
                && challenge.end(ChallengeState::Revoked, now) == Ended::Yes
            {
                shard.put(&challenge);
                revoked = revoked.saturating_add(1);
            }
        }
        let event = otp_core::event::Event {
            reason: Some(match &revocation.event.reason {
                Some(why) => format!("{why}:{revoked}").into(),
                None => format!("revoked:{revoked}").into(),
            }),
            ..revocation.event
        };
        self.inner.outbox.push(event.at(now));
        Ok(revoked)
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.now()?;
        self.inner.seen.keys().release(key);
        Ok(())
    }

    fn engine(&self) -> &'static str {
        "memory"
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        self.now()
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let now = self.now()?;
        let mut removed = self.inner.seen.purge(limit, now);
        for shard in &self.inner.shards {
            let rest = limit.saturating_sub(removed);
            removed = removed.saturating_add(lock(shard).purge(rest, now));
        }
        let rest = limit.saturating_sub(removed);
        removed = removed.saturating_add(self.purge_blocks(rest, now));
        let rest = limit.saturating_sub(removed);
        removed = removed.saturating_add(lock(&self.inner.stats).purge(rest, now));
        let rest = limit.saturating_sub(removed);
        removed = removed.saturating_add(self.inner.deliveries.purge(rest, now));
        let rest = limit.saturating_sub(removed);
        removed = removed.saturating_add(lock(&self.inner.sessions).purge(rest, now));
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}

impl MemoryStore {
    /// Finds the live challenges that a query means; one shard is locked at a time.
    fn matching(
        &self,
        query: &ChallengeQuery,
        now: Timestamp,
    ) -> Result<Vec<Challenge>, StoreError> {
        let mut found = Vec::new();
        if let Some(id) = &query.challenge {
            let challenge = self.shard_of(id)?.get(id)?;
            found.extend(challenge.filter(|c| c.is_live(now) && query.fits(c)));
            return Ok(found);
        }
        for shard in &self.inner.shards {
            lock(shard).each(|challenge| {
                if challenge.is_live(now) && query.fits(&challenge) {
                    found.push(challenge);
                }
            })?;
        }
        Ok(found)
    }
}
