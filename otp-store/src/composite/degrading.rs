//! A shared engine with this instance's memory beneath it.

mod admit;
mod challenges;
mod counters;
mod deliveries;
mod hand_back;
mod key_uses;
mod ledger;
mod options;
mod records;
mod sessions;
mod shared;

use std::fmt;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otp_core::policy::{OnOutage, OutagePolicy, VerifyOnOutage};
use otp_core::store::{Store, StoreError, StoreErrorKind};

pub use options::DegradingOptions;

use super::alone::primary_alone;
use super::circuit::Circuit;
use super::upkeep::Upkeep;
use super::watch;
use crate::memory::MemoryStore;
use ledger::Ledger;

/// A shared store that falls back to this instance's memory, as far as an [`OutagePolicy`] says.
///
/// # What decides
/// A call that the primary answers is the primary's, errors included:
/// [`Unavailable`](StoreErrorKind::Unavailable) alone is an outage. After three in a row (see
/// [`DegradingOptions::open_after`]) the primary is asked for a sign of life, beside the callers: a
/// write that changes nothing, at sixteen of its places. A start that was not answered asks for one
/// at once, and waits for it, because it can be issued beneath. No answer opens a circuit: from then on
/// nobody waits for the primary. After 30 s of rest one task of its own asks for another sign, and
/// one answer closes the circuit. So a part of a cluster that is away is away alone, and so is one
/// subject whose calls fail; a primary that answers the sign and fails everything else is asked on.
///
/// A call that the primary did not answer may have been carried out there, so it is not asked again
/// beneath: it is `Unavailable`. Two calls are, because doing them twice harms nobody: the
/// admission of a start, when the circuit is open by then (its quotas may count twice), and a
/// record that is added by itself (which has a name).
///
/// What was issued above is checked above; its challenges are `Unavailable` while the primary is
/// away. What was issued beneath is checked beneath, also after the primary has come back; there
/// the budget above must have room as well, so nothing is compared while it cannot be read, and the
/// guess is counted above. No other instance knows
/// of it, so clients must come back to the same one. A challenge that is inserted above supersedes
/// one beneath; one that is inserted beneath cannot supersede what nobody can reach.
///
/// # How tight it is beneath
/// Budgets ([`BudgetRules::divided`](otp_core::quota::BudgetRules::divided)) and quotas
/// ([`Quota::divided`](otp_core::quota::Quota::divided)) are divided by the number of instances, and
/// begin empty. Whoever causes an outage therefore gets, of each budget, at most one more budget in
/// all, and at most the instance's share of it at one instance; and this is counted above
/// afterwards. Disablement and pauses above are not known beneath: a stolen phone is blocked, not
/// only disabled. Nor are idempotency keys that were taken above, nor what was seen above, so
/// [`SeenStore`](otp_core::store::SeenStore) is closed.
///
/// With [`OnOutage::Open`] a start or resend passes where a divided quota would refuse it; a locked
/// budget refuses it still, and so does a block. The blocklist is copied down now and then (see
/// [`DegradingOptions::mirror_every`]; up to 100,000 entries, the newest) and holds in an outage.
/// Blocking, unblocking, unlocking, disabling, clearing quotas and revoking what lives above are
/// `Unavailable` in one, whatever the policy says.
///
/// A session that is opened in an outage is opened beneath, where an outage policy lets codes be
/// checked, and lives there to its end: only this instance knows it, and it goes with the process.
/// So does state for one use. A session that was opened above is `Unavailable` in an outage: nobody
/// can say there whether it was ended. A proof that has opened a session above may open another one
/// beneath within its minute. Ending by account, by tenant or altogether ends those beneath first;
/// in an outage it is `Unavailable` all the same, and must be called again. Its record counts those
/// above.
///
/// What this instance counts in [`StatsStore`](otp_core::store::StatsStore) it counts beneath as well:
/// in an outage sums are its own, and what is counted then is not told above. A policy is read and
/// published above alone.
///
/// # What comes back
/// When the primary has come back, it is told what was counted beneath: guesses, by
/// [`carry_over`](otp_core::store::BudgetStore::carry_over); hits, by charging the same quotas; and
/// records, which keep their own time. What cannot be told is kept and told later; nothing
/// is dropped because a task was. Told twice is what the primary heard without being able to say so:
/// guesses and hits then count twice, which is stricter, and records once. Of what waits, each list
/// is bounded by the [`Capacity`](crate::memory::Capacity): without room a guess is refused, a hit
/// is forgotten, and the oldest record goes. A success beneath gives back its own guess where it was
/// not told yet, and never clears one above. What waits in an instance that is stopped is lost: see
/// [`hand_back`](Self::hand_back).
///
/// Cheap to clone; clones share everything.
///
/// # Examples
/// ```
/// use std::num::NonZeroU32;
/// use otp_core::policy::OutagePolicy;
/// use otp_core::store::{ChallengeStore as _, Condition};
/// use otp_store::{Degrading, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // In a service the primary is a `RedisStore`.
/// let primary = MemoryStore::new();
/// let four = NonZeroU32::new(4).ok_or("none")?;
/// let store = Degrading::new(primary, OutagePolicy::memory(), four);
/// assert_eq!(store.status().await[0].condition, Condition::Connected);
/// # Ok(())
/// # }
/// ```
pub struct Degrading<P> {
    inner: Arc<Inner<P>>,
}

struct Inner<P> {
    primary: Arc<P>,
    memory: MemoryStore,
    policy: OutagePolicy,
    instances: NonZeroU32,
    circuit: Arc<Circuit>,
    upkeep: Arc<Upkeep>,
    ledger: Mutex<Ledger>,
    /// Held by the one who tells the primary what was counted.
    telling: tokio::sync::Mutex<()>,
    /// Held while one thing is told, and while what is owed is forgiven: what an operator forgave
    /// must not be on its way above.
    owing: tokio::sync::Mutex<()>,
    /// Held by the one who copies the blocklist: an older copy must not replace a newer one.
    copying: tokio::sync::Mutex<()>,
}

impl<P: Store> Degrading<P> {
    /// Puts memory beneath a primary that so many instances share.
    #[must_use]
    pub fn new(primary: P, policy: OutagePolicy, instances: NonZeroU32) -> Self {
        Self::with_options(primary, DegradingOptions::new(policy, instances))
    }

    /// Puts memory beneath a primary as the options say.
    #[must_use]
    pub fn with_options(primary: P, options: DegradingOptions) -> Self {
        let clock = options.clock;
        let capacity = options.capacity;
        let circuit = Circuit::new(Arc::clone(&clock), options.failures, options.rest);
        let ledger = Ledger::new(capacity.budgets.get(), capacity.quota_keys.get());
        Self {
            inner: Arc::new(Inner {
                primary: Arc::new(primary),
                memory: MemoryStore::build(Arc::clone(&clock), capacity),
                policy: options.policy,
                instances: options.instances,
                circuit: Arc::new(circuit),
                upkeep: Arc::new(Upkeep::new(clock, options.mirror_every)),
                ledger: Mutex::new(ledger),
                telling: tokio::sync::Mutex::default(),
                owing: tokio::sync::Mutex::default(),
                copying: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// Says what is done in an outage.
    #[must_use]
    pub fn policy(&self) -> &OutagePolicy {
        &self.inner.policy
    }

    /// Says whether the primary is left alone, after seeing to what is due.
    fn away(&self) -> Option<StoreErrorKind> {
        self.see_to_what_is_due();
        self.inner.circuit.away()
    }
}

impl<P: Store> Inner<P> {
    /// Asks the primary, and takes notice of its answer.
    async fn above<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let answer = call.await;
        watch(&self.circuit, &self.primary, &answer);
        answer
    }

    /// Says whether anything at all is decided in an outage. A policy that checks nothing sends
    /// nothing, and one that sends nothing has nothing to check.
    fn serves(&self) -> Result<(), StoreErrorKind> {
        match self.policy.verify() {
            VerifyOnOutage::Degraded => Ok(()),
            _ => Err(StoreErrorKind::Unavailable),
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On which terms memory decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Terms {
    /// Within the share of every limit.
    Degraded,
    /// Whatever the quotas say.
    Open,
}

/// Reads the terms of an operation; where it is closed there are none.
fn terms(on_outage: OnOutage) -> Result<Terms, StoreErrorKind> {
    match on_outage {
        OnOutage::Degraded => Ok(Terms::Degraded),
        OnOutage::Open => Ok(Terms::Open),
        _ => Err(StoreErrorKind::Unavailable),
    }
}

primary_alone!(Degrading<P>);

impl<P> Clone for Degrading<P> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for Degrading<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Degrading")
            .field("primary", &self.inner.primary)
            .field("policy", &self.inner.policy)
            .field("instances", &self.inner.instances)
            .field("circuit", &self.inner.circuit)
            .finish_non_exhaustive()
    }
}
