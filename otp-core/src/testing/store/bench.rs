use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::{JoinSet, yield_now};

use super::{StoreFixture, kit};
use crate::challenge::{AttemptClaim, AttemptOutcome, Challenge, ConsumeOutcome};
use crate::clock::Timestamp;
use crate::event::{Event, EventKind};
use crate::quota::{BudgetRules, QuotaClaim, QuotaReading};
use crate::store::{
    Admission, BudgetReading, ChallengeQuery, Consume, Granted, Insert, Plan, Reject, Revocation,
    Step, Store, Target,
};

/// How many tasks a race has.
pub(crate) const RACERS: usize = 1_000;

const ANSWERS: &str = "a store in good order answers";

/// A fixture with the few words that cases are told in. Every one of them panics where the store
/// fails.
pub(super) struct Bench<'a> {
    fixture: &'a dyn StoreFixture,
    pub(super) store: Arc<dyn Store>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(fixture: &'a dyn StoreFixture) -> Self {
        let store = fixture.store();
        Self { fixture, store }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.fixture.advance(by);
    }

    pub(super) fn step_back(&self, by: Duration) {
        self.fixture.step_back(by);
    }

    pub(super) async fn now(&self) -> Timestamp {
        self.store.ping().await.expect(ANSWERS)
    }

    pub(super) async fn insert(&self, challenge: &Challenge) {
        let insert = Insert {
            challenge: challenge.clone(),
            delivery: None,
            event: kit::event(EventKind::ChallengeIssued).of_challenge(challenge),
        };
        self.store.insert(insert).await.expect(ANSWERS);
    }

    /// Puts in the kit's challenge for a subject.
    pub(super) async fn issue(&self, subject: &str) -> Challenge {
        self.issue_as(subject, |challenge| challenge).await
    }

    /// Puts in the kit's challenge after a change.
    pub(super) async fn issue_as(
        &self,
        subject: &str,
        change: impl FnOnce(Challenge) -> Challenge,
    ) -> Challenge {
        let challenge = change(kit::challenge(subject, self.now().await));
        self.insert(&challenge).await;
        challenge
    }

    pub(super) async fn admit(&self, plan: Plan) -> Admission {
        let admission = self.store.admit(&plan).await.expect(ANSWERS);
        assert_eq!(
            admission.granted.is_none(),
            admission.findings.objection().is_some(),
            "something is granted exactly where nothing stands against it"
        );
        admission
    }

    pub(super) async fn attempt(&self, challenge: &Challenge) -> AttemptOutcome {
        self.attempt_as(challenge, kit::attempt_claim()).await
    }

    pub(super) async fn attempt_as(
        &self,
        challenge: &Challenge,
        claim: AttemptClaim,
    ) -> AttemptOutcome {
        let plan = kit::attempt_plan(Target::Id(challenge.id), claim);
        outcome(self.admit(plan).await)
    }

    /// Tries under rules that hardly limit.
    pub(super) async fn attempt_under(
        &self,
        challenge: &Challenge,
        rules: BudgetRules,
    ) -> Admission {
        let step = Step::Attempt {
            target: Target::Id(challenge.id),
            claim: kit::attempt_claim(),
            rules,
        };
        self.admit(kit::plan(EventKind::ValidationAttempt, step))
            .await
    }

    /// Spends a guess on a wrong code.
    pub(super) async fn guess_wrong(&self, challenge: &Challenge) {
        let outcome = self.attempt(challenge).await;
        assert_eq!(
            outcome,
            AttemptOutcome::Reserved,
            "a live challenge takes a guess"
        );
        self.reject(kit::reject(challenge, None)).await;
    }

    /// Spends every guess of a challenge on wrong codes.
    pub(super) async fn exhaust(&self, challenge: &Challenge) {
        for _ in 0..challenge.attempt_limit {
            self.guess_wrong(challenge).await;
        }
    }

    pub(super) async fn reject(&self, reject: Reject) {
        self.store.reject(reject).await.expect(ANSWERS);
    }

    pub(super) async fn consume(&self, consume: Consume) -> ConsumeOutcome {
        self.store.consume(consume).await.expect(ANSWERS)
    }

    /// Signs in: a guess, and the success.
    pub(super) async fn win(&self, challenge: &Challenge) {
        assert_eq!(self.attempt(challenge).await, AttemptOutcome::Reserved);
        let outcome = self.consume(kit::consume(challenge, None)).await;
        assert_eq!(
            outcome,
            ConsumeOutcome::Won,
            "the right code of a live challenge wins"
        );
    }

    pub(super) async fn reissue(&self, challenge: &Challenge, digest: &str) {
        let reissue = kit::reissue(challenge, digest);
        self.store.reissue(reissue).await.expect(ANSWERS);
    }

    pub(super) async fn revoke(&self, query: ChallengeQuery) -> u64 {
        let event = kit::event(EventKind::ChallengeCancelled);
        let revocation = Revocation { query, event };
        self.store.revoke(revocation).await.expect(ANSWERS)
    }

    pub(super) async fn find(&self, challenge: &Challenge) -> Challenge {
        let found = self.store.find(&challenge.id).await.expect(ANSWERS);
        found.expect("a challenge is found until a day after its end")
    }

    pub(super) async fn list(&self, query: &ChallengeQuery) -> Vec<Challenge> {
        self.store.list(query, 10_000).await.expect(ANSWERS)
    }

    pub(super) async fn budget(&self, challenge: &Challenge) -> BudgetReading {
        let rules = BudgetRules::out_of_band();
        let key = kit::budget_key(challenge);
        self.store.budget(&key, &rules).await.expect(ANSWERS)
    }

    /// Counts the guesses that stand in a challenge's budget.
    pub(super) async fn guesses(&self, challenge: &Challenge) -> usize {
        self.budget(challenge).await.budget.guesses.len()
    }

    pub(super) async fn charge(&self, claims: &[QuotaClaim]) -> Vec<QuotaReading> {
        self.store.check_all(claims).await.expect(ANSWERS)
    }

    pub(super) async fn peek(&self, claim: &QuotaClaim) -> QuotaReading {
        let readings = self.store.peek(std::slice::from_ref(claim)).await;
        let [reading] = readings.expect(ANSWERS)[..] else {
            panic!("one reading a claim");
        };
        reading
    }

    /// Reads the whole outbox.
    pub(super) async fn events(&self) -> Vec<Event> {
        let entries = self.store.outbox(None, 100_000).await.expect(ANSWERS);
        entries.into_iter().map(|entry| entry.event).collect()
    }
}

/// Says what an admitted try may do; `None` where something stood against it.
pub(super) fn tried(admission: Admission) -> Option<AttemptOutcome> {
    match admission.granted? {
        Granted::Attempt(outcome, _) => Some(outcome),
        Granted::NoChallenge(refusal) => Some(AttemptOutcome::Refused(refusal)),
        other => panic!("a try is answered as one, not by {other:?}"),
    }
}

/// Says what a try may do that nothing should stand against.
pub(super) fn outcome(admission: Admission) -> AttemptOutcome {
    let objection = admission.findings.objection();
    tried(admission).unwrap_or_else(|| panic!("nothing stands against a try, not {objection:?}"))
}

/// Lets tasks start at once and collects what they answer.
pub(crate) async fn race<T, F>(racers: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let arrived = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for racer in 0..racers {
        let (task, arrived) = (task(racer), Arc::clone(&arrived));
        tasks.spawn(async move {
            arrived.fetch_add(1, Ordering::AcqRel);
            // A barrier wakes its waiters in small groups, one after another; whoever waits here
            // is already in a queue of some thread when the last one comes.
            while arrived.load(Ordering::Acquire) < racers {
                yield_now().await;
            }
            task.await
        });
    }
    tasks.join_all().await
}

/// Counts the answers of a race that are of a kind.
pub(crate) fn count<T>(answers: &[T], kind: impl Fn(&T) -> bool) -> usize {
    answers.iter().filter(|answer| kind(answer)).count()
}
