use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ChallengeState, ConsumeOutcome, Refusal};
use crate::event::{EventKind, Outcome};
use crate::store::{ChallengeQuery, Insert, Revocation, Target};

/// How many polls a call may have had when it is dropped, at the most.
pub(crate) const POLLS: usize = 8;

/// A try that is dropped while it is being counted is counted on the challenge and in the budget,
/// or on neither; the others that came with it are counted as ever.
pub async fn a_dropped_try_is_counted_everywhere_or_nowhere(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for polls in 0..=POLLS {
        let challenge = bench.issue(&format!("ann-{polls}")).await;
        let target = Target::Id(challenge.id);
        let plan = kit::attempt_plan(target, kit::attempt_claim());
        let others = beside(&bench, &challenge);
        dropped_after(polls, bench.store.admit(&plan)).await;
        let reserved = others.await.expect("the others are not harmed");
        assert_eq!(
            reserved,
            AttemptOutcome::Reserved,
            "a dropped call harms no other caller"
        );
        settled(&bench, &challenge, async || {
            let attempts = usize::try_from(bench.find(&challenge).await.attempts);
            let attempts = attempts.expect("a small number");
            attempts == bench.guesses(&challenge).await && (1..=2).contains(&attempts)
        })
        .await;
        let outcome = bench.attempt(&challenge).await;
        assert_eq!(outcome, AttemptOutcome::Reserved, "the store stays usable");
    }
}

/// A success that is dropped happened or did not: one success and one record of it in the end.
pub async fn a_dropped_success_happens_once_or_not_at_all(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for polls in 0..=POLLS {
        let challenge = bench.issue(&format!("ann-{polls}")).await;
        bench
            .attempt_as(&challenge, kit::named_claim("dropped", 1))
            .await;
        let consume = kit::consume(&challenge, Some("dropped"));
        dropped_after(polls, bench.store.consume(consume)).await;
        let second = bench
            .consume(kit::consume(&challenge, Some("second")))
            .await;
        let second_won = match second {
            ConsumeOutcome::Won => true,
            ConsumeOutcome::Lost(Refusal::Consumed) => false,
            other => panic!("a dropped success leaves no {other:?}"),
        };
        let first = bench
            .consume(kit::consume(&challenge, Some("dropped")))
            .await;
        assert_ne!(first, ConsumeOutcome::Won, "one of the two has won by now");
        assert_eq!(first == ConsumeOutcome::WonBefore, !second_won);
        let fingerprint = Some(challenge.id.fingerprint());
        settled(&bench, &challenge, async || {
            let events = bench.events().await;
            let successes = events.iter().filter(|event| {
                event.challenge == fingerprint
                    && event.kind == EventKind::ValidationAttempt
                    && event.outcome == Outcome::Success
            });
            // A store may record the repeat of a success; it is the same winner's.
            let successes = successes.count();
            successes == 1 || (successes == 2 && !second_won)
        })
        .await;
    }
}

/// An insert that is dropped puts a whole challenge in, or none; the subject has one that works.
pub async fn a_dropped_insert_is_whole_or_absent(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for polls in 0..=POLLS {
        let older = bench.issue(&format!("ann-{polls}")).await;
        let challenge = Challenge {
            id: kit::challenge(&format!("ann-{polls}"), older.created_at).id,
            ..older.clone()
        };
        let event = kit::event(EventKind::ChallengeIssued).of_challenge(&challenge);
        let insert = Insert {
            challenge: challenge.clone(),
            delivery: None,
            event: event.clone(),
        };
        dropped_after(polls, bench.store.insert(insert)).await;
        settled(&bench, &older, async || {
            let state = bench.find(&older).await.state;
            let found = bench.store.find(&challenge.id).await.expect("an answer");
            let recorded = bench
                .events()
                .await
                .iter()
                .any(|record| record.id == event.id);
            match found {
                None => state == ChallengeState::Live && !recorded,
                Some(found) => {
                    found.state == ChallengeState::Live
                        && state == ChallengeState::Superseded
                        && recorded
                }
            }
        })
        .await;
    }
}

/// Refusals, resends, revocations, charges and records that are dropped leave a store that works.
pub async fn a_dropped_call_leaves_a_store_that_works(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let store = &bench.store;
    let day = Duration::from_secs(86_400);
    let quotas = [
        kit::window("one", 9_000, day),
        kit::window("two", 9_000, day),
    ];
    for polls in 0..=POLLS {
        let challenge = bench.issue(&format!("ann-{polls}")).await;
        bench.advance(kit::COOLDOWN);
        // By its id: a revocation that is carried out late must not meet the next challenge.
        let only = Some(challenge.id);
        let query = ChallengeQuery {
            challenge: only,
            ..ChallengeQuery::default()
        };
        let event = kit::event(EventKind::ChallengeCancelled);
        let key = kit::idempotency_key(&challenge, "request");
        dropped_after(polls, store.reject(kit::reject(&challenge, None))).await;
        dropped_after(polls, store.admit(&kit::resend_plan(&challenge))).await;
        dropped_after(polls, store.reissue(kit::reissue(&challenge, "second"))).await;
        dropped_after(
            polls,
            store.admit(&kit::keyed_issue_plan(&challenge, "request", 1)),
        )
        .await;
        dropped_after(polls, store.release(&key)).await;
        dropped_after(polls, store.check_all(&quotas)).await;
        dropped_after(polls, store.append(kit::event(EventKind::CodeSent))).await;
        dropped_after(polls, store.purge(10)).await;
        dropped_after(polls, store.revoke(Revocation { query, event })).await;
        let [one, two] = &quotas;
        settled(&bench, &challenge, async || {
            bench.peek(one).await.remaining() == bench.peek(two).await.remaining()
        })
        .await;
        let fresh = bench.issue(&format!("ann-{polls}")).await;
        bench.win(&fresh).await;
    }
}

/// Polls a call so often and drops it.
pub(crate) async fn dropped_after<T>(polls: usize, call: impl Future<Output = T>) {
    let mut call = pin!(call);
    let mut polled = 0;
    poll_fn(|context| {
        while polled < polls {
            polled += 1;
            if call.as_mut().poll(context).is_ready() {
                break;
            }
            if polled < polls {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    })
    .await;
}

/// Tries a challenge from a task of its own.
fn beside(bench: &Bench<'_>, challenge: &Challenge) -> tokio::task::JoinHandle<AttemptOutcome> {
    let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
    let store = Arc::clone(&bench.store);
    tokio::spawn(async move { super::bench::outcome(store.admit(&plan).await.expect("an answer")) })
}

/// Waits until what was dropped is done or not done, which no store may leave open for long: each
/// look is a round trip of its own.
async fn settled(bench: &Bench<'_>, challenge: &Challenge, whole: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if whole().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!(
        "half done for good: {:?} and {:?}",
        bench.find(challenge).await,
        bench.now().await
    );
}
