mod chain;
mod deliveries;
mod devices;
mod factors;
mod intents;
mod sessions;
mod shared;

use std::fmt;
use std::sync::Arc;

use otp_core::store::{AuditStore, Store, StoreError};
use tokio::sync::Mutex;

/// A store whose challenges are in one place and whose audit log is in another.
///
/// Every intent writes its record where it decides, in one step, and so does a record that is added
/// by itself: it is as durable as a decision, and in order with those. From there records are handed
/// over: added to the audit store first, which knows a record that it has by its name, and only then
/// acknowledged where they came from. So none is lost, whatever fails or is dropped in between.
///
/// Records are handed over whenever the outbox is read or acknowledged, and by
/// [`hand_over`](Self::hand_over), which a service calls every second or so. The outbox is that of
/// the audit store. While that one is down decisions go on, and records wait where they were written;
/// mind its room there.
///
/// Records are handed over in batches, with the times that they were written at.
///
/// Counts are kept where decisions are made, and the policy where the audit log is: it lasts, and its
/// record is written there in one step with it.
///
/// One process should hand over at a time. More of them do no harm but one: a record that one has
/// handed over, and that was read and acknowledged meanwhile, may be added again by another.
///
/// Cheap to clone; clones share everything.
///
/// # Examples
/// ```
/// use otp_core::store::{ChallengeStore as _, Duty};
/// use otp_store::{MemoryStore, Split};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // In a service: Redis decides, PostgreSQL keeps the audit log.
/// let store = Split::new(MemoryStore::new(), MemoryStore::new(), "postgres");
/// store.hand_over().await?;
/// let audit = &store.status().await[1];
/// assert_eq!((audit.engine, audit.duty), ("postgres", Duty::Audit));
/// # Ok(())
/// # }
/// ```
pub struct Split<D, A> {
    inner: Arc<Inner<D, A>>,
}

struct Inner<D, A> {
    decisions: D,
    audit: A,
    audit_engine: &'static str,
    /// Held by the one who hands over, so that records arrive in order.
    handing: Mutex<()>,
}

/// How many records are read at once.
const PAGE: usize = 256;
/// How many pages one call hands over at the most, however fast new ones are written.
const MOST_PAGES: usize = 4_096;
/// How many of them a reader waits for.
const READERS_PAGES: usize = 4;

impl<D: Store, A: AuditStore> Split<D, A> {
    /// Decides in one store and keeps the audit log in another, whose engine has this name.
    #[must_use]
    pub fn new(decisions: D, audit: A, audit_engine: &'static str) -> Self {
        Self {
            inner: Arc::new(Inner {
                decisions,
                audit,
                audit_engine,
                handing: Mutex::default(),
            }),
        }
    }

    /// Hands over the records that wait. A call that is dropped loses none; racing calls wait for
    /// one another.
    ///
    /// # Errors
    /// [`StoreError`] of either store; then what was not handed over still waits.
    pub async fn hand_over(&self) -> Result<(), StoreError> {
        self.hand_over_pages(MOST_PAGES).await
    }

    /// Hands over so many pages at the most. Whoever waits for another's page waits for no more than
    /// that one.
    async fn hand_over_pages(&self, most: usize) -> Result<(), StoreError> {
        let Inner {
            decisions,
            audit,
            handing,
            ..
        } = &*self.inner;
        for _ in 0..most {
            let _alone = handing.lock().await;
            let page = decisions.outbox(None, PAGE).await?;
            let Some(last) = page.last().map(|entry| entry.sequence) else {
                break;
            };
            let is_last = page.len() < PAGE;
            let events = page.into_iter().map(|entry| entry.event).collect();
            audit.append_all(events).await?;
            decisions.acknowledge(last).await?;
            if is_last {
                break;
            }
        }
        Ok(())
    }
}

impl<D, A> Clone for Split<D, A> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<D: fmt::Debug, A: fmt::Debug> fmt::Debug for Split<D, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Split")
            .field("decisions", &self.inner.decisions)
            .field("audit", &self.inner.audit)
            .finish_non_exhaustive()
    }
}
