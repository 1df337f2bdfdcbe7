//! Messages under way: of those that nobody waits for so many and no more at once, and a way to
//! wait for the last.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Verifier;
use super::request::Dispatch;
use crate::hash::Busy;

/// The messages that may be under way in the background, unless it is said otherwise.
const LIMIT: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// When it is worth asking again: a message takes a second at most where its provider is well.
const RETRY: Duration = Duration::from_secs(1);
/// How long what is done in the background waits for the answer to be gone. Where it began beside the
/// answer, on the same cores, that would come later for somebody than for nobody.
const HEAD_START: Duration = Duration::from_millis(25);

/// The places of messages in the background, and the count of those that a caller waits for.
#[derive(Debug)]
pub(super) struct Outbound {
    places: Arc<Semaphore>,
    limit: u32,
    awaited: watch::Sender<usize>,
    /// How many wait for all that is under way.
    drains: watch::Sender<usize>,
}

/// The right to have one message sent; it ends with the message.
#[derive(Debug)]
pub(super) enum Place {
    /// A caller waits for it, and may leave.
    Awaited(#[expect(dead_code, reason = "held for its drop")] Awaited),
    /// Nobody waits for it.
    Background(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit),
}

/// One message of those that a caller waits for.
#[derive(Debug)]
pub(super) struct Awaited(watch::Sender<usize>);

impl Awaited {
    fn counted(count: &watch::Sender<usize>) -> Self {
        // Who waits for none of them to be left need not hear of one more.
        count.send_if_modified(|count| {
            *count = count.saturating_add(1);
            false
        });
        Self(count.clone())
    }
}

/// One who waits for all that is under way.
struct Drain<'a>(&'a watch::Sender<usize>);

impl<'a> Drain<'a> {
    fn counted(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count = count.saturating_add(1));
        Self(count)
    }
}

impl Drop for Drain<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.send_if_modified(|count| {
            *count = count.saturating_sub(1);
            *count == 0
        });
    }
}

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
            awaited: watch::Sender::new(0),
            drains: watch::Sender::new(0),
        }
    }

    /// Takes a place for a message, before anything is charged for it. The background may
    /// be full; a decoy takes a place there as well: else a full queue would tell it from a real
    /// message.
    pub(super) fn reserve(&self, dispatch: Dispatch) -> Result<Place, Busy> {
        match dispatch {
            Dispatch::Await => Ok(Place::Awaited(self.await_one())),
            Dispatch::Background => match Arc::clone(&self.places).try_acquire_owned() {
                Ok(permit) => Ok(Place::Background(permit)),
                Err(_full) => Err(Busy { retry_after: RETRY }),
            },
        }
    }

    /// Counts one more thing that [`Verifier::drain`] waits for.
    pub(super) fn await_one(&self) -> Awaited {
        Awaited::counted(&self.awaited)
    }

    pub(super) fn under_way(&self) -> usize {
        usize::try_from(self.limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.places.available_permits())
            .saturating_add(*self.awaited.borrow())
    }

    /// Lets an answer that comes in so long go ahead of what is done in the background; not while
    /// somebody waits for that.
    pub(super) async fn let_answer_ahead(&self, answer_in: Duration) {
        let mut drains = self.drains.subscribe();
        let drained = drains.wait_for(|count| *count > 0);
        let ahead = HEAD_START.saturating_add(answer_in);
        let _drained_or_over = tokio::time::timeout(ahead, drained).await;
    }

    /// Waits for all that is under way.
    async fn idle(&self) {
        let _until_idle = Drain::counted(&self.drains);
        let _all_or_closed = self.places.acquire_many(self.limit).await;
        let mut awaited = self.awaited.subscribe();
        let _none_or_closed = awaited.wait_for(|count| *count == 0).await;
    }
}

impl Verifier {
    /// Waits until every message is accepted, refused or given up, whether its caller waits for
    /// it, has left, or never did ([`Dispatch::Background`]), and what the toll-fraud guard had to
    /// report is recorded: call it when the server has stopped taking requests. Meanwhile new
    /// background messages are refused as busy; new ones that callers await are not, and are waited
    /// for as well.
    ///
    /// # Errors
    /// [`StillSending`] where some are under way after `within`; they go on.
    ///
    /// # Cancellation
    /// Dropping the future ends the waiting and nothing else.
    pub async fn drain(&self, within: Duration) -> Result<(), StillSending> {
        let outbound = &self.inner.outbound;
        match tokio::time::timeout(within, outbound.idle()).await {
            Ok(()) => Ok(()),
            Err(_elapsed) => Err(StillSending {
                count: outbound.under_way(),
            }),
        }
    }
}
