use otp_core::challenge::{AttemptOutcome, Challenge, ConsumeOutcome};
use otp_core::quota::BudgetRules;
use otp_core::store::{ChallengeStore as _, QuotaStore as _, Seen, SeenStore as _};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use std::time::Duration;
use tokio::task::JoinSet;

use crate::fixture::{Place, attempt, guesses, insert, issued, number, outcome};

const CALLERS: usize = 1_000;
const LEVELS: [&str; 3] = ["read committed", "repeatable read", "serializable"];

/// Two handles, as two processes have them, over connections of one level.
async fn handles(place: &Place, level: &str) -> [PostgresStore; 2] {
    let settings = [("default_transaction_isolation", level)];
    [
        place.open_with(4, &settings).await,
        place.open_with(4, &settings).await,
    ]
}

async fn wins(handles: &[PostgresStore; 2], challenge: &Challenge) -> usize {
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let [one, two] = handles;
        let store = if index % 2 == 0 { one } else { two }.clone();
        let consume = kit::consume(challenge, None);
        race.spawn(async move { store.consume(consume).await.expect("an answer") });
    }
    let outcomes = race.join_all().await;
    assert_eq!(outcomes.len(), CALLERS);
    let won = |outcome: &&ConsumeOutcome| **outcome == ConsumeOutcome::Won;
    outcomes.iter().filter(won).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn of_a_thousand_right_answers_one_wins_at_every_isolation_level() {
    for level in LEVELS {
        let place = Place::migrated().await;
        let handles = handles(&place, level).await;
        let challenge = issued(&handles[0], "ann").await;
        assert_eq!(wins(&handles, &challenge).await, 1, "{level}");
        let records = "SELECT COUNT(*) FROM audit_logs
            WHERE action = 'MFA_VERIFICATION_SUCCEEDED' AND reason IS NULL";
        assert_eq!(number(&mut place.raw().await, records).await, 1, "{level}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_thousand_parallel_guesses_reserve_exactly_the_limit_at_every_isolation_level() {
    for level in LEVELS {
        let place = Place::migrated().await;
        let handles = handles(&place, level).await;
        let challenge = issued(&handles[0], "ann").await;
        let mut race = JoinSet::new();
        for index in 0..CALLERS {
            let (store, id) = (handles[index % 2].clone(), challenge.id);
            race.spawn(async move {
                let by = format!("try-{index}");
                let admission = attempt(&store, id, Some(&by)).await.expect("an answer");
                if outcome(&admission) != Some(AttemptOutcome::Reserved) {
                    return 0;
                }
                let challenge = store
                    .find(&id)
                    .await
                    .expect("an answer")
                    .expect("it is there");
                store
                    .reject(kit::reject(&challenge, Some(&by)))
                    .await
                    .expect("an answer");
                1
            });
        }
        let reserved: usize = race.join_all().await.into_iter().sum();
        assert_eq!(reserved, 5, "{level}");
        let mut raw = place.raw().await;
        for (sql, expected) in [
            ("SELECT attempts FROM auth_challenges", 5),
            (
                "SELECT wrong FROM auth_challenges WHERE state = 'exhausted'",
                5,
            ),
            ("SELECT COUNT(*) FROM guess_log", 5),
            (
                "SELECT COUNT(*) FROM challenge_attempt_log WHERE answer = 'wrong'",
                5,
            ),
            (
                "SELECT validation_attempts FROM challenge_validation_attempts",
                5,
            ),
            ("SELECT strikes_public FROM guess_budgets", 1),
        ] {
            assert_eq!(number(&mut raw, sql).await, expected, "{level}: {sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn the_subjects_budget_holds_over_many_challenges_and_two_handles() {
    let place = Place::migrated().await;
    let handles = handles(&place, LEVELS[0]).await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = handles[index % 2].clone();
        race.spawn(async move {
            // For purposes of their own, so that none takes another one's place.
            let challenge = Challenge {
                purpose: kit::purpose(&format!("purpose-{index}")),
                ..kit::challenge("ann", store.ping().await.expect("the time"))
            };
            insert(&store, &challenge).await.expect("room");
            let admission = attempt(&store, challenge.id, None)
                .await
                .expect("an answer");
            usize::from(outcome(&admission) == Some(AttemptOutcome::Reserved))
        });
    }
    let reserved: usize = race.join_all().await.into_iter().sum();
    let limit = BudgetRules::out_of_band().windows[0].public;
    assert_eq!(reserved, usize::try_from(limit).unwrap());
    let any = kit::challenge("ann", handles[0].ping().await.unwrap());
    assert_eq!(guesses(&handles[0], &any).await, reserved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_thousand_requests_are_admitted_up_to_the_quota_whatever_the_order_of_their_keys() {
    let place = Place::migrated().await;
    // Nothing but a look at what is committed shows that a window is full.
    let handles = handles(&place, LEVELS[1]).await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = handles[index % 2].clone();
        race.spawn(async move {
            let hour = Duration::from_secs(3_600);
            let mut claims = vec![kit::window("ann", 7, hour), kit::window("bob", 900, hour)];
            if index % 3 == 0 {
                claims.reverse();
            }
            let readings = store.check_all(&claims).await.expect("no deadlock");
            usize::from(
                readings
                    .iter()
                    .all(|reading| reading.retry_after().is_none()),
            )
        });
    }
    assert_eq!(race.join_all().await.into_iter().sum::<usize>(), 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn one_of_a_thousand_sees_a_thing_first_where_nothing_is_serialised_by_default() {
    let place = Place::migrated().await;
    let handles = handles(&place, LEVELS[1]).await;
    let mut race = JoinSet::new();
    for index in 0..CALLERS {
        let store = handles[index % 2].clone();
        race.spawn(async move {
            let seen = store
                .first_seen("webhook\0-1", Duration::from_secs(60))
                .await;
            usize::from(seen.expect("an answer") == Seen::First)
        });
    }
    assert_eq!(race.join_all().await.into_iter().sum::<usize>(), 1);
}
