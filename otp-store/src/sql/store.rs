//! The contract's traits over an engine's intents, for every engine alike.

/// Implements the storage contract for a type that is an [`Engine`](super::Engine).
///
/// The traits are another crate's, and may not be implemented for whatever is an engine; so they
/// are for each by name.
macro_rules! keep_in_rows {
    ($store:ty, $name:literal) => {
        const _: () = {
            use std::ops::Range;
            use std::time::Duration;

            use otp_core::challenge::{Challenge, ChallengeId, ConsumeOutcome, Lane};
            use otp_core::clock::Timestamp;
            use otp_core::delivery::{MessageId, Report};
            use otp_core::event::Event;
            use otp_core::event::chain::{ChainedRecord, Head, Record};
            use otp_core::factor::{Factor, RecoverySelector};
            use otp_core::quota::{Budget, BudgetRules, QuotaClaim, QuotaKey, QuotaReading};
            use otp_core::request::Tenant;
            use otp_core::store::{
                AcceptedTry, Admission, AdvanceFactor, Advanced, AuditStore, Block, BlockEntry,
                BlocklistStore, Board, BoardText, BudgetKey, BudgetReading, BudgetStore,
                ChainStore, ChallengeQuery, ChallengeStore, Consume, Delivery, DeliveryStore,
                Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorStore, IdempotencyKey, Insert,
                KeyUse, Lease, OutboxEntry, Plan, PolicyDocument, PolicyRecord, PolicyStore,
                Posted, Published, PutRecovery, QuotaStore, RecoveryUse, Reissue, Reject,
                RemoveFactor, Removed, RenameFactor, Renamed, Revocation, SealBatch, SealerId,
                Sealing, Seen, SeenStore, Settled, StatKey, StatName, StatWindow, StatsStore,
                StoreError, UseRecovery,
            };
            use $crate::sql::{self, Engine as _};

            #[async_trait::async_trait]
            impl ChallengeStore for $store {
                async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
                    self.write(sql::Admit(plan.clone())).await
                }

                async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
                    self.write(insert).await
                }

                async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
                    self.write(reissue).await
                }

                async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
                    self.write(consume).await
                }

                async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
                    self.write(reject).await
                }

                async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
                    self.read(sql::Find(*id)).await
                }

                async fn list(
                    &self,
                    query: &ChallengeQuery,
                    limit: usize,
                ) -> Result<Vec<Challenge>, StoreError> {
                    let query = query.clone();
                    self.read(sql::List { query, limit }).await
                }

                async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
                    sql::revoke(self, revocation).await
                }

                async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
                    self.write(sql::Release(key.clone())).await
                }

                async fn ping(&self) -> Result<Timestamp, StoreError> {
                    self.write(sql::Ping).await
                }

                fn engine(&self) -> &'static str {
                    $name
                }

                async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
                    sql::purge(self, limit).await
                }
            }

            #[async_trait::async_trait]
            impl BudgetStore for $store {
                async fn budget(
                    &self,
                    key: &BudgetKey,
                    rules: &BudgetRules,
                ) -> Result<BudgetReading, StoreError> {
                    let look = sql::LookAtBudget(key.clone(), rules.clone());
                    self.read(look).await
                }

                async fn unlock(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
                    let (key, change) = (key.clone(), Budget::unlock as fn(&mut Budget));
                    self.write(sql::TurnBudget { key, change, event }).await
                }

                async fn disable(&self, key: &BudgetKey, event: Event) -> Result<(), StoreError> {
                    let (key, change) = (key.clone(), Budget::disable as fn(&mut Budget));
                    self.write(sql::TurnBudget { key, change, event }).await
                }

                async fn carry_over(
                    &self,
                    key: &BudgetKey,
                    lane: Lane,
                    guesses: u32,
                    event: Event,
                ) -> Result<(), StoreError> {
                    let key = key.clone();
                    let intent = sql::CarryOver {
                        key,
                        lane,
                        guesses,
                        event,
                    };
                    self.write(intent).await
                }
            }

            #[async_trait::async_trait]
            impl QuotaStore for $store {
                async fn check_all(
                    &self,
                    claims: &[QuotaClaim],
                ) -> Result<Vec<QuotaReading>, StoreError> {
                    self.write(sql::CheckAll(claims.to_vec())).await
                }

                async fn peek(
                    &self,
                    claims: &[QuotaClaim],
                ) -> Result<Vec<QuotaReading>, StoreError> {
                    self.read(sql::Peek(claims.to_vec())).await
                }

                async fn clear(&self, keys: &[QuotaKey]) -> Result<(), StoreError> {
                    self.write(sql::Clear(keys.to_vec())).await
                }
            }

            #[async_trait::async_trait]
            impl BlocklistStore for $store {
                async fn block(
                    &self,
                    block: &Block,
                    note: &str,
                    author: &str,
                    life: Option<Duration>,
                    event: Event,
                ) -> Result<(), StoreError> {
                    let intent = sql::Block {
                        block: block.clone(),
                        note: note.to_owned(),
                        author: author.to_owned(),
                        life,
                        event,
                    };
                    self.write(intent).await
                }

                async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError> {
                    self.write(sql::Unblock(block.clone(), event)).await
                }

                async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
                    self.read(sql::Blocks(limit)).await
                }
            }

            #[async_trait::async_trait]
            impl SeenStore for $store {
                async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
                    self.write(sql::FirstSeen(key.to_owned(), life)).await
                }
            }

            #[async_trait::async_trait]
            impl DeliveryStore for $store {
                async fn settle(&self, settled: Settled) -> Result<(), StoreError> {
                    self.write(sql::Settle(settled)).await
                }

                async fn advance(&self, report: &Report) -> Result<Advanced, StoreError> {
                    self.write(sql::Advance(report.clone())).await
                }

                async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, StoreError> {
                    self.read(sql::FindDelivery(id.clone())).await
                }

                async fn failures(
                    &self,
                    window: Range<Timestamp>,
                    limit: usize,
                ) -> Result<Vec<Delivery>, StoreError> {
                    self.read(sql::Failures(window, limit)).await
                }

                async fn claim_resend(
                    &self,
                    ids: &[MessageId],
                ) -> Result<Vec<MessageId>, StoreError> {
                    self.write(sql::ClaimResend(ids.to_vec())).await
                }

                async fn fail_unsent(
                    &self,
                    older_than: Duration,
                    limit: usize,
                ) -> Result<Vec<Delivery>, StoreError> {
                    self.write(sql::FailUnsent(older_than, limit)).await
                }

                async fn overdue(
                    &self,
                    age: Range<Duration>,
                    limit: usize,
                ) -> Result<Vec<Delivery>, StoreError> {
                    self.write(sql::Overdue(age, limit)).await
                }
            }

            #[async_trait::async_trait]
            impl FactorStore for $store {
                async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
                    self.write(sql::EnrolFactor(enrol)).await
                }

                async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
                    self.read(sql::Factors(owner.clone())).await
                }

                async fn advance_factor(
                    &self,
                    advance: AdvanceFactor,
                ) -> Result<FactorAdvanced, StoreError> {
                    self.write(sql::TakeStep(advance)).await
                }

                async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
                    self.write(sql::DropFactor(remove)).await
                }

                async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
                    self.write(sql::NameFactor(rename)).await
                }

                async fn accepted_try(
                    &self,
                    owner: &FactorOwner,
                ) -> Result<Option<AcceptedTry>, StoreError> {
                    self.read(sql::LastTry(owner.clone())).await
                }

                async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
                    self.write(sql::PutCodes(put)).await
                }

                async fn recovery(
                    &self,
                    owner: &FactorOwner,
                    selector: RecoverySelector,
                ) -> Result<Option<String>, StoreError> {
                    self.read(sql::FindCode(owner.clone(), selector)).await
                }

                async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
                    self.read(sql::CodesLeft(owner.clone())).await
                }

                async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
                    self.write(sql::TakeCode(used)).await
                }

                async fn reset_factors(
                    &self,
                    owner: &FactorOwner,
                    event: Event,
                ) -> Result<u64, StoreError> {
                    self.write(sql::ResetFactors(owner.clone(), event)).await
                }
            }

            #[async_trait::async_trait]
            impl AuditStore for $store {
                async fn append(&self, event: Event) -> Result<(), StoreError> {
                    self.write(sql::Append(event)).await
                }

                async fn append_all(&self, events: Vec<Event>) -> Result<(), StoreError> {
                    self.write(sql::AppendAll(events)).await
                }

                async fn outbox(
                    &self,
                    after: Option<u64>,
                    limit: usize,
                ) -> Result<Vec<OutboxEntry>, StoreError> {
                    let horizon = self.locked(sql::Horizon).await?;
                    let intent = sql::Outbox {
                        after,
                        horizon,
                        limit,
                    };
                    self.read(intent).await
                }

                async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
                    self.write(sql::Acknowledge(up_to)).await
                }
            }

            #[async_trait::async_trait]
            impl ChainStore for $store {
                async fn lease(
                    &self,
                    holder: &SealerId,
                    life: Duration,
                ) -> Result<Lease, StoreError> {
                    self.write(sql::TakeLease(holder.clone(), life)).await
                }

                async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
                    let horizon = self.locked(sql::Horizon).await?;
                    self.read(sql::Unsealed { horizon, limit }).await
                }

                async fn seal(&self, batch: SealBatch) -> Result<Sealing, StoreError> {
                    self.write(sql::SealLinks(batch)).await
                }

                async fn head(&self) -> Result<Head, StoreError> {
                    self.read(sql::ChainHead).await
                }

                async fn sealed(
                    &self,
                    after: Option<u64>,
                    limit: usize,
                ) -> Result<Vec<ChainedRecord>, StoreError> {
                    self.read(sql::SealedAfter(after, limit)).await
                }

                async fn sealed_by(&self) -> Result<Vec<KeyUse>, StoreError> {
                    while self.write(sql::EnterSeals).await? == sql::Entered::Some {}
                    self.read(sql::Seals).await
                }
            }

            #[async_trait::async_trait]
            impl StatsStore for $store {
                async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError> {
                    self.write(sql::Count(counts.to_vec())).await
                }

                async fn sums(
                    &self,
                    keys: &[StatKey],
                    window: StatWindow,
                ) -> Result<Vec<u64>, StoreError> {
                    self.read(sql::Sums(keys.to_vec(), window)).await
                }

                async fn top(
                    &self,
                    name: StatName,
                    tenant: &Tenant,
                    window: StatWindow,
                    limit: usize,
                ) -> Result<Vec<(String, u64)>, StoreError> {
                    let tenant = tenant.clone();
                    let intent = sql::Top {
                        name,
                        tenant,
                        window,
                        limit,
                    };
                    self.read(intent).await
                }
            }

            #[async_trait::async_trait]
            impl PolicyStore for $store {
                async fn publish(
                    &self,
                    expected: Option<u64>,
                    document: PolicyDocument,
                    event: Event,
                ) -> Result<Published, StoreError> {
                    let intent = sql::Publish {
                        expected,
                        document,
                        event,
                    };
                    self.write(intent).await
                }

                async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
                    let newest = self.read(sql::History(1)).await?;
                    Ok(newest.into_iter().next())
                }

                async fn version(&self) -> Result<u64, StoreError> {
                    self.read(sql::Version).await
                }

                async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
                    self.read(sql::History(limit)).await
                }

                async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
                    self.write(sql::Adopt(record.clone())).await
                }

                async fn post(
                    &self,
                    board: Board,
                    expected: u64,
                    text: BoardText,
                    events: Vec<Event>,
                ) -> Result<Published, StoreError> {
                    let intent = sql::Post {
                        board,
                        expected,
                        text,
                        events,
                    };
                    self.write(intent).await
                }

                async fn posted(&self, board: Board, known: u64) -> Result<Posted, StoreError> {
                    self.read(sql::ReadBoard { board, known }).await
                }
            }
        };
    };
}

pub(crate) use keep_in_rows;
