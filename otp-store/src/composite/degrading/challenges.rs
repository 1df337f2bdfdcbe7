//! Challenges: each stays where it was put.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome};
use otp_core::clock::Timestamp;
use otp_core::event::{Event, EventId};
use otp_core::store::{
    Admission, BudgetKey, ChallengeQuery, ChallengeStore, Condition, Consume, Duty, EngineStatus,
    IdempotencyKey, Insert, Plan, Reissue, Reject, Revocation, Store, StoreError, StoreErrorKind,
    Target,
};

use super::{Degrading, terms};

/// A challenge whose times are further than this from the memory's clock was dated by another.
const SAME_CLOCK: Duration = Duration::from_secs(5);

#[async_trait]
impl<P: Store> ChallengeStore for Degrading<P> {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.carry_out(plan).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let inner = &self.inner;
        if self.away().is_some() {
            terms(inner.policy.issue())?;
            let now = inner.memory.ping().await?;
            let challenge = dated(insert.challenge, now);
            let insert = Insert {
                challenge,
                ..insert
            };
            return inner.memory.insert(insert).await;
        }
        let newer = insert.challenge.clone();
        inner.above(inner.primary.insert(insert)).await?;
        // It is in the store, whatever becomes of an older one here.
        inner.memory.supersede(&newer).or(Ok(()))
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        let inner = &self.inner;
        let away = self.away();
        if !inner.memory.keeps(&reissue.challenge)? {
            return self.ask(away, inner.primary.reissue(reissue)).await;
        }
        if away.is_some() {
            terms(inner.policy.resend())?;
        }
        inner.memory.reissue(reissue).await
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let inner = &self.inner;
        let away = self.away();
        // One place alone can give this success, whatever the other one answered or did not.
        let Some(challenge) = inner.memory.meant(&Target::Id(consume.challenge))? else {
            return self.ask(away, inner.primary.consume(consume)).await;
        };
        if away.is_some() {
            inner.serves()?;
        }
        let outcome = inner.memory.consume(consume).await?;
        if outcome == ConsumeOutcome::Won {
            let key = BudgetKey {
                tenant: challenge.tenant,
                subject: challenge.subject,
                class: challenge.class,
            };
            // Its own guess, where the primary has not heard of it: a success gives it back.
            inner.ledger().settle_guesses(&(key, challenge.lane), 1);
        }
        Ok(outcome)
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        let inner = &self.inner;
        let away = self.away();
        let beneath = match &reject.counted {
            Some((id, _)) => inner.memory.keeps(id)?,
            None => away.is_some(),
        };
        if !beneath {
            return self.ask(away, inner.primary.reject(reject)).await;
        }
        if away.is_some() {
            inner.serves()?;
        }
        inner.memory.reject(reject).await
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        let away = self.away();
        if self.inner.memory.keeps(id)? {
            return self.inner.memory.find(id).await;
        }
        self.ask(away, self.inner.primary.find(id)).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let away = self.away();
        let above = self.inner.primary.list(query, limit);
        let mut found = self.ask(away, above).await?;
        if self.inner.memory.keeps_any() {
            found.extend(self.inner.memory.list(query, limit).await?);
            found.sort_by(|a, b| {
                let newest = b.created_at.cmp(&a.created_at);
                newest.then_with(|| a.id.cmp(&b.id))
            });
            found.truncate(limit);
        }
        Ok(found)
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let away = self.away();
        if let Some(id) = &revocation.query.challenge
            && inner.memory.keeps(id)?
        {
            return inner.memory.revoke(revocation).await;
        }
        if let Some(why) = away {
            return Err(why.into());
        }
        let mut revoked = 0_u64;
        let meant_here =
            inner.memory.keeps_any() && !inner.memory.list(&revocation.query, 1).await?.is_empty();
        if meant_here {
            // Two engines, two records: each says how many it ended.
            let event = Event {
                id: EventId::next(),
                ..revocation.event.clone()
            };
            let beneath = Revocation {
                event,
                ..revocation.clone()
            };
            revoked = inner.memory.revoke(beneath).await?;
        }
        let above = inner.above(inner.primary.revoke(revocation)).await?;
        Ok(revoked.saturating_add(above))
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        let inner = &self.inner;
        let away = self.away();
        let known = inner.memory.holds_key(key).unwrap_or_default();
        if known {
            inner.memory.release(key).await?;
        }
        match away {
            None => inner.above(inner.primary.release(key)).await,
            Some(_) if known => Ok(()),
            Some(why) => Err(why.into()),
        }
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        match self.away() {
            None => self.inner.above(self.inner.primary.ping()).await,
            Some(_) => {
                self.inner.serves()?;
                self.inner.memory.ping().await
            }
        }
    }

    fn engine(&self) -> &'static str {
        self.inner.primary.engine()
    }

    async fn status(&self) -> Vec<EngineStatus> {
        let inner = &self.inner;
        let away = match self.away() {
            Some(why) => Some(why),
            None => {
                let sign = inner.above(inner.primary.ping()).await;
                sign.err().map(|error| error.kind())
            }
        };
        let condition = match away {
            None => Condition::Connected,
            // Other errors are the primary's own answers: nothing takes its place.
            Some(StoreErrorKind::Unavailable) if inner.serves().is_ok() => {
                Condition::Fallback(StoreErrorKind::Unavailable)
            }
            Some(why) => Condition::Down(why),
        };
        vec![EngineStatus {
            engine: inner.primary.engine(),
            duty: Duty::Decisions,
            condition,
        }]
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let away = self.away();
        // Memory whose clock fell back purges nothing, and hinders nobody.
        let beneath = inner.memory.purge(limit).await.unwrap_or_default();
        if away.is_some() {
            return Ok(beneath);
        }
        let rest = limit.saturating_sub(usize::try_from(beneath).unwrap_or(usize::MAX));
        let above = inner.above(inner.primary.purge(rest)).await?;
        Ok(beneath.saturating_add(above))
    }
}

impl<P: Store> Degrading<P> {
    /// Asks the primary, unless it is left alone.
    pub(super) async fn ask<T>(
        &self,
        away: Option<StoreErrorKind>,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match away {
            None => self.inner.above(call).await,
            Some(why) => Err(why.into()),
        }
    }
}

/// Dates a challenge by the memory's clock, where it was admitted by another: it lives as long as
/// it was given, and no longer.
fn dated(mut challenge: Challenge, now: Timestamp) -> Challenge {
    let issued = challenge.created_at;
    if issued > now || now.since(issued) > SAME_CLOCK {
        challenge.expires_at = now.saturating_add(challenge.expires_at.since(issued));
        challenge.next_send_at = now.saturating_add(challenge.next_send_at.since(issued));
        challenge.created_at = now;
    }
    challenge
}

#[cfg(test)]
mod tests {
    use otp_core::testing::store::kit;

    use super::*;

    #[test]
    fn a_challenge_that_another_clock_dated_lives_as_long_as_it_was_given() {
        let now = Timestamp::from_millis(1_767_225_600_000);
        let hour = Duration::from_secs(3_600);
        for other in [now.saturating_add(hour), now.saturating_sub(hour)] {
            let challenge = dated(kit::challenge("ann", other), now);
            assert_eq!(challenge.created_at, now);
            assert_eq!(challenge.expires_at, now.saturating_add(kit::LIFE));
            assert_eq!(challenge.next_send_at, now.saturating_add(kit::COOLDOWN));
        }
        let issued = now.saturating_sub(SAME_CLOCK);
        let own = dated(kit::challenge("ann", issued), now);
        assert_eq!(own.created_at, issued, "hashing takes no life away");
        assert_eq!(own.expires_at, issued.saturating_add(kit::LIFE));
    }
}
