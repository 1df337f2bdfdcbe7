use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, race};
use super::{StoreFixture, kit};
use crate::event::{Event, EventKind, Outcome};
use crate::store::{
    Block, BlockKind, ChallengeQuery, Granted, Insert, Plan, Reject, Revocation, Target,
};

const HOUR: Duration = Duration::from_secs(3_600);
const ANSWER: &str = "an answer";

/// Every intent leaves its record, once, with the store's time, in the order in which the changes
/// were made.
pub async fn every_intent_leaves_its_record_in_order(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let (store, mut expected) = (&bench.store, Vec::new());
    let mut made = async |event: &Event| {
        expected.push(event.clone().at(bench.now().await));
        bench.advance(Duration::from_secs(1));
    };
    let challenge = kit::challenge("ann", bench.now().await);
    let issued = kit::event(EventKind::ChallengeIssued).of_challenge(&challenge);
    let insert = Insert {
        challenge: challenge.clone(),
        delivery: None,
        event: issued.clone(),
    };
    store.insert(insert).await.expect(ANSWER);
    made(&issued).await;

    let reissue = kit::reissue(&challenge, "second");
    let resent = reissue.event.clone();
    store.reissue(reissue).await.expect(ANSWER);
    made(&resent).await;

    assert!(bench.attempt(&challenge).await == crate::challenge::AttemptOutcome::Reserved);
    let reject = kit::reject(&challenge, None);
    let wrong = reject.event.clone();
    store.reject(reject).await.expect(ANSWER);
    made(&wrong).await;

    let consume = kit::consume(&bench.find(&challenge).await, None);
    let right = consume.event.clone();
    store.consume(consume).await.expect(ANSWER);
    made(&right).await;

    let query = ChallengeQuery {
        challenge: Some(challenge.id),
        ..ChallengeQuery::default()
    };
    let event = kit::event(EventKind::ChallengeCancelled);
    let mut revoked = event.clone();
    revoked.reason = Some("revoked:0".into());
    store
        .revoke(Revocation { query, event })
        .await
        .expect(ANSWER);
    made(&revoked).await;

    let operator = || kit::event(EventKind::OperatorAction);
    let key = kit::budget_key(&challenge);
    let disabled = operator();
    store.disable(&key, disabled.clone()).await.expect(ANSWER);
    made(&disabled).await;
    let unlocked = operator();
    store.unlock(&key, unlocked.clone()).await.expect(ANSWER);
    made(&unlocked).await;
    let block = Block::new(BlockKind::Device, "stolen").expect("a device");
    let blocked = operator();
    let done = store
        .block(&block, "note", "op", Some(HOUR), blocked.clone())
        .await;
    done.expect(ANSWER);
    made(&blocked).await;
    let unblocked = operator();
    store
        .unblock(&block, unblocked.clone())
        .await
        .expect(ANSWER);
    made(&unblocked).await;

    assert_eq!(
        bench.events().await,
        expected,
        "every intent leaves its record, once, in order"
    );
}

/// A refused plan is recorded as refused, with the word for what stood against it; an admitted one
/// writes nothing by itself.
pub async fn a_refused_plan_is_recorded_with_its_reason(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let key = kit::budget_key(&challenge);
    let narrow = vec![kit::window("narrow", 1, HOUR)];
    let admitted = Plan {
        quotas: narrow.clone(),
        ..kit::issue_plan(&challenge)
    };
    let granted = bench.admit(admitted.clone()).await.granted;
    assert!(matches!(granted, Some(Granted::Issue)));
    assert!(
        bench.events().await.is_empty(),
        "what is admitted is recorded by what comes of it"
    );

    let mut expected = Vec::new();
    let over_quota = Plan {
        event: kit::event(EventKind::ChallengeIssued),
        ..admitted
    };
    expected.push(refused(&bench, over_quota.clone(), "quota_destination").await);
    let event = kit::event(EventKind::OperatorAction);
    bench
        .store
        .disable(&key, event.clone())
        .await
        .expect(ANSWER);
    expected.push(event.at(bench.now().await));
    let disabled = Plan {
        event: kit::event(EventKind::ChallengeIssued),
        ..over_quota
    };
    expected.push(refused(&bench, disabled.clone(), "disabled").await);
    let device = Block::new(BlockKind::Device, "stolen").expect("a device");
    let event = kit::event(EventKind::OperatorAction);
    let done = bench
        .store
        .block(&device, "", "op", None, event.clone())
        .await;
    done.expect(ANSWER);
    expected.push(event.at(bench.now().await));
    let event = kit::event(EventKind::ChallengeIssued);
    let blocked = Plan {
        blocks: vec![device],
        event,
        ..disabled
    };
    expected.push(refused(&bench, blocked, "blocked").await);
    assert_eq!(
        bench.events().await,
        expected,
        "one record a refusal, in order"
    );
}

/// A try that a lock refuses is recorded as locked, with the subject and challenge that it hit.
pub async fn a_locked_try_is_recorded_as_locked(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    bench.exhaust(&bench.issue("ann").await).await;
    let fresh = bench.issue("ann").await;
    let before = bench.events().await.len();
    let plan = kit::attempt_plan(Target::Id(fresh.id), kit::attempt_claim());
    let expected = refused(&bench, plan, "locked").await.of_challenge(&fresh);
    assert_eq!(
        bench.events().await.get(before..),
        Some(&[expected][..]),
        "the record says whom the lock hit"
    );
}

/// Of a race for one success every caller leaves a record: one success, and losers with the reason
/// for which they lost.
pub async fn every_loser_of_a_race_is_recorded(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    let before = bench.events().await.len();
    race(RACERS, |_| {
        let consume = kit::consume(&challenge, None);
        let store = Arc::clone(&bench.store);
        async move { store.consume(consume).await.expect(ANSWER) }
    })
    .await;
    let events = bench.events().await;
    let events = events.get(before..).unwrap_or_default();
    assert_eq!(events.len(), RACERS, "one record a caller");
    let (won, lost): (Vec<_>, Vec<_>) = events
        .iter()
        .partition(|event| event.outcome == Outcome::Success);
    assert_eq!(won.len(), 1, "as many records of success as successes");
    for event in lost {
        assert_eq!(event.outcome, Outcome::Refused);
        assert_eq!(event.reason.as_deref(), Some("already_used"));
    }
}

/// A success that did not come true is recorded with what came first.
pub async fn a_lost_success_is_recorded_with_what_came_first(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let never = kit::challenge("nobody", bench.now().await);
    let older = bench.issue("ann").await;
    let expired = bench.issue("ann").await;
    let replaced = bench.issue("bob").await;
    bench.reissue(&replaced, "second").await;
    let before = bench.events().await.len();
    bench.consume(kit::consume(&never, None)).await;
    bench.consume(kit::consume(&older, None)).await;
    bench.consume(kit::consume(&replaced, None)).await;
    bench.advance(kit::LIFE);
    bench.consume(kit::consume(&expired, None)).await;
    let events = bench.events().await;
    let lost = events.get(before..).unwrap_or_default();
    assert!(lost.iter().all(|event| event.outcome == Outcome::Refused));
    let reasons: Vec<_> = lost
        .iter()
        .filter_map(|event| event.reason.as_deref())
        .collect();
    assert_eq!(
        reasons,
        ["unknown_challenge", "superseded", "superseded", "expired"]
    );
}

/// A try that was not counted is recorded too.
pub async fn an_uncounted_try_is_recorded(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let reject = Reject {
        counted: None,
        ..kit::reject(&challenge, None)
    };
    bench.reject(reject.clone()).await;
    let expected = reject.event.at(bench.now().await);
    assert_eq!(bench.events().await, [expected]);
}

/// A revocation is recorded with how many it ended.
pub async fn a_revocation_is_recorded_with_its_count(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for subject in ["ann", "bob", "cy"] {
        bench.issue(subject).await;
    }
    let before = bench.events().await.len();
    bench.revoke(ChallengeQuery::default()).await;
    let events = bench.events().await;
    let [event] = events.get(before..).unwrap_or_default() else {
        panic!("one record of a revocation");
    };
    assert_eq!(event.reason.as_deref(), Some("revoked:3"));
    assert_eq!(event.outcome, Outcome::Success);
}

/// Has a plan refused, and tells the record that must be there of it.
async fn refused(bench: &Bench<'_>, plan: Plan, reason: &'static str) -> Event {
    let expected = plan.event.clone().with_outcome(Outcome::Refused, reason);
    let admission = bench.admit(plan).await;
    assert_eq!(admission.findings.objection(), Some(reason));
    assert!(admission.granted.is_none());
    expected.at(admission.now)
}
