use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::quota::{BudgetRules, Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::{ChallengeStore as _, QuotaStore as _, Seen, SeenStore as _};
use tokio::task::JoinSet;

use crate::fixture::{MINUTE, Place, attempt, attempt_plan, consume, issued, number, outcome};

const CALLERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_right_answers_through_two_handles_one_wins() {
    let place = Place::new();
    let handles = [place.open().await, place.open().await];
    let challenge = issued(&handles[0], "ann").await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let (store, consume) = (handles[index % 2].clone(), consume(&challenge, None));
        race.spawn(async move { store.consume(consume).await.expect("an answer") });
    }
    let outcomes = race.join_all().await;
    let wins = outcomes
        .iter()
        .filter(|outcome| **outcome == ConsumeOutcome::Won);
    assert_eq!((outcomes.len(), wins.count()), (CALLERS, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_parallel_guesses_through_two_handles_reserve_no_more_than_the_limit() {
    let place = Place::new();
    let handles = [place.open().await, place.open().await];
    let challenge = issued(&handles[0], "ann").await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = handles[index % 2].clone();
        let plan = attempt_plan(&challenge, Some(&format!("try-{index}")));
        race.spawn(async move { outcome(&store.admit(&plan).await.expect("an answer")) });
    }
    let outcomes = race.join_all().await;
    let reserved = outcomes
        .iter()
        .filter(|outcome| **outcome == AttemptOutcome::Reserved);
    assert_eq!(reserved.count(), 5);
    let mut raw = place.raw().await;
    assert_eq!(
        number(&mut raw, "SELECT attempts FROM auth_challenges").await,
        5
    );
    assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM guess_log").await, 5);
    assert_eq!(
        number(&mut raw, "SELECT COUNT(*) FROM challenge_attempt_log").await,
        5
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_subjects_budget_holds_over_many_challenges_at_once() {
    let place = Place::new();
    let handles = [place.open().await, place.open().await];
    let mut race = JoinSet::new();
    for index in 0..60 {
        let store = handles[index % 2].clone();
        race.spawn(async move {
            let challenge = issued(&store, "ann").await;
            let admission = attempt(&store, &challenge, None).await.expect("an answer");
            usize::from(
                admission
                    .granted
                    .is_some_and(|granted| format!("{granted:?}").starts_with("Attempt(Reserved")),
            )
        });
    }
    let reserved: usize = race.join_all().await.into_iter().sum();
    let limit = BudgetRules::out_of_band().windows[0].public;
    assert!(
        reserved <= usize::try_from(limit).unwrap(),
        "{reserved} guesses"
    );
    let mut raw = place.raw().await;
    let logged = number(&mut raw, "SELECT COUNT(*) FROM guess_log").await;
    assert_eq!(usize::try_from(logged).unwrap(), reserved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_racing_callers_sees_a_key_first_and_gets_the_last_place() {
    let place = Place::new();
    let handles = [place.open().await, place.open().await];
    let claims = [
        QuotaClaim::new(
            QuotaKey::new("issue", Scope::Subject, "t", "\"ann\"\\"),
            Quota::window(7, MINUTE).unwrap(),
        ),
        QuotaClaim::new(
            QuotaKey::new("issue", Scope::Address, "t", "203.0.113.7"),
            Quota::rate(1_000, MINUTE).unwrap(),
        ),
    ];
    let mut race = JoinSet::new();
    for index in 0..200 {
        let (store, claims) = (handles[index % 2].clone(), claims.clone());
        race.spawn(async move {
            let seen = store
                .first_seen("webhook-1", MINUTE)
                .await
                .expect("an answer");
            let readings = store.check_all(&claims).await.expect("an answer");
            (
                seen,
                readings
                    .iter()
                    .all(|reading| reading.retry_after().is_none()),
            )
        });
    }
    let answers = race.join_all().await;
    assert_eq!(
        answers
            .iter()
            .filter(|(seen, _)| *seen == Seen::First)
            .count(),
        1
    );
    assert_eq!(answers.iter().filter(|(_, admitted)| *admitted).count(), 7);
    let readings = handles[0].peek(&claims).await.unwrap();
    assert_eq!(readings[0].remaining(), 0);
    assert_eq!(
        readings[1].remaining(),
        993,
        "a refused call charged nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_who_leave_harm_nobody_and_leave_nothing_half_done() {
    let place = Place::new();
    let store = place.open().await;
    let (mine, theirs) = (issued(&store, "ann").await, issued(&store, "bob").await);
    let mut race = JoinSet::new();
    for index in 0..400_u32 {
        let store = store.clone();
        let plan = attempt_plan(&theirs, Some(&format!("gone-{index}")));
        race.spawn(async move {
            let waits = Duration::from_micros(u64::from(index) * 10);
            let _ = tokio::time::timeout(waits, store.admit(&plan)).await;
            let _ = tokio::time::timeout(waits, store.find(&plan_target(&plan))).await;
        });
    }
    race.join_all().await;
    let admitted = attempt(&store, &mine, Some("mine")).await.unwrap();
    assert_eq!(outcome(&admitted), AttemptOutcome::Reserved);
    let mut raw = place.raw().await;
    let counted = number(
        &mut raw,
        "SELECT attempts FROM auth_challenges WHERE user_id = 'bob'",
    )
    .await;
    let logged = number(
        &mut raw,
        "SELECT COUNT(*) FROM guess_log WHERE subject_key = 'sub:bob'",
    )
    .await;
    let named = number(
        &mut raw,
        "SELECT COUNT(*) FROM challenge_attempt_log JOIN auth_challenges ON id = challenge_id
         WHERE user_id = 'bob'",
    )
    .await;
    assert_eq!((counted, named), (logged, logged));
    assert!(counted <= 5);
}

fn plan_target(plan: &otp_core::store::Plan) -> otp_core::challenge::ChallengeId {
    match &plan.step {
        otp_core::store::Step::Attempt {
            target: otp_core::store::Target::Id(id),
            ..
        } => *id,
        other => panic!("not a try: {other:?}"),
    }
}
