//! What comes of a challenge after it was admitted: put, replaced, won, lost or ended.

use otp_core::challenge::{Challenge, ConsumeOutcome, Exhausted, Refusal};
use otp_core::event::{Event, Outcome};
use otp_core::store::{
    ChallengeQuery, Consume, Insert, Reissue, Reject, Revocation, StoreError, StoreErrorKind,
};

use super::budget_rows::{Loaded, key_of};
use super::engine::failed;
use super::intent::{Intent, Tx};
use super::{audit, challenge_rows, query};

// A row that is live by name and over by time is left as it is: it expired, nothing took its place.
const SUPERSEDE: &str = "UPDATE auth_challenges SET state = 'superseded', ended_at = ?5
    WHERE subject_key = ?1 AND tenant = ?2 AND purpose = ?3 AND lane = ?4
        AND state = 'live' AND expires_at > ?5";

impl Intent for Insert {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let new = &self.challenge;
        let now = tx.now()?;
        sqlx::query(SUPERSEDE)
            .bind(new.subject.as_str())
            .bind(new.tenant.as_str())
            .bind(new.purpose.as_str())
            .bind(new.lane.name())
            .bind(now.as_millis())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        challenge_rows::add(tx, new).await?;
        audit::write(tx, &self.event).await
    }
}

impl Intent for Reissue {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        tx.now()?;
        let before = challenge_rows::find(tx, &self.challenge)
            .await?
            .ok_or(StoreErrorKind::Invalid)?;
        let mut after = before.clone();
        after.replace_code(
            self.channel,
            self.key_id,
            self.digest.clone(),
            self.sealed_code.clone(),
        );
        challenge_rows::save(tx, &before, &after).await?;
        audit::write(tx, &self.event).await
    }
}

impl Intent for Consume {
    type Answer = ConsumeOutcome;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<ConsumeOutcome, StoreError> {
        let now = tx.now()?;
        let outcome = match challenge_rows::find(tx, &self.challenge).await? {
            None => ConsumeOutcome::Lost(Refusal::Unknown),
            Some(before) => {
                let mut after = before.clone();
                let outcome = after.consume(&self.digest, self.by.as_ref(), now);
                if outcome == ConsumeOutcome::Won {
                    challenge_rows::save(tx, &before, &after).await?;
                    let mut loaded = Loaded::load(tx, key_of(&after)).await?;
                    loaded.budget.succeed(after.lane);
                    loaded.save(tx).await?;
                }
                outcome
            }
        };
        match outcome {
            ConsumeOutcome::Lost(refusal) => {
                let event = self.event.clone();
                audit::write(tx, &event.with_outcome(Outcome::Refused, refusal.name())).await?;
            }
            ConsumeOutcome::Won => audit::write(tx, &self.event).await?,
            ConsumeOutcome::WonBefore => {
                let event = self.event.clone();
                audit::write(tx, &event.with_outcome(Outcome::Success, "repeated")).await?;
            }
        }
        Ok(outcome)
    }
}

impl Intent for Reject {
    type Answer = ();

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let now = tx.now()?;
        let counted = match &self.counted {
            Some((id, by)) => challenge_rows::find(tx, id).await?.map(|found| (found, by)),
            None => None,
        };
        if let Some((before, by)) = counted {
            let mut after = before.clone();
            let exhausted = after.refuse(by.as_ref());
            challenge_rows::save(tx, &before, &after).await?;
            if exhausted == Exhausted::Yes {
                let mut loaded = Loaded::load(tx, key_of(&after)).await?;
                loaded.budget.strike(&self.rules, after.lane, now);
                loaded.save(tx).await?;
            }
        }
        audit::write(tx, &self.event).await
    }
}

impl Intent for Revocation {
    type Answer = u64;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let now = tx.now()?;
        let revoked = query::revoke(tx, &self.query, now).await?;
        audit::write(tx, &counted(&self.event, revoked)).await?;
        Ok(revoked)
    }
}

/// Accepts the clock as it stands, at the price of everything that is live.
pub(super) struct Forgive(pub(super) Event);

const REVOKE_ALL: &str = "UPDATE auth_challenges SET state = 'revoked', ended_at = MIN(ended_at, ?1) WHERE state = 'live'";
const LOWER_MARK: &str = "UPDATE otp_clock SET seen_ms = ?1 WHERE id = 1";

impl Intent for Forgive {
    type Answer = u64;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        // If this transaction fails, the next one finds the mark where it was.
        let now = tx.forgive();
        let ended = sqlx::query(REVOKE_ALL)
            .bind(now.as_millis())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        sqlx::query(LOWER_MARK)
            .bind(now.as_millis())
            .execute(tx.conn())
            .await
            .map_err(failed)?;
        let revoked = ended.rows_affected();
        audit::write(tx, &counted(&self.0, revoked)).await?;
        Ok(revoked)
    }
}

/// Adds to an event how many challenges were ended.
fn counted(event: &Event, revoked: u64) -> Event {
    Event {
        reason: Some(match &event.reason {
            Some(why) => format!("{why}:{revoked}").into(),
            None => format!("revoked:{revoked}").into(),
        }),
        ..event.clone()
    }
}

/// Lists live challenges.
pub(super) struct List {
    pub(super) query: ChallengeQuery,
    pub(super) limit: usize,
}

impl Intent for List {
    type Answer = Vec<Challenge>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let now = tx.now()?;
        let rows = query::live(tx, &self.query, self.limit, now).await?;
        challenge_rows::with_all_tries(tx, rows).await
    }
}
