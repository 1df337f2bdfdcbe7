use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::event::chain::Head;
use crate::key::KeyRing;
use crate::random::{OsRandom, RandomError};
use crate::store::{ChainStore, Lease, SealBatch, SealerId, Sealing, StoreError};

/// How many records are linked at once.
const BATCH: usize = 500;

/// How long one instance is the one who seals. Another takes over so long after it died.
const LEASE: Duration = Duration::from_secs(15);

/// The least time between two rounds.
const CLOSEST: Duration = Duration::from_millis(10);

/// Links the records of the audit log into its [chain](crate::event::chain), in the order of the
/// log, whichever instance wrote them.
///
/// Every instance of a service runs one; of those that share a store one seals at a time, and
/// another takes over where that one dies. What two of them do at once harms nothing: the store
/// takes a batch only where it follows upon the end of the chain. Nothing waits for a sealer; while
/// none runs, or the store is away, records wait in the log.
///
/// Cheap to clone; clones are the same sealer.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::chain::ReferenceChain;
/// # let store = ReferenceChain::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use otp_core::audit::Sealer;
/// use otp_core::key::KeyRing;
/// use otp_core::random::OsRandom;
///
/// let keys = KeyRing::generate(&OsRandom)?;
/// let sealer = Sealer::new(Arc::new(store), keys)?;
/// let running = tokio::spawn({
///     let sealer = sealer.clone();
///     async move { sealer.run(Duration::from_secs(1)).await }
/// });
/// // The service serves. Once it has answered its last request:
/// running.abort();
/// sealer.stop().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Sealer {
    name: SealerId,
    store: Arc<dyn ChainStore>,
    keys: KeyRing,
}

/// What came of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Round {
    /// This sealer linked so many records.
    Sealed(u64),
    /// Another one seals at present.
    Elsewhere,
}

impl Sealer {
    /// Seals the log of a store, with the current key of a ring.
    ///
    /// # Errors
    /// [`RandomError`]: a sealer's name is drawn by lot.
    pub fn new(store: Arc<dyn ChainStore>, keys: KeyRing) -> Result<Self, RandomError> {
        Ok(Self::named(SealerId::generate(&OsRandom)?, store, keys))
    }

    /// Seals under a name that no other sealer has.
    #[must_use]
    pub fn named(name: SealerId, store: Arc<dyn ChainStore>, keys: KeyRing) -> Self {
        Self { name, store, keys }
    }

    /// Seals every so often. It never ends; drop it to stop, and then call [`stop`](Self::stop). A
    /// second is a good time between two rounds. A store that is away is asked again; the log says
    /// so once, and once when it goes on.
    pub async fn run(&self, every: Duration) -> Infallible {
        let mut waits = false;
        loop {
            match (self.seal().await, waits) {
                (Err(error), false) => {
                    let error: &(dyn Error + 'static) = &error;
                    tracing::warn!(target: "otp_kit", error, "the audit log waits to be sealed");
                    waits = true;
                }
                (Ok(_), true) => {
                    tracing::info!(target: "otp_kit", "the audit log is sealed again");
                    waits = false;
                }
                _ => {}
            }
            tokio::time::sleep(every.max(CLOSEST)).await;
        }
    }

    /// Seals what was written before the call, where no other sealer is at it.
    ///
    /// A call that is dropped has sealed whole batches.
    ///
    /// # Errors
    /// [`StoreError`]; what was not sealed waits.
    pub async fn seal(&self) -> Result<Round, StoreError> {
        let mut sealed = 0_u64;
        loop {
            let Lease::Held(from) = self.store.lease(&self.name, LEASE).await? else {
                return Ok(Round::Elsewhere);
            };
            let batch = self.batch(from).await?;
            let linked = batch.links.len();
            if linked > 0 && self.store.seal(batch).await? == Sealing::Overtaken {
                return Ok(Round::Elsewhere);
            }
            sealed = sealed.saturating_add(count(linked));
            if linked < BATCH {
                return Ok(Round::Sealed(sealed));
            }
        }
    }

    /// Seals what was written before the call, whoever else is at it; what the others seal
    /// meanwhile is not in the number.
    ///
    /// # Errors
    /// [`StoreError`]; what was not sealed waits.
    pub async fn seal_now(&self) -> Result<u64, StoreError> {
        let mut sealed = 0_u64;
        loop {
            let from = self.store.head().await?;
            let batch = self.batch(from).await?;
            let linked = batch.links.len();
            if linked > 0 && self.store.seal(batch).await? == Sealing::Overtaken {
                // The chain has gone on, so this ends.
                continue;
            }
            sealed = sealed.saturating_add(count(linked));
            if linked < BATCH {
                return Ok(sealed);
            }
        }
    }

    /// Seals what is left and lets another one take over at once: for the end of a process, after
    /// its last request.
    ///
    /// # Errors
    /// [`StoreError`]; what was not sealed waits for another sealer, or for the next start.
    pub async fn stop(&self) -> Result<u64, StoreError> {
        let sealed = self.seal_now().await?;
        // Another's lease stays as it is.
        self.store.lease(&self.name, Duration::ZERO).await?;
        Ok(sealed)
    }

    /// Gives the store whose log is sealed.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ChainStore> {
        &self.store
    }

    /// Gives the keys that seal.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    async fn batch(&self, from: Head) -> Result<SealBatch, StoreError> {
        let records = self.store.unsealed(BATCH).await?;
        let keys = self.keys.snapshot();
        Ok(SealBatch::link(&self.name, from, records, keys))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("name", &self.name)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

fn count(records: usize) -> u64 {
    u64::try_from(records).unwrap_or(u64::MAX)
}
