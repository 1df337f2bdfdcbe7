//! A primary that was never there: what memory decides in its place.

use std::sync::Arc;

use otp_core::challenge::{AttemptOutcome, Challenge, ConsumeOutcome, Lane};
use otp_core::event::EventKind;
use otp_core::policy::{OnOutage, OutagePolicy, VerifyOnOutage};
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::{
    AuditStore as _, Block, BlockKind, BlocklistStore as _, BudgetStore as _, ChallengeQuery,
    ChallengeStore as _, Granted, Plan, QuotaStore as _, Revocation, SeenStore as _, Step,
    StoreErrorKind, Target,
};
use otp_core::testing::store::kit;
use tokio::task::JoinSet;

use crate::fixture::{
    HOUR, House, Over, SHARE, attempt, condition, guess, guesses, insert, issue, kind, outcome,
    settled, unavailable, win,
};

const MANY: usize = 1_000;

async fn at_once<T: Send + 'static, F>(store: &Over, call: impl Fn(Over) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..MANY {
        tasks.spawn(call(store.clone()));
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_right_answers_beneath_one_wins() {
    let house = House::down(OutagePolicy::memory()).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    attempt(&house.store, &challenge).await.unwrap();
    let outcomes = at_once(&house.store, |store| {
        let consume = kit::consume(&challenge, None);
        async move { store.consume(consume).await.unwrap() }
    })
    .await;
    let won = outcomes.iter().filter(|one| **one == ConsumeOutcome::Won);
    assert_eq!(won.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_hundreds_of_wrong_answers_beneath_the_instances_share_is_compared() {
    let house = House::down(OutagePolicy::memory()).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    let compared = at_once(&house.store, |store| {
        let challenge = challenge.clone();
        async move { guess(&store, &challenge).await.unwrap() }
    })
    .await;
    assert_eq!(compared.iter().filter(|compared| **compared).count(), SHARE);
}

#[tokio::test]
async fn a_resend_and_a_new_challenge_beneath_refill_nothing() {
    let house = House::down(OutagePolicy::memory()).await;
    let mut compared = 0;
    for _ in 0..20 {
        let challenge = issue(&house.store, "ann").await.unwrap();
        house.clock.advance(kit::COOLDOWN);
        let resend = house.store.admit(&kit::resend_plan(&challenge)).await;
        if matches!(resend.unwrap().granted, Some(Granted::Resend(..))) {
            let reissue = kit::reissue(&challenge, "second");
            house.store.reissue(reissue).await.unwrap();
        }
        for _ in 0..5 {
            compared += usize::from(guess(&house.store, &challenge).await.unwrap());
        }
    }
    assert_eq!(compared, SHARE);
}

#[tokio::test]
async fn a_known_devices_lane_has_a_share_of_its_own_beneath() {
    let house = House::down(OutagePolicy::memory()).await;
    let public = issue(&house.store, "ann").await.unwrap();
    for _ in 0..10 {
        guess(&house.store, &public).await.unwrap();
    }
    let now = house.store.ping().await.unwrap();
    let known = Challenge {
        lane: Lane::KnownDevice,
        ..kit::challenge("ann", now)
    };
    insert(&house.store, &known).await.unwrap();
    assert!(guess(&house.store, &known).await.unwrap());
    assert!(!guess(&house.store, &known).await.unwrap(), "one of four");
}

#[tokio::test]
async fn a_closed_policy_issues_and_answers_nothing() {
    let house = House::down(OutagePolicy::closed()).await;
    let challenge = kit::challenge("ann", kit_time(&house));
    let (store, primary) = (&house.store, &house.primary);
    unavailable(store.admit(&kit::issue_plan(&challenge)).await);
    unavailable(insert(store, &challenge).await);
    unavailable(attempt(store, &challenge).await);
    unavailable(store.consume(kit::consume(&challenge, None)).await);
    unavailable(store.reject(kit::reject(&challenge, None)).await);
    unavailable(store.append(kit::event(EventKind::CodeSent)).await);
    unavailable(store.check_all(&[sends("a", 3)]).await);
    unavailable(store.peek(&[sends("a", 3)]).await);
    unavailable(store.blocks(10).await);
    unavailable(store.ping().await);
    assert_eq!(condition(store).await, "unavailable");
    assert!(primary.take_calls().is_empty(), "and nobody waits for it");
    house.mend().await;
    let inside = &primary.inner;
    assert!(
        inside
            .list(&ChallengeQuery::default(), 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(inside.outbox(None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_resend_may_be_closed_alone() {
    let policy = OutagePolicy::new(
        OnOutage::Degraded,
        OnOutage::Closed,
        VerifyOnOutage::Degraded,
    );
    let house = House::down(policy.unwrap()).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.clock.advance(kit::COOLDOWN);
    unavailable(house.store.admit(&kit::resend_plan(&challenge)).await);
    unavailable(
        house
            .store
            .reissue(kit::reissue(&challenge, "second"))
            .await,
    );
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
}

#[tokio::test]
async fn quotas_beneath_are_the_instances_share() {
    let house = House::down(OutagePolicy::memory()).await;
    let mut admitted = 0;
    for _ in 0..20 {
        let admission = house.store.admit(&sending("ann", 8)).await.unwrap();
        admitted += usize::from(admission.granted.is_some());
    }
    assert_eq!(admitted, 2, "a quarter of eight");
    let readings = house.store.peek(&[sends("ann", 8)]).await.unwrap();
    assert_eq!((readings[0].limit(), readings[0].remaining()), (2, 0));
}

#[tokio::test]
async fn an_open_send_passes_whatever_the_quotas_say_and_still_not_a_block_or_a_lock() {
    let house = House::new(OutagePolicy::open_sends());
    let device = Block::new(BlockKind::Device, "stolen").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    let placed = house.store.block(&device, "", "op", None, event).await;
    placed.unwrap();
    house.cut().await;
    for _ in 0..20 {
        let admission = house.store.admit(&sending("ann", 8)).await.unwrap();
        assert!(matches!(admission.granted, Some(Granted::Issue)));
        assert_eq!(admission.findings.objection(), None);
        assert_eq!(admission.findings.quotas.len(), 1);
    }
    let blocked = Plan {
        blocks: vec![device.clone()],
        ..sending("ann", 8)
    };
    let refused = house.store.admit(&blocked).await.unwrap();
    assert_eq!(refused.findings.blocked, [device]);
    let challenge = issue(&house.store, "bob").await.unwrap();
    for _ in 0..5 {
        guess(&house.store, &challenge).await.unwrap();
    }
    let locked = house.store.admit(&sending("bob", 8)).await.unwrap();
    assert_eq!(locked.findings.objection(), Some("locked"));
    // A try is no send: its quotas hold.
    let fresh = issue(&house.store, "cy").await.unwrap();
    let mut tried = 0;
    for _ in 0..9 {
        let plan = Plan {
            quotas: vec![sends("tries", 8)],
            ..kit::attempt_plan(Target::Id(fresh.id), kit::attempt_claim())
        };
        let admission = house.store.admit(&plan).await.unwrap();
        tried += usize::from(outcome(&admission).is_some());
    }
    assert_eq!(tried, 2);
}

#[tokio::test]
async fn a_block_from_before_the_outage_holds_in_it_until_it_lapses() {
    let house = House::new(OutagePolicy::memory());
    let device = Block::new(BlockKind::Device, "stolen").unwrap();
    let event = || kit::event(EventKind::OperatorAction);
    let placed = house.store.block(&device, "why", "op", Some(HOUR), event());
    placed.await.unwrap();
    house.cut().await;
    let plan = Plan {
        blocks: vec![device.clone()],
        ..sending("ann", 8)
    };
    let refused = house.store.admit(&plan).await.unwrap();
    assert_eq!(refused.findings.objection(), Some("blocked"));
    let listed = house.store.blocks(10).await.unwrap();
    assert_eq!((listed.len(), listed[0].note.as_str()), (1, "why"));
    unavailable(house.store.unblock(&device, event()).await);
    unavailable(house.store.block(&device, "", "op", None, event()).await);
    house.clock.advance(HOUR);
    assert!(house.store.admit(&plan).await.unwrap().granted.is_some());
}

#[tokio::test]
async fn what_an_operator_or_a_nonce_asks_for_is_closed_in_every_outage() {
    let house = House::down(OutagePolicy::open_sends()).await;
    let store = &house.store;
    let challenge = issue(store, "ann").await.unwrap();
    let (key, rules) = (kit::budget_key(&challenge), kit::wide_rules());
    let event = || kit::event(EventKind::OperatorAction);
    unavailable(store.unlock(&key, event()).await);
    unavailable(store.disable(&key, event()).await);
    unavailable(store.budget(&key, &rules).await);
    unavailable(store.carry_over(&key, Lane::Public, 1, event()).await);
    unavailable(store.clear(&[sends("a", 3).key]).await);
    unavailable(store.first_seen("nonce", HOUR).await);
    unavailable(store.outbox(None, 10).await);
    unavailable(store.acknowledge(10).await);
    let query = ChallengeQuery::default();
    unavailable(store.list(&query, 10).await);
    let revocation = Revocation {
        query,
        event: event(),
    };
    unavailable(store.revoke(revocation).await);
    assert!(store.find(&challenge.id).await.unwrap().is_some());
    assert_eq!(condition(store).await, "memory fallback");
    assert!(store.ping().await.is_ok());
}

#[tokio::test]
async fn what_was_issued_above_is_unavailable_and_not_unknown() {
    let house = House::new(OutagePolicy::memory());
    let challenge = issue(&house.store, "ann").await.unwrap();
    attempt(&house.store, &challenge).await.unwrap();
    house.cut().await;
    unavailable(attempt(&house.store, &challenge).await);
    unavailable(house.store.consume(kit::consume(&challenge, None)).await);
    unavailable(house.store.reject(kit::reject(&challenge, None)).await);
    unavailable(house.store.find(&challenge.id).await);
    unavailable(house.store.admit(&kit::resend_plan(&challenge)).await);
    unavailable(
        house
            .store
            .reissue(kit::reissue(&challenge, "second"))
            .await,
    );
    house.mend().await;
    let won = house.store.consume(kit::consume(&challenge, None)).await;
    assert_eq!(won.unwrap(), ConsumeOutcome::Won);
    assert_eq!(guesses(&house.store, &challenge).await, 0);
}

#[tokio::test]
async fn a_challenge_beneath_is_cancelled_beneath() {
    let house = House::down(OutagePolicy::memory()).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    let revocation = Revocation {
        query: ChallengeQuery {
            challenge: Some(challenge.id),
            ..ChallengeQuery::default()
        },
        event: kit::event(EventKind::ChallengeCancelled),
    };
    assert_eq!(house.store.revoke(revocation).await.unwrap(), 1);
    let refused = attempt(&house.store, &challenge).await.unwrap();
    assert!(matches!(refused, Some(AttemptOutcome::Refused(_))));
}

#[tokio::test]
async fn malformed_codes_are_counted_beneath_and_grant_nothing() {
    let house = House::down(OutagePolicy::memory()).await;
    let plan = Plan {
        quotas: vec![sends("a", 4)],
        ..kit::plan(EventKind::ValidationAttempt, Step::Nothing)
    };
    let first = house.store.admit(&plan).await.unwrap();
    assert!(matches!(first.granted, Some(Granted::Nothing)));
    assert!(house.store.admit(&plan).await.unwrap().granted.is_none());
    let closed = House::down(OutagePolicy::closed()).await;
    unavailable(closed.store.admit(&plan).await);
}

#[tokio::test]
async fn a_full_memory_beneath_compares_nothing_that_it_cannot_count() {
    use otp_store::composite::degrading::DegradingOptions;
    use otp_store::memory::Capacity;
    use std::num::{NonZeroU32, NonZeroUsize};

    let house = House::down(OutagePolicy::memory()).await;
    let capacity = Capacity {
        budgets: NonZeroUsize::MIN,
        ..Capacity::default()
    };
    let options = DegradingOptions::new(OutagePolicy::memory(), NonZeroU32::MIN)
        .capacity(capacity)
        .open_after(NonZeroU32::MIN)
        .clock(Arc::new(house.clock.clone()));
    let store = otp_store::Degrading::with_options(house.primary.clone(), options);
    unavailable(store.ping().await);
    settled().await;
    let (ann, bob) = (issue(&store, "ann").await, issue(&store, "bob").await);
    assert!(guess(&store, &ann.unwrap()).await.unwrap());
    let refused = guess(&store, &bob.unwrap()).await;
    assert_eq!(kind(refused), Some(StoreErrorKind::Full));
}

fn kit_time(house: &House) -> otp_core::clock::Timestamp {
    use otp_core::clock::Clock as _;
    house.clock.now()
}

/// Claims a send to a destination of so many an hour.
fn sends(to: &str, an_hour: u32) -> QuotaClaim {
    let key = QuotaKey::new("issue", Scope::Destination, "default", to);
    QuotaClaim::new(key, Quota::window(an_hour, HOUR).unwrap())
}

/// Plans a start that is limited by destination.
fn sending(subject: &str, an_hour: u32) -> Plan {
    let now = otp_core::clock::Timestamp::from_millis(1_767_225_600_000);
    Plan {
        quotas: vec![sends(subject, an_hour)],
        ..kit::issue_plan(&kit::challenge(subject, now))
    }
}
