//! Counts what a store is asked. Every method is written out: a wrapper that forgot one would
//! change what the contract promises without anybody seeing it.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use otp_kit::async_trait;
use otp_kit::challenge::{Challenge, ChallengeId, ConsumeOutcome, Lane};
use otp_kit::clock::Timestamp;
use otp_kit::delivery::{MessageId, Report};
use otp_kit::event::Event;
use otp_kit::factor::{Factor, RecoverySelector, RememberedDevice};
use otp_kit::quota::{BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
use otp_kit::request::Tenant;
use otp_kit::store::{
    AcceptedTry, Admission, AdvanceFactor, Advanced, AuditStore, Block, BlockEntry, BlocklistStore,
    Board, BoardText, BudgetKey, BudgetReading, BudgetStore, ChallengeQuery, ChallengeStore,
    Consume, Delivery, DeliveryStore, DeviceQuery, DeviceStore, EngineStatus, Enrol, Enrolled,
    FactorAdvanced, FactorOwner, FactorStore, IdempotencyKey, Insert, KeyUse, KeyUseStore,
    NewDevice, OutboxEntry, Plan, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published,
    PutRecovery, QuotaStore, RecoveryUse, Reissue, Reject, RemoveFactor, Removed, RenameFactor,
    Renamed, Revocation, Seen, SeenStore, Settled, StatKey, StatName, StatWindow, StatsStore,
    Store, StoreError, UseRecovery,
};

/// A store that remembers which of its methods were called.
#[derive(Clone, Debug)]
pub(crate) struct Counting<S> {
    inner: S,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl<S: Store> Counting<S> {
    /// Wraps a store.
    pub(crate) fn around(inner: S) -> Self {
        Self {
            inner,
            calls: Arc::default(),
        }
    }

    /// Takes the names of the calls so far.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    }

    fn note(&self, name: &'static str) -> &S {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(name);
        &self.inner
    }
}

#[async_trait]
impl<S: Store> ChallengeStore for Counting<S> {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        self.note("admit").admit(plan).await
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        self.note("insert").insert(insert).await
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        self.note("reissue").reissue(reissue).await
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        self.note("consume").consume(consume).await
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        self.note("reject").reject(reject).await
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.note("find").find(id).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        self.note("list").list(query, limit).await
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        self.note("revoke").revoke(revocation).await
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.note("release").release(key).await
    }

    fn engine(&self) -> &'static str {
        self.inner.engine()
    }

    async fn status(&self) -> Vec<EngineStatus> {
        self.note("status").status().await
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        self.note("ping").ping().await
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        self.note("purge").purge(limit).await
    }
}

#[async_trait]
impl<S: Store> BudgetStore for Counting<S> {
    async fn budget(
        &self,
        key: &BudgetKey,
        rules: &BudgetRules,
    ) -> Result<BudgetReading, StoreError> {
        self.note("budget").budget(key, rules).await
    }

    async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.note("unlock").unlock(key, event).await
    }

    async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
        self.note("disable").disable(key, event).await
    }

    async fn carry_over(
        &self,
        key: &BudgetKey,
        lane: Lane,
        guesses: u32,
        event: Event,
    ) -> Result<(), StoreError> {
        self.note("carry_over")
            .carry_over(key, lane, guesses, event)
            .await
    }
}

#[async_trait]
impl<S: Store> QuotaStore for Counting<S> {
    async fn check_all(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.note("check_all").check_all(claims).await
    }

    async fn peek(&self, claims: &[QuotaClaim]) -> Result<Vec<QuotaReading>, StoreError> {
        self.note("peek").peek(claims).await
    }

    async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
        self.note("clear").clear(keys).await
    }
}

#[async_trait]
impl<S: Store> BlocklistStore for Counting<S> {
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError> {
        self.note("block")
            .block(block, note, author, life, event)
            .await
    }

    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
        self.note("unblock").unblock(block, event).await
    }

    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        self.note("blocks").blocks(limit).await
    }
}

#[async_trait]
impl<S: Store> SeenStore for Counting<S> {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        self.note("first_seen").first_seen(key, life).await
    }
}

#[async_trait]
impl<S: Store> DeliveryStore for Counting<S> {
    async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
        self.note("settle").settle(settled).await
    }

    async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
        self.note("advance").advance(report).await
    }

    async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
        self.note("delivery").delivery(id).await
    }

    async fn failures(
        &self,
        window: Range<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.note("failures").failures(window, limit).await
    }

    async fn claim_resend(&self, ids: &[MessageId]) -> Result<Vec<MessageId>, StoreError> {
        self.note("claim_resend").claim_resend(ids).await
    }

    async fn fail_unsent(
        &self,
        older_than: Duration,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.note("fail_unsent")
            .fail_unsent(older_than, limit)
            .await
    }

    async fn overdue(
        &self,
        age: Range<Duration>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.note("overdue").overdue(age, limit).await
    }
}

#[async_trait]
impl<S: Store> AuditStore for Counting<S> {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.note("append").append(event).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.note("outbox").outbox(after, limit).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        self.note("acknowledge").acknowledge(up_to).await
    }
}

#[async_trait]
impl<S: Store> StatsStore for Counting<S> {
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
        self.note("count").count(counts).await
    }

    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError> {
        self.note("sums").sums(keys, window).await
    }

    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.note("top").top(name, tenant, window, limit).await
    }
}

#[async_trait]
impl<S: Store> PolicyStore for Counting<S> {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        self.note("publish")
            .publish(expected, document, event)
            .await
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        self.note("current").current().await
    }

    async fn version(&self) -> Result<u64, StoreError> {
        self.note("version").version().await
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        self.note("history").history(limit).await
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        self.note("adopt").adopt(record).await
    }

    async fn post(
        &self,
        board: Board,
        expected: u64,
        text: BoardText,
        events: Vec<Event>,
    ) -> Result<Published, StoreError> {
        self.note("post").post(board, expected, text, events).await
    }

    async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
        self.note("posted").posted(board, known).await
    }
}

#[async_trait]
impl<S: Store> FactorStore for Counting<S> {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        self.note("enrol").enrol(enrol).await
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        self.note("factors").factors(owner).await
    }

    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError> {
        self.note("advance_factor").advance_factor(advance).await
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        self.note("remove_factor").remove_factor(remove).await
    }

    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
        self.note("rename_factor").rename_factor(rename).await
    }

    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError> {
        self.note("accepted_try").accepted_try(owner).await
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        self.note("put_recovery").put_recovery(put).await
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        self.note("recovery").recovery(owner, selector).await
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        self.note("recovery_left").recovery_left(owner).await
    }

    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        self.note("use_recovery").use_recovery(used).await
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        self.note("reset_factors").reset_factors(owner, event).await
    }
}

#[async_trait]
impl<S: Store> DeviceStore for Counting<S> {
    async fn remember_device(&self, new: NewDevice) -> Result<RememberedDevice, StoreError> {
        self.note("remember_device").remember_device(new).await
    }

    async fn devices(&self, owner: &FactorOwner) -> Result<Vec<RememberedDevice>, StoreError> {
        self.note("devices").devices(owner).await
    }

    async fn forget_devices(
        &self,
        owner: &FactorOwner,
        query: &DeviceQuery,
        event: Event,
    ) -> Result<u64, StoreError> {
        let store = self.note("forget_devices");
        store.forget_devices(owner, query, event).await
    }
}

#[async_trait]
impl<S: Store> KeyUseStore for Counting<S> {
    async fn key_uses(&self) -> Result<Vec<KeyUse>, StoreError> {
        self.note("key_uses").key_uses().await
    }
}
