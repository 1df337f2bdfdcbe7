//! What the primary is told when it has come back, and when.

use std::sync::Arc;

use otp_core::event::{Event, EventKind};
use otp_core::quota::{Budget, QuotaClaim};
use otp_core::store::{AuditStore as _, ChallengeStore as _, Store, StoreError, StoreErrorKind};

use super::ledger::{Purse, Settled};
use super::{Degrading, Inner};
use crate::composite::beside;
use crate::composite::upkeep::{Owed, Turn};

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
                match inner.primary.ping().await {
                    Err(error) if error.kind() == StoreErrorKind::Unavailable => drop(probe),
                    // Any other answer is one.
                    _ => {
                        probe.succeeded();
                        inner.round_of(inner.upkeep.turn_now()).await;
                    }
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
        while let Some((purse, owed)) = self.next_guesses(last.as_ref()) {
            let mut left = owed;
            while left > 0 {
                let guesses = left.min(Budget::MOST_CARRIED);
                match self.tell_guesses_of(&purse, guesses).await {
                    // Only now: whoever is stopped in between tells them again.
                    Ok(()) => self.ledger().settle_guesses(&purse, guesses),
                    Err(error) if error.kind() == StoreErrorKind::Unavailable => return Err(error),
                    Err(error) => {
                        told = Err(error);
                        break;
                    }
                }
                left = left.saturating_sub(guesses);
            }
            last = Some(purse);
        }
        told
    }

    fn next_guesses(&self, after: Option<&Purse>) -> Option<(Purse, u32)> {
        self.ledger().next_guesses(after)
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
        while let Some((claim, times)) = self.next_charge(last.as_ref()) {
            for _ in 0..times {
                let claims = std::slice::from_ref(&claim);
                match self.above(self.primary.check_all(claims)).await {
                    Ok(readings) => {
                        let full = readings.iter().any(|one| one.retry_after().is_some());
                        let settled = if full { Settled::All } else { Settled::One };
                        self.ledger().settle_charge(&claim.key, settled);
                        if full {
                            break;
                        }
                    }
                    Err(error) if error.kind() == StoreErrorKind::Unavailable => return Err(error),
                    Err(error) => {
                        told = Err(error);
                        break;
                    }
                }
            }
            last = Some(claim.key);
        }
        told
    }

    fn next_charge(&self, after: Option<&otp_core::quota::QuotaKey>) -> Option<(QuotaClaim, u32)> {
        self.ledger().next_charge(after)
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
