//! Messages that nobody waits for: so many and no more at once, and a way to wait for the last.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Verifier;
use super::request::Dispatch;
use crate::hash::Busy;

/// The messages that may be under way in the background, unless it is said otherwise.
const LIMIT: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// When it is worth asking again: a message takes a second at most where its provider is well.
const RETRY: Duration = Duration::from_secs(1);

/// The places of messages in the background.
#[derive(Debug)]
pub(super) struct Outbound {
    places: Arc<Semaphore>,
    limit: u32,
}

/// The right to have one message sent in the background; it ends with the message.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// Messages were still under way when the time to wait for them was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count} messages are still under way")]
pub struct StillSending {
    /// How many.
    pub count: usize,
}

impl Outbound {
    pub(super) fn new(limit: Option<NonZeroU32>) -> Self {
        let limit = limit.unwrap_or(LIMIT).get();
        // A limit beyond what a semaphore counts is no limit that a machine could reach.
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let places = most.min(Semaphore::MAX_PERMITS);
        Self {
            limit: u32::try_from(places).unwrap_or(limit),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Takes a place for a message that nobody waits for, before anything is charged for it. A
    /// decoy takes one as well: else a full queue would tell it from a real message.
    pub(super) fn reserve(&self, dispatch: Dispatch) -> Result<Option<Place>, Busy> {
        match dispatch {
            Dispatch::Await => Ok(None),
            Dispatch::Background => match Arc::clone(&self.places).try_acquire_owned() {
                Ok(permit) => Ok(Some(Place(permit))),
                Err(_full) => Err(Busy { retry_after: RETRY }),
            },
        }
    }

    fn under_way(&self) -> usize {
        usize::try_from(self.limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.places.available_permits())
    }
}

impl Verifier {
    /// Waits until every message of [`Dispatch::Background`] is accepted, refused or given up:
    /// call it when the server has stopped taking requests. Meanwhile new background messages are
    /// refused as busy; what callers await is theirs to finish.
    ///
    /// # Errors
    /// [`StillSending`] where some are under way after `within`; they go on.
    ///
    /// # Cancellation
    /// Dropping the future ends the waiting and nothing else.
    pub async fn drain(&self, within: Duration) -> Result<(), StillSending> {
        let outbound = &self.inner.outbound;
        let all = outbound.places.acquire_many(outbound.limit);
        match tokio::time::timeout(within, all).await {
            Ok(_all_or_closed) => Ok(()),
            Err(_elapsed) => Err(StillSending {
                count: outbound.under_way(),
            }),
        }
    }
}
