use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::quota::BudgetRules;
use otp_core::store::{ChallengeStore as _, QuotaStore as _, Seen, SeenStore as _};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;
use tokio::task::JoinSet;

use crate::fixture::{MINUTE, Place, attempt, attempt_plan, issued, number, outcome};

const CALLERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn of_a_thousand_right_answers_through_two_instances_one_wins() {
    let place = Place::new().await;
    let instances = [place.patient().await, place.patient().await];
    let challenge = issued(&instances[0], "ann").await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = instances[index % 2].clone();
        let consume = kit::consume(&challenge, None);
        race.spawn(async move { store.consume(consume).await.expect("an answer") });
    }
    let outcomes = race.join_all().await;
    let wins = outcomes
        .iter()
        .filter(|outcome| **outcome == ConsumeOutcome::Won);
    assert_eq!((outcomes.len(), wins.count()), (CALLERS, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn hundreds_of_parallel_guesses_reserve_no_more_than_the_limit() {
    let place = Place::new().await;
    let instances = [place.patient().await, place.patient().await];
    let challenge = issued(&instances[0], "ann").await;
    let mut race = JoinSet::new();
    for index in 0..400 {
        let store = instances[index % 2].clone();
        let plan = attempt_plan(&challenge, Some(&format!("try-{index}")));
        race.spawn(async move { outcome(&store.admit(&plan).await.expect("an answer")) });
    }
    let outcomes = race.join_all().await;
    let reserved = outcomes
        .iter()
        .filter(|outcome| **outcome == Some(AttemptOutcome::Reserved));
    assert_eq!(reserved.count(), 5);
    let mut raw = place.raw().await;
    for (sql, what) in [
        ("SELECT attempts FROM auth_challenges", "attempts"),
        ("SELECT COUNT(*) FROM guess_log", "guesses"),
        ("SELECT COUNT(*) FROM challenge_attempt_log", "named tries"),
    ] {
        assert_eq!(number(&mut raw, sql).await, 5, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn the_subjects_budget_holds_over_many_challenges_at_once() {
    let place = Place::new().await;
    let instances = [place.patient().await, place.patient().await];
    let mut race = JoinSet::new();
    for index in 0..60 {
        let store = instances[index % 2].clone();
        race.spawn(async move {
            let challenge = issued(&store, "ann").await;
            let admission = attempt(&store, &challenge, None).await.expect("an answer");
            usize::from(outcome(&admission) == Some(AttemptOutcome::Reserved))
        });
    }
    let reserved: usize = race.join_all().await.into_iter().sum();
    let limit = BudgetRules::out_of_band().windows[0].public;
    assert!(
        (1..=usize::try_from(limit).unwrap()).contains(&reserved),
        "{reserved} guesses"
    );
    let logged = number(&mut place.raw().await, "SELECT COUNT(*) FROM guess_log").await;
    assert_eq!(usize::try_from(logged).unwrap(), reserved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn one_of_many_racing_callers_sees_a_key_first_and_gets_the_last_place() {
    let place = Place::new().await;
    let instances = [place.patient().await, place.patient().await];
    let claims = [
        kit::window("\"ann\"\\", 7, 60 * MINUTE),
        kit::rate("203.0.113.7", 1_000, 60 * MINUTE),
    ];
    // The other order of the same keys, where an order of one's own would deadlock.
    let turned = [claims[1].clone(), claims[0].clone()];
    let mut race = JoinSet::new();
    for index in 0..200 {
        let store = instances[index % 2].clone();
        let claims = if index % 3 == 0 {
            turned.clone()
        } else {
            claims.clone()
        };
        race.spawn(async move {
            let seen = store.first_seen("webhook-1", MINUTE).await;
            let readings = store.check_all(&claims).await.expect("an answer");
            let admitted = readings
                .iter()
                .all(|reading| reading.retry_after().is_none());
            (seen.expect("an answer"), admitted)
        });
    }
    let answers = race.join_all().await;
    let first = answers.iter().filter(|(seen, _)| *seen == Seen::First);
    assert_eq!(first.count(), 1);
    assert_eq!(answers.iter().filter(|(_, admitted)| *admitted).count(), 7);
    let readings = instances[0].peek(&claims).await.unwrap();
    assert_eq!(readings[0].remaining(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn callers_who_leave_harm_nobody_and_leave_nothing_half_done() {
    let place = Place::new().await;
    let store = MysqlStore::with_options(place.options().connections(2))
        .await
        .unwrap();
    let (mine, theirs) = (issued(&store, "ann").await, issued(&store, "bob").await);
    let mut race = JoinSet::new();
    for index in 0..300_u32 {
        let (store, id) = (store.clone(), theirs.id);
        let plan = attempt_plan(&theirs, Some(&format!("gone-{index}")));
        race.spawn(async move {
            let waits = Duration::from_micros(u64::from(index) * 20);
            let _ = tokio::time::timeout(waits, store.admit(&plan)).await;
            let _ = tokio::time::timeout(waits, store.find(&id)).await;
        });
    }
    race.join_all().await;
    let admitted = attempt(&store, &mine, Some("mine")).await.unwrap();
    assert_eq!(outcome(&admitted), Some(AttemptOutcome::Reserved));
    // Whoever left may still be served: the stripe tells when bob's are through.
    store
        .reject(kit::reject(&theirs, Some("none")))
        .await
        .unwrap();
    let found = store.find(&theirs.id).await.unwrap().unwrap();
    let mut raw = place.raw().await;
    let guesses = number(
        &mut raw,
        "SELECT COUNT(*) FROM guess_log WHERE subject_key = 'sub:bob'",
    )
    .await;
    assert_eq!(i64::from(found.attempts), guesses);
    assert_eq!(i64::try_from(found.attempt_log.len()).unwrap(), guesses);
    assert!(found.attempts <= 5);
}
