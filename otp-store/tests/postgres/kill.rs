//! Connections that are ended by the server in the middle of everything.

use std::collections::HashSet;

use otp_core::challenge::{AttemptOutcome, Challenge, ConsumeOutcome};
use otp_core::store::{ChallengeStore as _, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use crate::fixture::{Place, attempt, issued, number, outcome, run};

const SUBJECTS: usize = 40;
const TRIES: usize = 10;
/// How often a caller asks again whose answer was lost.
const PATIENCE: usize = 10_000;

/// Tries, and asks again under the same name for as long as no answer comes.
async fn insistent(store: &PostgresStore, challenge: &Challenge, by: &str) -> AttemptOutcome {
    for _ in 0..PATIENCE {
        match attempt(store, challenge.id, Some(by)).await {
            Ok(admission) => return outcome(&admission).expect("an admitted try"),
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
        }
    }
    panic!("no answer at all");
}

async fn winning(store: &PostgresStore, challenge: &Challenge, by: &str) -> ConsumeOutcome {
    for _ in 0..PATIENCE {
        match store.consume(kit::consume(challenge, Some(by))).await {
            Ok(outcome) => return outcome,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
        }
    }
    panic!("no answer at all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn connections_that_are_killed_under_load_lose_and_double_nothing() {
    let place = Place::migrated().await;
    let store = place.open_with(8, &[]).await;
    let mut challenges = Vec::new();
    for subject in 0..SUBJECTS {
        challenges.push(issued(&store, &format!("subject-{subject}")).await);
    }
    // One is killed for every answer, so that somebody comes through.
    let (answered, mut answers) = unbounded_channel::<()>();
    let killing = {
        let mut raw = place.raw().await;
        let kill = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = '{}' AND state = 'active' ORDER BY random() LIMIT 1",
            place.schema
        );
        tokio::spawn(async move {
            let mut killed = 0;
            while answers.recv().await.is_some() {
                killed += run(&mut raw, &kill).await;
            }
            killed
        })
    };
    let mut race = JoinSet::new();
    for challenge in challenges.clone() {
        for turn in 0..TRIES {
            let (store, challenge) = (store.clone(), challenge.clone());
            let answered = answered.clone();
            race.spawn(async move {
                let by = format!("try-{turn}");
                let tried = insistent(&store, &challenge, &by).await;
                answered.send(()).expect("the killer listens");
                let compared = matches!(tried, AttemptOutcome::Reserved | AttemptOutcome::Resumed);
                let won = compared
                    && matches!(
                        winning(&store, &challenge, &by).await,
                        ConsumeOutcome::Won | ConsumeOutcome::WonBefore
                    );
                (challenge.id, compared, won)
            });
        }
    }
    let answers = race.join_all().await;
    drop(answered);
    let killed = killing.await.expect("it ends");
    assert!(killed > 5, "{killed} connections were killed");
    assert_eq!(answers.len(), SUBJECTS * TRIES);

    let wins = answers.iter().filter(|(.., won)| *won);
    let winners: HashSet<_> = wins.clone().map(|(id, ..)| *id).collect();
    assert_eq!((wins.count(), winners.len()), (SUBJECTS, SUBJECTS));
    let compared = answers.iter().filter(|(_, compared, _)| *compared).count();
    let mut raw = place.raw().await;
    let counted = number(
        &mut raw,
        "SELECT SUM(attempts)::bigint FROM auth_challenges",
    )
    .await;
    assert_eq!(usize::try_from(counted).unwrap(), compared, "each try once");
    for halves in [
        "SELECT COUNT(*) FROM auth_challenges AS c WHERE attempts <>
            (SELECT COUNT(*) FROM challenge_attempt_log WHERE challenge_id = c.id)",
        // A success gives back one guess.
        "SELECT COUNT(*) FROM auth_challenges AS c WHERE attempts - 1 <>
            (SELECT COUNT(*) FROM guess_log WHERE subject_key = c.subject_key)",
        "SELECT COUNT(*) FROM auth_challenges WHERE state <> 'consumed' OR attempts > 5",
    ] {
        assert_eq!(number(&mut raw, halves).await, 0, "{halves}");
    }
    let records = "SELECT COUNT(*) FROM audit_logs
        WHERE action = 'MFA_VERIFICATION_SUCCEEDED' AND reason IS NULL";
    assert_eq!(
        usize::try_from(number(&mut raw, records).await).unwrap(),
        SUBJECTS
    );
}
