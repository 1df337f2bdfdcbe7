use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::quota::BudgetRules;
use otp_core::store::ChallengeStore as _;
use otp_core::testing::store::kit;
use tokio::task::JoinSet;

use crate::fixture::{Place, attempt, guesses, issued, outcome};

const CALLERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn of_a_thousand_right_answers_through_two_handles_one_wins() {
    let place = Place::new();
    let handles = [place.open().await, place.open().await];
    let challenge = issued(&handles[0], "ann").await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let (store, consume) = (handles[index % 2].clone(), kit::consume(&challenge, None));
        race.spawn(async move { store.consume(consume).await.expect("an answer") });
    }
    let outcomes = race.join_all().await;
    let wins = outcomes
        .iter()
        .filter(|outcome| **outcome == ConsumeOutcome::Won);
    assert_eq!((outcomes.len(), wins.count()), (CALLERS, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn the_subjects_budget_holds_over_many_challenges_and_two_handles() {
    let place = Place::new();
    let handles = [place.open().await, place.open().await];
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = handles[index % 2].clone();
        race.spawn(async move {
            let challenge = issued(&store, "ann").await;
            let admission = attempt(&store, challenge.id, None)
                .await
                .expect("an answer");
            usize::from(outcome(&admission) == Some(AttemptOutcome::Reserved))
        });
    }
    let reserved: usize = race.join_all().await.into_iter().sum();
    let limit = BudgetRules::out_of_band().windows[0].public;
    assert!(
        reserved <= usize::try_from(limit).unwrap(),
        "{reserved} guesses"
    );
    let any = kit::challenge("ann", handles[0].ping().await.unwrap());
    assert_eq!(guesses(&handles[0], &any).await, reserved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn scripts_that_are_flushed_under_load_come_back_and_every_count_is_exact() {
    let place = Place::new();
    let store = place.open().await;
    let mut challenges = Vec::new();
    for subject in 0..CALLERS {
        challenges.push(issued(&store, &format!("subject-{subject}")).await);
    }
    let over = Arc::new(AtomicBool::new(false));
    let flushing = {
        let over = Arc::clone(&over);
        tokio::task::spawn_blocking(move || {
            let (mut raw, mut flushes) = (Place::raw(), 0_usize);
            while !over.load(Ordering::Acquire) {
                let _: () = redis::cmd("SCRIPT")
                    .arg("FLUSH")
                    .query(&mut raw)
                    .expect("flushed");
                flushes += 1;
            }
            flushes
        })
    };
    let mut race = JoinSet::new();
    for challenge in challenges.clone() {
        let store = store.clone();
        race.spawn(async move {
            for _ in 0..3 {
                let admission = attempt(&store, challenge.id, None).await.expect("no error");
                assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
            }
        });
    }
    let mut failed = 0;
    while let Some(ended) = race.join_next().await {
        failed += usize::from(ended.is_err());
    }
    over.store(true, Ordering::Release);
    assert_eq!(failed, 0, "nobody hears of a script that was flushed");
    assert!(
        flushing.await.expect("it ends") > 10,
        "scripts were flushed again and again"
    );
    for challenge in &challenges {
        let found = store
            .find(&challenge.id)
            .await
            .unwrap()
            .expect("it is there");
        assert_eq!((found.attempts, guesses(&store, challenge).await), (3, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn callers_who_leave_take_no_answer_from_those_who_stay() {
    let place = Place::new();
    let store = place.open().await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = store.clone();
        race.spawn(async move {
            let challenge = issued(&store, &format!("subject-{index}")).await;
            for _ in 0..5 {
                let waits =
                    std::time::Duration::from_micros(u64::try_from(index % 97).unwrap() * 20);
                let _ = tokio::time::timeout(waits, store.find(&challenge.id)).await;
                let found = store.find(&challenge.id).await.expect("an answer");
                assert_eq!(found.expect("it is there").subject, challenge.subject);
            }
        });
    }
    assert_eq!(race.join_all().await.len(), CALLERS);
}
