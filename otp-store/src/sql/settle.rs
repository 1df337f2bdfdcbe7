//! What comes of a challenge after it was admitted: put, replaced, won, lost or ended.

use otp_core::challenge::{ConsumeOutcome, Exhausted, Refusal};
use otp_core::event::{Event, Outcome};
use otp_core::store::{Consume, Insert, Reissue, Reject, StoreError, StoreErrorKind};

use super::budget_rows::{Loaded, key_of};
use super::revoke::counted;
use super::{Intent, Locks, Tx, audit, challenge_rows, delivery_rows, sessions, states};

// A row that is live by name and over by time is left as it is: it expired, nothing took its place.
// A decoy, which has no destination, takes the place of decoys alone.
const SUPERSEDE: &str = "UPDATE auth_challenges SET state = 'superseded', ended_at = ?
    WHERE subject_key = ? AND tenant = ? AND purpose = ? AND lane = ?
        AND state = 'live' AND expires_at > ? AND (destination IS NULL OR ? = 0)";

impl Intent for Insert {
    type Answer = ();

    fn locks(&self) -> Locks {
        let new = &self.challenge;
        Locks::default()
            .subject(new.subject.shard())
            .subject(new.id.shard())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let new = &self.challenge;
        let now = tx.now()?;
        tx.execute(
            SUPERSEDE,
            &[
                now.into(),
                new.subject.as_str().into(),
                new.tenant.as_str().into(),
                new.purpose.as_str().into(),
                new.lane.name().into(),
                now.into(),
                i64::from(new.is_decoy()).into(),
            ],
        )
        .await?;
        challenge_rows::add(tx, new).await?;
        delivery_rows::intend(tx, self.delivery.as_ref(), now).await?;
        audit::write(tx, &self.event).await
    }
}

impl Intent for Reissue {
    type Answer = ();

    fn locks(&self) -> Locks {
        Locks::default().subject(self.challenge.shard())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let now = tx.now()?;
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
        delivery_rows::intend(tx, self.delivery.as_ref(), now).await?;
        audit::write(tx, &self.event).await
    }
}

impl Intent for Consume {
    type Answer = ConsumeOutcome;

    fn locks(&self) -> Locks {
        Locks::default().subject(self.challenge.shard())
    }

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

    fn locks(&self) -> Locks {
        let counted = self.counted.iter();
        counted.fold(Locks::default(), |locks, (id, _)| locks.subject(id.shard()))
    }

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

/// Accepts the clock as it stands, at the price of everything that is live.
pub(crate) struct Forgive(pub(crate) Event);

const LOWER_MARK: &str = "UPDATE otp_clock SET seen_ms = ? WHERE id = 1";

impl Intent for Forgive {
    type Answer = u64;

    fn locks(&self) -> Locks {
        Locks::default().everything()
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        // If this transaction fails, the next one finds the mark where it was.
        let now = tx.forgive();
        let revoked = tx.execute(tx.dialect().revoke_all, &[now.into()]).await?;
        sessions::end_all(tx, now).await?;
        states::forget_all(tx).await?;
        tx.execute(LOWER_MARK, &[now.as_millis().into()]).await?;
        audit::write(tx, &counted(&self.0, revoked)).await?;
        Ok(revoked)
    }
}
