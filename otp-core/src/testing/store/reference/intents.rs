use async_trait::async_trait;

use super::{ReferenceStore, key_of};
use crate::challenge::{
    Challenge, ChallengeId, ChallengeState, ConsumeOutcome, Ended, Exhausted, Refusal,
};
use crate::clock::Timestamp;
use crate::event::{Event, Outcome};
use crate::store::{
    Admission, ChallengeQuery, ChallengeStore, Consume, IdempotencyKey, Insert, Plan, Reissue,
    Reject, Revocation, StoreError, StoreErrorKind,
};

/// How long an ended challenge is still found.
const KEPT: std::time::Duration = std::time::Duration::from_secs(86_400);

#[async_trait]
impl ChallengeStore for ReferenceStore {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let (mut state, now) = self.begin()?;
        Ok(state.admit(plan, now))
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        let new = insert.challenge;
        for older in &mut state.challenges {
            if older.gives_way_to(&new) {
                older.end(ChallengeState::Superseded, now);
            }
        }
        state.challenges.push(new);
        state.intend(insert.delivery, now);
        state.record(insert.event, now);
        Ok(())
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        let position = state.position(&reissue.challenge);
        let found = position.and_then(|at| state.challenges.get_mut(at));
        let found = found.ok_or(StoreErrorKind::Invalid)?;
        let Reissue {
            channel,
            key_id,
            digest,
            sealed_code,
            ..
        } = reissue;
        found.replace_code(channel, key_id, digest, sealed_code);
        state.intend(reissue.delivery, now);
        state.record(reissue.event, now);
        Ok(())
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let (mut state, now) = self.begin()?;
        let position = state.position(&consume.challenge);
        let outcome = match position.and_then(|at| state.challenges.get_mut(at)) {
            None => ConsumeOutcome::Lost(Refusal::Unknown),
            Some(found) => {
                let outcome = found.consume(&consume.digest, consume.by.as_ref(), now);
                let (key, lane) = (key_of(found), found.lane);
                if outcome == ConsumeOutcome::Won {
                    state.budgets.entry(key).or_default().succeed(lane);
                }
                outcome
            }
        };
        let event = match outcome {
            ConsumeOutcome::Lost(refusal) => {
                consume.event.with_outcome(Outcome::Refused, refusal.name())
            }
            ConsumeOutcome::Won | ConsumeOutcome::WonBefore => consume.event,
        };
        state.record(event, now);
        Ok(outcome)
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        let (mut state, now) = self.begin()?;
        if let Some((id, by)) = &reject.counted {
            let position = state.position(id);
            if let Some(found) = position.and_then(|at| state.challenges.get_mut(at)) {
                let exhausted = found.refuse(by.as_ref());
                let (key, lane) = (key_of(found), found.lane);
                if exhausted == Exhausted::Yes {
                    let budget = state.budgets.entry(key).or_default();
                    budget.strike(&reject.rules, lane, now);
                }
            }
        }
        state.record(reject.event, now);
        Ok(())
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        let (state, _) = self.begin()?;
        let position = state.position(id);
        Ok(position.and_then(|at| state.challenges.get(at)).cloned())
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let (state, now) = self.begin()?;
        let meant = |challenge: &&Challenge| challenge.is_live(now) && query.fits(challenge);
        let mut found: Vec<_> = state.challenges.iter().filter(meant).cloned().collect();
        found.sort_by_key(|challenge| std::cmp::Reverse(challenge.created_at));
        found.truncate(limit);
        Ok(found)
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let (mut state, now) = self.begin()?;
        let mut revoked = 0_u64;
        for challenge in &mut state.challenges {
            if revocation.query.fits(challenge)
                && challenge.end(ChallengeState::Revoked, now) == Ended::Yes
            {
                revoked = revoked.saturating_add(1);
            }
        }
        let reason = Some(format!("revoked:{revoked}").into());
        state.record(
            Event {
                reason,
                ..revocation.event
            },
            now,
        );
        Ok(revoked)
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        let (mut state, _) = self.begin()?;
        state.keys.remove(key);
        Ok(())
    }

    fn engine(&self) -> &'static str {
        "memory"
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        let (_state, now) = self.begin()?;
        Ok(now)
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        let (mut state, now) = self.begin()?;
        let mut left = limit;
        // Says whether a thing stays, and counts what goes.
        let mut stays = |over: bool| {
            let goes = over && left > 0;
            left = left.saturating_sub(usize::from(goes));
            !goes
        };
        let kept = now.saturating_sub(KEPT);
        state
            .challenges
            .retain(|challenge| stays(challenge.expires_at <= kept));
        state
            .keys
            .retain(|_, (_, record)| stays(record.expires_at <= now));
        state.seen.retain(|_, until| stays(*until <= now));
        state
            .blocks
            .retain(|entry| stays(entry.expires_at.is_some_and(|until| until <= now)));
        state
            .stats
            .retain(|(_, grain, begin), _| stays(begin.saturating_add(grain.life()) <= now));
        state
            .deliveries
            .retain(|delivery| stays(delivery.kept_until() <= now));
        state.reports.retain(|_, kept| stays(kept.until <= now));
        let removed = limit.saturating_sub(left);
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }
}
