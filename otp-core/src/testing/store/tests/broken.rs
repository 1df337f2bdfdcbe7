mod deliveries;
mod devices;
mod factors;
mod records;
mod shared;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::yield_now;

use crate::challenge::{
    AttemptOutcome, Challenge, ChallengeId, ChallengeState, ConsumeOutcome, ResendOutcome,
};
use crate::clock::{ManualClock, Timestamp};
use crate::quota::BudgetRules;
use crate::store::{
    Admission, BudgetStore as _, ChallengeQuery, ChallengeStore, Consume, Granted, IdempotencyKey,
    Insert, Plan, QuotaStore as _, Reissue, Reject, Revocation, Step, Store, StoreError, Target,
};
use crate::testing::store::reference::{State, key_of};
use crate::testing::store::{ReferenceStore, StoreFixture};

/// What a [`Broken`] store does wrong; everything else it does right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    CountsAfterComparing,
    MissesTheBudget,
    ReadsThenWrites,
    RefillsOnInsert,
    RefillsOnReissue,
    RevivesOnReissue,
    KeepsTheOldCode,
    ChargesOnRefusal,
    ChargesOneByOne,
    SuccessClearsWindows,
    TrustsTheClock,
    LosesTheRecord,
    LosesLosers,
    ForgetsKeys,
    ForgetsNoDevice,
    SupersedesBothLanes,
    SupersedesNothing,
    DecoysTakeAnyPlace,
    ForgetsStrikes,
    PurgesBudgets,
    PurgesWithoutBound,
    ReplaysForEver,
    ProlongsMemory,
    BlocksForEver,
    LosesTheCount,
    CountsInTwoSteps,
    ShowsLocks,
    IgnoresTenants,
    AppendsTwice,
    AcknowledgesAll,
    ReversesLanes,
    ReservesNoSend,
    ListsOldestFirst,
    ClaimsForAll,
    CountsTwice,
    GoesBackwards,
    ListsDecoys,
    LosesEarlyReports,
    NoticesForEver,
    PublishesBlindly,
    PostsBlindly,
    ForgetsPosts,
    ReadsThenAdvances,
    UsesWhatIsThere,
    LosesTries,
    CountsRepeats,
    RenamesToTaken,
    SettlesAnew,
    SumsForEver,
}

/// A reference store with one fault.
#[derive(Debug)]
struct Broken {
    inner: ReferenceStore,
    fault: Fault,
}

pub(super) struct BrokenFixture {
    store: Arc<Broken>,
    clock: ManualClock,
}

impl BrokenFixture {
    pub(super) fn new(fault: Fault) -> Self {
        let clock = ManualClock::default();
        let inner = ReferenceStore::new(Arc::new(clock.clone()));
        let store = Arc::new(Broken { inner, fault });
        Self { store, clock }
    }
}

impl StoreFixture for BrokenFixture {
    fn store(&self) -> Arc<dyn Store> {
        Arc::<Broken>::clone(&self.store)
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
        if self.store.fault == Fault::TrustsTheClock {
            self.store.inner.forgive_clock();
        }
    }
}

impl Broken {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn tinker<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(
            &mut self
                .inner
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn of(&self, id: &ChallengeId, change: impl FnOnce(&mut Challenge)) {
        self.tinker(|state| {
            state
                .challenges
                .iter_mut()
                .find(|c| c.id == *id)
                .map(change)
        });
    }

    fn uncount(&self, challenge: &Challenge) -> Option<(Timestamp, crate::challenge::Lane)> {
        self.tinker(|state| state.budgets.get_mut(&key_of(challenge))?.guesses.pop())
    }

    fn disguised(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        if let Step::Guess { named, .. } = &mut plan.step
            && self.has(Fault::CountsRepeats)
        {
            *named = None;
        }
        if let Step::Attempt { target, claim, .. } = &mut plan.step {
            match target {
                Target::Latest { lanes, .. } if self.has(Fault::ReversesLanes) => lanes.reverse(),
                Target::Id(id) if self.has(Fault::IgnoresTenants) => {
                    self.of(id, |challenge| claim.tenant = challenge.tenant.clone());
                }
                Target::Id(id) if self.has(Fault::ReplaysForEver) => self.of(id, |challenge| {
                    if let ChallengeState::Consumed { at, .. } = &mut challenge.state {
                        *at = Timestamp::MAX;
                    }
                }),
                _ => {}
            }
        }
        plan
    }

    async fn spoil_attempt(&self, challenge: &Challenge) {
        match self.fault {
            Fault::CountsAfterComparing => {
                self.of(&challenge.id, |challenge| challenge.attempts -= 1);
                self.uncount(challenge);
            }
            Fault::MissesTheBudget => {
                self.uncount(challenge);
            }
            Fault::CountsInTwoSteps => {
                let guess = self.uncount(challenge);
                yield_now().await;
                self.tinker(|state| {
                    let budget = state.budgets.entry(key_of(challenge)).or_default();
                    budget.guesses.extend(guess);
                });
            }
            _ => {}
        }
    }
}

#[async_trait]
impl ChallengeStore for Broken {
    async fn admit(&self, plan: &Plan) -> Result<Admission, StoreError> {
        let mut admission = self.inner.admit(&self.disguised(plan)).await?;
        match &admission.granted {
            Some(Granted::Attempt(AttemptOutcome::Reserved, challenge)) => {
                self.spoil_attempt(challenge).await;
            }
            Some(Granted::Attempt(AttemptOutcome::Refused(_), challenge))
                if self.has(Fault::ShowsLocks) =>
            {
                let rules = BudgetRules::out_of_band();
                let reading = self.inner.budget(&key_of(challenge), &rules).await?;
                admission.findings.budget = reading.public;
                admission.granted = admission.granted.filter(|_| reading.public.is_none());
            }
            Some(Granted::Resend(ResendOutcome::Reserved, challenge))
                if self.has(Fault::ReservesNoSend) =>
            {
                self.of(&challenge.id, |challenge| {
                    challenge.sends -= 1;
                    challenge.next_send_at = challenge.created_at;
                });
            }
            Some(Granted::Issue) if self.has(Fault::ForgetsKeys) => {
                self.tinker(|state| state.keys.clear());
            }
            None if self.has(Fault::ChargesOnRefusal) => {
                for claim in &plan.quotas {
                    self.inner.check_all(std::slice::from_ref(claim)).await?;
                }
            }
            _ => {}
        }
        Ok(admission)
    }

    async fn insert(&self, insert: Insert) -> Result<(), StoreError> {
        let new = insert.challenge.clone();
        let before = self.tinker(|state| state.challenges.clone());
        self.inner.insert(insert).await?;
        self.tinker(|state| match self.fault {
            Fault::RefillsOnInsert => state.budgets.clear(),
            Fault::SupersedesNothing => {
                for older in before {
                    if let Some(at) = state.position(&older.id) {
                        state.challenges[at] = older;
                    }
                }
            }
            Fault::DecoysTakeAnyPlace if new.is_decoy() => {
                let older = state.challenges.iter_mut().filter(|older| {
                    older.subject == new.subject && older.lane == new.lane && older.id != new.id
                });
                older.for_each(|older| older.state = ChallengeState::Superseded);
            }
            Fault::SupersedesBothLanes => {
                let others = state.challenges.iter_mut().filter(|challenge| {
                    challenge.subject == new.subject
                        && challenge.purpose == new.purpose
                        && challenge.id != new.id
                });
                others.for_each(|challenge| challenge.state = ChallengeState::Superseded);
            }
            _ => {}
        });
        Ok(())
    }

    async fn reissue(&self, reissue: Reissue) -> Result<(), StoreError> {
        let (id, mut reissue) = (reissue.challenge, reissue);
        if self.has(Fault::KeepsTheOldCode) {
            self.of(&id, |challenge| {
                reissue.digest.clone_from(&challenge.digest)
            });
        }
        self.inner.reissue(reissue).await?;
        self.of(&id, |challenge| match self.fault {
            Fault::RefillsOnReissue => (challenge.attempts, challenge.wrong) = (0, 0),
            Fault::RevivesOnReissue => {
                challenge.state = ChallengeState::Live;
                challenge.expires_at = Timestamp::MAX;
            }
            _ => {}
        });
        Ok(())
    }

    async fn consume(&self, consume: Consume) -> Result<ConsumeOutcome, StoreError> {
        let id = consume.challenge;
        let found = self.inner.find(&id).await?;
        if self.has(Fault::ReadsThenWrites) {
            yield_now().await;
            self.of(&id, |challenge| {
                challenge.state = found.map_or(ChallengeState::Live, |found| found.state);
            });
        }
        let key = self.inner.find(&id).await?.as_ref().map(key_of);
        let outcome = self.inner.consume(consume).await?;
        let lost = matches!(outcome, ConsumeOutcome::Lost(_));
        self.tinker(|state| match self.fault {
            Fault::SuccessClearsWindows => {
                let budget = key.and_then(|key| state.budgets.get_mut(&key));
                budget.into_iter().for_each(|budget| budget.guesses.clear());
            }
            Fault::LosesLosers if lost => drop(state.outbox.pop()),
            Fault::LosesTheRecord if !lost => drop(state.outbox.pop()),
            _ => {}
        });
        Ok(outcome)
    }

    async fn reject(&self, reject: Reject) -> Result<(), StoreError> {
        self.inner.reject(reject).await?;
        if self.has(Fault::ForgetsStrikes) {
            self.tinker(|state| {
                for budget in state.budgets.values_mut() {
                    budget.paused_until = [None, None];
                }
            });
        }
        Ok(())
    }

    async fn find(&self, id: &ChallengeId) -> Result<Option<Challenge>, StoreError> {
        self.inner.find(id).await
    }

    async fn list(
        &self,
        query: &ChallengeQuery,
        limit: usize,
    ) -> Result<Vec<Challenge>, StoreError> {
        let mut found = self.inner.list(query, limit).await?;
        if self.has(Fault::ListsOldestFirst) {
            found.reverse();
        }
        Ok(found)
    }

    async fn revoke(&self, revocation: Revocation) -> Result<u64, StoreError> {
        let revoked = self.inner.revoke(revocation).await?;
        if self.has(Fault::LosesTheCount) {
            self.tinker(|state| {
                let last = state.outbox.last_mut();
                last.into_iter().for_each(|entry| entry.event.reason = None);
            });
        }
        Ok(revoked)
    }

    async fn release(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        self.inner.release(key).await
    }

    async fn ping(&self) -> Result<Timestamp, StoreError> {
        self.inner.ping().await
    }

    async fn purge(&self, limit: usize) -> Result<u64, StoreError> {
        if self.has(Fault::PurgesBudgets) {
            self.tinker(|state| state.budgets.clear());
        }
        let limit = if self.has(Fault::PurgesWithoutBound) {
            usize::MAX
        } else {
            limit
        };
        self.inner.purge(limit).await
    }
}
