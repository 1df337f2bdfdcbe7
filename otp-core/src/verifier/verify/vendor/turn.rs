//! One question to a vendor at a time for a try that its client has named: the turn is kept in the
//! store, so other instances wait as well.

use std::time::Duration;

use tokio::time::Instant;

use super::{Desk, Question};
use crate::challenge::{AttemptAnswer, Challenge};
use crate::event::Outcome;
use crate::quota::{Quota, QuotaClaim, QuotaKey, QuotaReading, Scope};
use crate::store::StoreError;
use crate::verifier::managed::DEADLINE;
use crate::verifier::verify::REPEATED;
use crate::verifier::{Unavailable, Verified, VerifyError};

/// A turn that nobody gives back ends by itself: whoever took it is gone.
const LIFE: Duration = Duration::from_secs(10);
/// How long a repeated try waits for the answer: as long as a vendor takes, and its record.
const PATIENCE: Duration = DEADLINE.saturating_add(Duration::from_secs(1));
const PAUSE: Duration = Duration::from_millis(50);

/// Whose turn it is to ask about a try.
pub(super) enum Turn {
    /// The try has no name: each of its kind is one of its own, and counted.
    Unnamed,
    /// This call's, until the key is cleared.
    Own(QuotaKey),
    /// Another call's.
    Anothers(QuotaClaim),
}

/// What another call has heard about the same try.
pub(super) enum Heard {
    Right(Box<Challenge>),
    Wrong,
}

impl Desk<'_> {
    /// Takes the turn to ask about this try. Of racing calls one gets it.
    pub(super) async fn turn(&self, challenge: &Challenge) -> Result<Turn, StoreError> {
        let Some(id) = &self.attempt.id else {
            return Ok(Turn::Unnamed);
        };
        // No id of a challenge has a slash in it.
        let value = format!("{}/{}", challenge.id, id.as_str());
        let tenant = challenge.tenant.as_str();
        let claim = QuotaClaim {
            key: QuotaKey::new("vendor_check", Scope::Subject, tenant, &value),
            quota: Quota::bounded_window(1, LIFE),
        };
        let store = &self.verifier.inner.store;
        let readings = store.check_all(std::slice::from_ref(&claim)).await?;
        let refused = |reading: &QuotaReading| reading.retry_after().is_some();
        Ok(match readings.iter().any(refused) {
            true => Turn::Anothers(claim),
            false => Turn::Own(claim.key),
        })
    }

    /// Says what was heard about this try, where the challenge has it: that it was right, or that it
    /// was not. What has ended otherwise is over for it too.
    pub(super) fn heard(&self, found: Option<Challenge>) -> Option<Heard> {
        let Some(found) = found else {
            return Some(Heard::Wrong);
        };
        let mut tries = found.attempt_log.iter();
        let known = tries.find(|entry| Some(&entry.id) == self.attempt.id.as_ref());
        match known.map(|entry| entry.answer) {
            Some(AttemptAnswer::Right) => Some(Heard::Right(Box::new(found))),
            Some(AttemptAnswer::Pending) if found.is_live(self.now) => None,
            _ => Some(Heard::Wrong),
        }
    }

    /// Answers as the call did that heard it.
    pub(super) async fn answer_as(
        self,
        heard: Heard,
        question: Question,
    ) -> Result<Verified, VerifyError> {
        match heard {
            Heard::Wrong => self.reject(None, REPEATED).await,
            Heard::Right(challenge) => {
                let event = self.event.clone();
                let event = event.with_outcome(Outcome::Success, "repeated");
                self.verifier.record(event).await?;
                Ok(self.verified(challenge, question.to, true))
            }
        }
    }

    /// Waits for what another call hears about this very try, and answers by that. It asks nobody:
    /// where the other one has heard nothing, neither has this one.
    pub(super) async fn after_another(
        self,
        turn: &QuotaClaim,
        question: Question,
    ) -> Result<Verified, VerifyError> {
        let (store, begun) = (&self.verifier.inner.store, Instant::now());
        let id = question.challenge.id;
        while begun.elapsed() < PATIENCE {
            tokio::time::sleep(PAUSE).await;
            // Read before the challenge is: a turn is given back once the answer is written.
            let readings = store.peek(std::slice::from_ref(turn)).await?;
            let given_back = readings.iter().all(|reading| reading.remaining() > 0);
            if let Some(heard) = self.heard(store.find(&id).await?) {
                return self.answer_as(heard, question).await;
            }
            if given_back {
                break;
            }
        }
        let silent = self
            .event
            .with_outcome(Outcome::Failed, "provider_asked_already");
        self.verifier.record(silent).await?;
        let silence = Unavailable::of_vendor("another call asks about the same try");
        Err(VerifyError::Unavailable(silence))
    }
}
