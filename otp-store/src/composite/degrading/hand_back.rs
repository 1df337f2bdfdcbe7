//! What the primary is told when it has come back, and when.

use std::sync::Arc;

use otp_core::event::{Event, EventKind};
use otp_core::quota::{Budget, QuotaClaim};
use otp_core::store::{AuditStore as _, ChallengeStore as _, Store, StoreError, StoreErrorKind};

use super::ledger::{Bucket, Purse, Settled};
use super::{Degrading, Inner};
use crate::composite::upkeep::{Owed, Turn};
use crate::composite::{beside, sign};

/// How many records are read at once.
const PAGE: usize = 256;

impl<P: Store> Degrading<P> {
    /// Tells the primary everything that was counted and recorded beneath and was not told yet.
    ///
    /// It happens by itself when the primary has come back. Call it before an instance is stopped:
    /// what waits here goes with the instance. A call that is dropped loses nothing; racing calls
    /// wait for one another.
    ///
    /// # Errors
    /// [`StoreError`]; then what was not told is kept.
    pub async fn hand_back(&self) -> Result<(), StoreError> {
        self.inner.tell().await
    }

    /// Copies the blocklist down, so that it holds in an outage. It happens by itself with the
    /// first call and now and then; call it at the start to be sure of it.
    ///
    /// # Errors
    /// [`StoreError`]; then the copy from before stays.
    pub async fn mirror_blocks(&self) -> Result<(), StoreError> {
        self.inner.copy_blocks().await
    }

    /// Starts what is due, beside the callers: a probe of a primary that has rested, or a round of
    /// upkeep.
    pub(super) fn see_to_what_is_due(&self) {
        if let Some(probe) = self.inner.circuit.probe() {
            let inner = Arc::clone(&self.inner);
            beside(async move {
                match sign::of_life(&inner.primary).await {
                    Ok(()) => {
                        probe.succeeded();
                        inner.round_of(inner.upkeep.turn_now()).await;
                    }
                    Err(_) => drop(probe),
                }
            });
            return;
        }
        if self.inner.circuit.away().is_some() {
            return;
        }
        if let Some(turn) = self.inner.upkeep.turn(|| self.inner.owed()) {
            let inner = Arc::clone(&self.inner);
            beside(async move {
                inner.round_of(Some(turn)).await;
            });
        }
    }
}

impl<P: Store> Inner<P> {
    fn owed(&self) -> Owed {
        if self.ledger().is_settled() && !self.memory.has_records() {
            Owed::Nothing
        } else {
            Owed::Something
        }
    }

    /// Makes a round, where it is this caller's turn.
    async fn round_of(&self, turn: Option<Turn>) {
        let Some(turn) = turn else { return };
        if self.round().await.is_ok() {
            turn.done();
        }
    }

    async fn round(&self) -> Result<(), StoreError> {
        // What was counted comes first: until it is told, the primary is too generous.
        let told = self.tell().await;
        self.copy_blocks().await.and(told)
    }

    async fn tell(&self) -> Result<(), StoreError> {
        let _alone = self.telling.lock().await;
        // Each part is tried: an engine that takes no guesses over still takes records.
        let guesses = self.tell_guesses().await;
        let charges = self.tell_charges().await;
        let records = self.tell_records().await;
        guesses.and(charges).and(records)
    }

    async fn tell_guesses(&self) -> Result<(), StoreError> {
        let (mut told, mut last) = (Ok(()), None);
        while let Some(purse) = self.next_purse(last.as_ref()) {
            loop {
                let _alone = self.owing.lock().await;
                // Looked at again under the lock: it may have been forgiven meanwhile.
                let guesses = self.owed_to(&purse).min(Budget::MOST_CARRIED);
                if guesses == 0 {
                    break;
                }
                match self.tell_guesses_of(&purse, guesses).await {
                    // Only now: whoever is stopped in between tells them again.
                    Ok(()) => self.ledger().settle_guesses(&purse, guesses),
                    Err(error) if error.kind() == StoreErrorKind::Unavailable => return Err(error),
                    Err(error) => {
                        told = Err(error);
                        break;
                    }
                }
            }
            last = Some(purse);
        }
        told
    }

    fn next_purse(&self, after: Option<&Purse>) -> Option<Purse> {
        self.ledger().next_purse(after)
    }

    fn owed_to(&self, purse: &Purse) -> u32 {
        self.ledger().owed_to(purse)
    }

    async fn tell_guesses_of(&self, purse: &Purse, guesses: u32) -> Result<(), StoreError> {
        let (key, lane) = purse;
        let mut event = Event::new(EventKind::GuessesCarriedOver, &key.tenant).about(&key.subject);
        event.lane = Some(*lane);
        event.reason = Some(format!("guesses:{guesses}").into());
        let call = self.primary.carry_over(key, *lane, guesses, event);
        self.above(call).await
    }

    async fn tell_charges(&self) -> Result<(), StoreError> {
        if let Ok(now) = self.memory.ping().await {
            self.ledger().forget_lapsed(now);
        }
        let (mut told, mut last) = (Ok(()), None);
        while let Some(bucket) = self.next_bucket(last.as_ref()) {
            loop {
                let _alone = self.owing.lock().await;
                let Some(claim) = self.charge_of(&bucket) else {
                    break;
                };
                let claims = std::slice::from_ref(&claim);
                match self.above(self.primary.check_all(claims)).await {
                    Ok(readings) => {
                        let full = readings.iter().any(|one| one.retry_after().is_some());
                        let settled = if full { Settled::All } else { Settled::One };
                        self.ledger().settle_charge(&bucket, settled);
                    }
                    Err(error) if error.kind() == StoreErrorKind::Unavailable => return Err(error),
                    Err(error) => {
                        told = Err(error);
                        break;
                    }
                }
            }
            last = Some(bucket);
        }
        told
    }

    fn next_bucket(&self, after: Option<&Bucket>) -> Option<Bucket> {
        self.ledger().next_bucket(after)
    }

    fn charge_of(&self, bucket: &Bucket) -> Option<QuotaClaim> {
        self.ledger().charge_of(bucket)
    }

    async fn tell_records(&self) -> Result<(), StoreError> {
        loop {
            let page = self.memory.outbox(None, PAGE).await?;
            if page.is_empty() {
                return Ok(());
            }
            for entry in page {
                self.above(self.primary.append(entry.event)).await?;
                self.memory.acknowledge(entry.sequence).await?;
            }
        }
    }
}
