//! A shared engine with a local one beneath it that is read while the shared one is away.

mod copy;
mod deliveries;
mod intents;
mod key_uses;
mod options;
mod sessions;
mod shared;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use otp_core::event::Event;
use otp_core::store::{Store, StoreError};

pub use options::ReadOnlyOptions;

use super::alone::primary_alone;
use super::circuit::Circuit;
use super::upkeep::{Owed, Turn, Upkeep};
use super::{Away, beside, sign, watch};
use copy::Copied;

/// A store that decides in its primary alone, and lets blocks, recent records and the policy be read
/// from a copy beneath while the primary is away.
///
/// The copy may be any store that is this wrapper's own: a SQLite file, so that it outlives the
/// process, or memory. Nothing is decided in it, ever: whatever would change or decide something
/// is [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable) while the primary is away, and so is whatever is
/// not copied.
///
/// # What is copied
/// - The blocklist, up to 100,000 entries, the newest: at once after a block or unblock through
///   this wrapper, else now and then while calls come in (every 60 s).
///   [`blocks`](otp_core::store::BlocklistStore::blocks) reads it in an outage. An entry of the
///   copy says when it was copied, and ends when the original does.
/// - The records of the primary's outbox, the newest 10,000: now and then, and before they are
///   acknowledged. [`recent`](Self::recent) reads them. The trait's own
///   [`outbox`](otp_core::store::AuditStore::outbox) does not, because its places are the
///   primary's: whoever acknowledged a place of the copy would lose others.
///
/// - The policy that is in force: at once after a publication through this wrapper, else now and
///   then. [`current`](otp_core::store::PolicyStore::current) and
///   [`version`](otp_core::store::PolicyStore::version) read it in an outage, in which it may be older than
///   what a caller has seen; what came before it is not copied.
///
/// Copying again changes nothing; a copy that fails is made with the next round and fails no call.
///
/// # When the primary is away
/// After three calls in a row that find it [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable) it is asked
/// for a sign of life, beside the callers: a write that changes nothing, at sixteen of its places.
/// No answer opens a circuit: nobody waits for it from then on, until a sign of life, asked for
/// every 30 s, closes it. One answer is enough, so a part of a cluster that is away, or one subject
/// whose calls fail, is away alone.
///
/// Cheap to clone; clones share everything.
///
/// # Examples
/// ```
/// use otp_core::store::{BlocklistStore as _, ChallengeStore as _, Condition};
/// use otp_store::{MemoryStore, ReadOnlyFallback};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // In a service: PostgreSQL above, an SQLite file beneath.
/// let store = ReadOnlyFallback::new(MemoryStore::new(), MemoryStore::new());
/// assert!(store.blocks(10).await?.is_empty());
/// assert_eq!(store.status().await[0].condition, Condition::Connected);
/// # Ok(())
/// # }
/// ```
pub struct ReadOnlyFallback<P, M> {
    inner: Arc<Inner<P, M>>,
}

struct Inner<P, M> {
    primary: Arc<P>,
    copy: M,
    circuit: Arc<Circuit>,
    upkeep: Arc<Upkeep>,
    keep: usize,
    /// Held by the one who copies: an older copy must not replace a newer one.
    copied: tokio::sync::Mutex<Copied>,
}

impl<P: Store, M: Store> ReadOnlyFallback<P, M> {
    /// Puts a store for the copy beneath a primary. The copy's store must be nobody else's.
    #[must_use]
    pub fn new(primary: P, copy: M) -> Self {
        Self::with_options(primary, copy, ReadOnlyOptions::new())
    }

    /// Puts a store for the copy beneath a primary, as the options say.
    #[must_use]
    pub fn with_options(primary: P, copy: M, options: ReadOnlyOptions) -> Self {
        let clock = options.clock;
        let circuit = Circuit::new(Arc::clone(&clock), options.failures, options.rest);
        Self {
            inner: Arc::new(Inner {
                primary: Arc::new(primary),
                copy,
                circuit: Arc::new(circuit),
                upkeep: Arc::new(Upkeep::new(clock, options.copy_every)),
                keep: options.keep.get(),
                copied: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Copies blocks, records and the policy now. It happens by itself; call it at the start to be sure of it.
    ///
    /// # Errors
    /// [`StoreError`] of either store; then the copy is as old as it was, or a part of it is.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.inner.round().await
    }

    /// Reads the newest records of the copy, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the store beneath.
    pub async fn recent(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.inner.recent(limit).await
    }

    /// Says whether the primary is left alone, after starting what is due.
    fn away(&self) -> Away {
        let inner = &self.inner;
        if let Some(probe) = inner.circuit.probe() {
            let inner = Arc::clone(inner);
            beside(async move {
                match sign::of_life(&inner.primary).await {
                    Ok(()) => {
                        probe.succeeded();
                        inner.round_of(inner.upkeep.turn_now()).await;
                    }
                    Err(_) => drop(probe),
                }
            });
        } else if inner.circuit.away().is_none()
            && let Some(turn) = inner.upkeep.turn(|| Owed::Nothing)
        {
            let inner = Arc::clone(inner);
            beside(async move {
                inner.round_of(Some(turn)).await;
            });
        }
        inner.circuit.away()
    }

    /// Asks the primary, unless it is left alone.
    async fn ask<T>(
        &self,
        away: Away,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        match away {
            None => self.inner.above(call).await,
            Some(why) => Err(why.into()),
        }
    }
}

impl<P: Store, M: Store> Inner<P, M> {
    /// Makes a round, where it is this caller's turn.
    async fn round_of(&self, turn: Option<Turn>) {
        let Some(turn) = turn else { return };
        if self.round().await.is_ok() {
            turn.done();
        }
    }

    /// Asks the primary, and takes notice of its answer.
    async fn above<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let answer = call.await;
        watch(&self.circuit, &self.primary, &answer);
        answer
    }
}

primary_alone!(ReadOnlyFallback<P, M>);

impl<P, M> Clone for ReadOnlyFallback<P, M> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<P: fmt::Debug, M: fmt::Debug> fmt::Debug for ReadOnlyFallback<P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnlyFallback")
            .field("primary", &self.inner.primary)
            .field("copy", &self.inner.copy)
            .field("circuit", &self.inner.circuit)
            .finish_non_exhaustive()
    }
}
