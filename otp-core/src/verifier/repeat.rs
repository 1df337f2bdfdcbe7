use std::time::Duration;

use super::desk::Admitted;
use super::draft::Draft;
use super::{IssueError, Verifier};
use crate::clock::Timestamp;
use crate::event::Event;
use crate::gate::{GateRequest, Wants};
use crate::store::{Granted, IdempotencyKey, RecordedIssue, Step, StoreError, StoreErrorKind};

/// How long a repeated start waits for the first one to put its challenge.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);
/// A start that has put no challenge after this time never will: every deadline is over.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// What a repeated start finds of the first one.
enum Standing {
    /// Its challenge.
    There,
    /// Nothing yet.
    Pending,
    /// Nothing, for ever.
    Never,
}

impl Verifier {
    /// Admits a start, and makes sure that a repeated one is not told of a challenge that never was.
    ///
    /// The host's key is taken before the challenge is put. Between the two the first start may
    /// still be at work, and is waited for; it may have failed and given the key back, and then this
    /// one takes it; or it has failed without being able to say so (its reply was lost), and then
    /// the key is taken from it once that is certain.
    pub(super) async fn admit_start(
        &self,
        draft: &Draft<'_>,
        request: &GateRequest<'_>,
        wants: Wants,
        step: Step,
        event: Event,
    ) -> Result<Admitted, IssueError> {
        match draft.key() {
            None => Ok(self.admit(request, wants, step, event).await?),
            Some(key) => {
                let plan = (wants, step, event);
                Box::pin(self.admit_once(draft, request, &key, plan)).await
            }
        }
    }

    async fn admit_once(
        &self,
        draft: &Draft<'_>,
        request: &GateRequest<'_>,
        key: &IdempotencyKey,
        (wants, step, event): (Wants, Step, Event),
    ) -> Result<Admitted, IssueError> {
        let mut waited = Duration::ZERO;
        loop {
            let admitted = self
                .admit(request, wants.clone(), step.clone(), event.clone())
                .await?;
            let Granted::IssuedBefore(before) = &admitted.granted else {
                return Ok(admitted);
            };
            match self.standing(before, draft.life(), admitted.now).await? {
                Standing::There => return Ok(admitted),
                Standing::Pending if waited >= PATIENCE => {
                    return Err(StoreError::from(StoreErrorKind::Unavailable).into());
                }
                Standing::Pending => {
                    tokio::time::sleep(PAUSE).await;
                    waited = waited.saturating_add(PAUSE);
                }
                Standing::Never => self.inner.store.release(key).await?,
            }
        }
    }

    async fn standing(
        &self,
        before: &RecordedIssue,
        life: Duration,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        if self.inner.store.find(&before.challenge).await?.is_some() {
            return Ok(Standing::There);
        }
        let taken_at = before.expires_at.saturating_sub(life);
        Ok(if now.since(taken_at) >= GIVEN_UP {
            Standing::Never
        } else {
            Standing::Pending
        })
    }
}
