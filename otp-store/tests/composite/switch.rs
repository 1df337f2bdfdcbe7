//! A store that can be taken away, in the ways in which stores go away.

mod sessions;
mod shared;

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome, Lane};
use otp_core::clock::Timestamp;
use otp_core::delivery::{MessageId, Report};
use otp_core::event::Event;
use otp_core::factor::{Factor, RecoverySelector, RememberedDevice};
use otp_core::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use otp_core::store::{
    AcceptedTry, Admission, AdvanceFactor, Advanced, AuditStore, Block, BlockEntry, BlocklistStore,
    BudgetKey, BudgetReading, BudgetStore, ChallengeQuery, ChallengeStore, Consume, Delivery,
    DeliveryStore, DeviceQuery, DeviceStore, Enrol, Enrolled, FactorAdvanced, FactorOwner,
    FactorStore, IdempotencyKey, Insert, KeyUse, KeyUseStore, NewDevice, OutboxEntry, Plan,
    PutRecovery, QuotaStore, RecoveryUse, Reissue, Reject, RemoveFactor, Removed, RenameFactor,
    Renamed, Revocation, Seen, SeenStore, Settled, Store, StoreError, StoreErrorKind, UseRecovery,
};

/// How a store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As it does.
    Up,
    /// As it does, but not at once: a caller may leave before and after.
    Slow,
    /// It does nothing and answers an error of this kind.
    Says(StoreErrorKind),
    /// It does what it is asked, and its answer is lost.
    Lost,
    /// It does what it is asked; its answer waits until it is lost.
    Late,
    /// It can be read, and changes nothing.
    Reads,
    /// It panics.
    Panics,
}

/// It is not reached.
pub(crate) const DOWN: Mode = Mode::Says(StoreErrorKind::Unavailable);

/// The calls that change nothing.
const READS: [&str; 9] = [
    "blocks", "budget", "delivery", "failures", "find", "list", "outbox", "peek", "ping",
];

/// A store with a switch; clones share both.
#[derive(Clone, Debug)]
pub(crate) struct Switched<S> {
    pub(crate) inner: S,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    /// Which call it holds for; all, where none is named.
    only: Option<&'static str>,
    calls: Vec<&'static str>,
}

impl<S: Store> Switched<S> {
    pub(crate) fn around(inner: S) -> Self {
        let state = State {
            mode: Mode::Up,
            only: None,
            calls: Vec::new(),
        };
        Self {
            inner,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(crate) fn turn(&self, mode: Mode) {
        let mut state = self.lock();
        (state.mode, state.only) = (mode, None);
    }

    /// Lets one kind of call behave so, and all others as they do.
    pub(crate) fn turn_only(&self, call: &'static str, mode: Mode) {
        let mut state = self.lock();
        (state.mode, state.only) = (mode, Some(call));
    }

    /// Takes the names of the calls so far.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.lock().calls)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let mode = {
            let mut state = self.lock();
            state.calls.push(name);
            match state.only {
                Some(only) if only != name => Mode::Up,
                _ => state.mode,
            }
        };
        match mode {
            Mode::Up => call.await,
            Mode::Reads if READS.contains(&name) => call.await,
            Mode::Reads => Err(StoreErrorKind::Unavailable.into()),
            Mode::Slow => {
                tokio::task::yield_now().await;
                let answer = call.await;
                tokio::task::yield_now().await;
                answer
            }
            Mode::Says(kind) => Err(kind.into()),
            Mode::Lost => {
                let _ = call.await;
                Err(StoreErrorKind::Unavailable.into())
            }
            Mode::Late => {
                let _ = call.await;
                while self.lock().mode != Mode::Lost {
                    tokio::task::yield_now().await;
                }
                Err(StoreErrorKind::Unavailable.into())
            }
            Mode::Panics => panic!("a primary that panics"),
        }
    }
}

#[async_trait]
impl<S: Store> ChallengeStore for Switched<S> {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.pass("admit", self.inner.admit(plan)).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        self.pass("insert", self.inner.insert(insert)).await
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        self.pass("reissue", self.inner.reissue(reissue)).await
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        self.pass("consume", self.inner.consume(consume)).await
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        self.pass("reject", self.inner.reject(reject)).await
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.pass("find", self.inner.find(id)).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        self.pass("list", self.inner.list(query, limit)).await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        self.pass("revoke", self.inner.revoke(revocation)).await
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.pass("release", self.inner.release(key)).await
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        self.pass("ping", self.inner.ping()).await
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        self.pass("purge", self.inner.purge(limit)).await
    }

    fn engine(&self) -> &'static str {
        "redis"
    }
}

#[async_trait]
impl<S: Store> BudgetStore for Switched<S> {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.pass("budget", self.inner.budget(key, rules)).await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.pass("unlock", self.inner.unlock(key, event)).await
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.pass("disable", self.inner.disable(key, event)).await
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        self.pass(
            "carry_over",
            self.inner.carry_over(key, lane, guesses, event),
        )
        .await
    }
}

#[async_trait]
impl<S: Store> QuotaStore for Switched<S> {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.pass("check_all", self.inner.check_all(claims)).await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.pass("peek", self.inner.peek(claims)).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        self.pass("clear", self.inner.clear(keys)).await
    }
}

#[async_trait]
impl<S: Store> BlocklistStore for Switched<S> {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        self.pass("block", self.inner.block(block, note, author, life, event))
            .await
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        self.pass("unblock", self.inner.unblock(block, event)).await
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        self.pass("blocks", self.inner.blocks(limit)).await
    }
}

#[async_trait]
impl<S: Store> SeenStore for Switched<S> {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        self.pass("first_seen", self.inner.first_seen(key, life))
            .await
    }
}

#[async_trait]
impl<S: Store> DeliveryStore for Switched<S> {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        self.pass("settle", self.inner.settle(settled)).await
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        self.pass("advance", self.inner.advance(report)).await
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.pass("delivery", self.inner.delivery(id)).await
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.pass("failures", self.inner.failures(window, limit))
            .await
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.pass("claim_resend", self.inner.claim_resend(ids))
            .await
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.pass("fail_unsent", self.inner.fail_unsent(older_than, limit))
            .await
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.pass("overdue", self.inner.overdue(age, limit)).await
    }
}

#[async_trait]
impl<S: Store> AuditStore for Switched<S> {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.pass("append", self.inner.append(event)).await
    }

    async fn append_all(&self, events: Vec<Event>) -> Result<(), StoreError> {
        self.pass("append_all", self.inner.append_all(events)).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.pass("outbox", self.inner.outbox(after, limit)).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        self.pass("acknowledge", self.inner.acknowledge(up_to))
            .await
    }
}

#[async_trait]
impl<S: Store> FactorStore for Switched<S> {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        self.pass("enrol", self.inner.enrol(enrol)).await
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        self.pass("factors", self.inner.factors(owner)).await
    }

    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError> {
        self.pass("advance_factor", self.inner.advance_factor(advance))
            .await
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        self.pass("remove_factor", self.inner.remove_factor(remove))
            .await
    }

    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
        self.pass("rename_factor", self.inner.rename_factor(rename))
            .await
    }

    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError> {
        self.pass("accepted_try", self.inner.accepted_try(owner))
            .await
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        self.pass("put_recovery", self.inner.put_recovery(put))
            .await
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        self.pass("recovery", self.inner.recovery(owner, selector))
            .await
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        self.pass("recovery_left", self.inner.recovery_left(owner))
            .await
    }

    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        self.pass("use_recovery", self.inner.use_recovery(used))
            .await
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        self.pass("reset_factors", self.inner.reset_factors(owner, event))
            .await
    }
}

#[async_trait]
impl<S: Store> DeviceStore for Switched<S> {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        self.pass("remember_device", self.inner.remember_device(new))
            .await
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        self.pass("devices", self.inner.devices(owner)).await
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        self.pass(
            "forget_devices",
            self.inner.forget_devices(owner, query, event),
        )
        .await
    }
}

#[async_trait]
impl<S: Store> KeyUseStore for Switched<S> {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.pass("key_uses", self.inner.key_uses()).await
    }
}
