//! A process that is killed in the middle of everything.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use otp_core::challenge::{ChallengeId, ChallengeState, ConsumeOutcome, Refusal};
use otp_core::store::{ChallengeStore as _, Seen, SeenStore as _};
use otp_store::SqliteStore;

use crate::fixture::{Place, attempt, consume, issued, number};

const PATH: &str = "OTP_STORE_STORM";
const ROUNDS: usize = 5;
/// How many answers a child gives before it is killed; another number each round.
const ANSWERS: usize = 37;

/// Runs as a process of its own: issues, guesses and consumes from many tasks, and tells what was
/// answered, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "the child of a_kill_in_the_middle_of_a_storm_loses_nothing_that_was_answered"]
async fn storm() {
    let path = PathBuf::from(std::env::var(PATH).expect("the parent names the file"));
    let store = SqliteStore::open(path).await.expect("the file opens");
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            for turn in 0..10_000 {
                let challenge = issued(&store, &format!("user-{worker}-{turn}")).await;
                attempt(&store, &challenge, Some("t1"))
                    .await
                    .expect("a try");
                println!("\nTRIED {}", challenge.id);
                if turn % 2 == 0 {
                    store
                        .consume(consume(&challenge, Some("t1")))
                        .await
                        .expect("a win");
                    println!("\nWON {}", challenge.id);
                }
            }
        });
    }
    tasks.join_all().await;
}

struct Storm(Child);

impl Storm {
    /// Starts a child. What it tells is always read: one that waits for a listener in the middle
    /// of a transaction would keep the file.
    fn start(place: &Place) -> (Self, Receiver<String>) {
        let binary = std::env::current_exe().expect("this binary");
        let mut child = Command::new(binary)
            .args(["kill::storm", "--exact", "--ignored", "--nocapture"])
            .env(PATH, place.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let told = BufReader::new(child.stdout.take().expect("its words"));
        let (teller, listener) = channel();
        std::thread::spawn(move || {
            told.lines()
                .map_while(Result::ok)
                .try_for_each(|line| teller.send(line))
        });
        (Self(child), listener)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        // SIGKILL where there are signals.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_in_the_middle_of_a_storm_loses_nothing_that_was_answered() {
    let place = Place::new();
    let (mut tried, mut won) = (HashSet::new(), HashSet::new());
    let beside = place.patient().await;
    for round in 1..=ROUNDS {
        let (storm, told) = Storm::start(&place);
        for line in &told {
            note(&line, &mut tried, &mut won);
            if tried.len() >= ANSWERS * 3 * round {
                break;
            }
        }
        let challenge = issued(&beside, &format!("beside-{round}")).await;
        attempt(&beside, &challenge, Some("t1"))
            .await
            .expect("a try beside the storm");
        tried.insert(challenge.id);
        drop(storm);
        for line in told {
            note(&line, &mut tried, &mut won);
        }
    }
    assert!(won.len() >= ANSWERS, "{} wins", won.len());

    let mut raw = place.raw().await;
    let sound = "SELECT COUNT(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'";
    assert_eq!(number(&mut raw, sound).await, 1);
    drop(beside);
    let store = place.patient().await;
    for id in &tried {
        let found = store
            .find(id)
            .await
            .unwrap()
            .expect("what was tried is there");
        assert_eq!(found.attempts, 1, "the guess stays counted");
        if won.contains(id) {
            assert!(matches!(found.state, ChallengeState::Consumed { .. }));
            let again = store.consume(consume(&found, None)).await.unwrap();
            assert_eq!(again, ConsumeOutcome::Lost(Refusal::Consumed));
        }
    }
    let half = "SELECT COUNT(*) FROM auth_challenges AS c WHERE attempts <>
        (SELECT COUNT(*) FROM challenge_attempt_log WHERE challenge_id = c.id)";
    assert_eq!(number(&mut raw, half).await, 0, "no try is half there");
    let unlogged =
        "SELECT COUNT(*) FROM auth_challenges WHERE state = 'consumed' AND user_id NOT IN
        (SELECT actor_id FROM audit_logs WHERE action = 'MFA_VERIFICATION_SUCCEEDED')";
    assert_eq!(
        number(&mut raw, unlogged).await,
        0,
        "no win without its record"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_never_pauses_does_not_keep_another_one_out() {
    let place = Place::new();
    let beside = place.patient().await;
    let (storm, told) = Storm::start(&place);
    assert!(told.iter().any(|line| line.starts_with("TRIED")));
    for turn in 0..50 {
        let waits = Duration::from_secs(2);
        let key = format!("webhook-{turn}");
        let first = tokio::time::timeout(waits, beside.first_seen(&key, waits)).await;
        assert_eq!(first.expect("a turn in time").unwrap(), Seen::First);
    }
    drop(storm);
}

fn note(line: &str, tried: &mut HashSet<ChallengeId>, won: &mut HashSet<ChallengeId>) {
    match line.split_once(' ') {
        Some(("TRIED", id)) => drop(id.parse().map(|id| tried.insert(id))),
        Some(("WON", id)) => drop(id.parse().map(|id| won.insert(id))),
        _ => {}
    }
}
