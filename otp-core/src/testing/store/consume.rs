use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, count, race};
use super::{StoreFixture, kit};
use crate::challenge::{Challenge, ChallengeState, ConsumeOutcome, Refusal};
use crate::event::EventKind;
use crate::store::{ChallengeQuery, Consume, Revocation};

/// A code succeeds once: of a thousand right codes at once, one wins.
pub async fn one_of_a_thousand_right_codes_wins(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    let answers = race(RACERS, |_| {
        let consume = kit::consume(&challenge, None);
        let store = Arc::clone(&bench.store);
        async move { store.consume(consume).await.expect("an answer") }
    })
    .await;
    let won = count(&answers, |answer| *answer == ConsumeOutcome::Won);
    assert_eq!(won, 1, "exactly one racing right code wins");
    let lost = ConsumeOutcome::Lost(Refusal::Consumed);
    assert_eq!(count(&answers, |answer| *answer == lost), RACERS - 1);
}

/// A success and a revocation that race: one of the two happened, and both callers know which.
pub async fn a_success_and_a_revocation_do_not_both_happen(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    let answers = race(RACERS, |racer| {
        let consume = kit::consume(&challenge, None);
        let query = ChallengeQuery {
            challenge: Some(challenge.id),
            ..ChallengeQuery::default()
        };
        let event = kit::event(EventKind::ChallengeCancelled);
        let store = Arc::clone(&bench.store);
        async move {
            if racer % 2 == 0 {
                let outcome = store.consume(consume).await.expect("an answer");
                (u64::from(outcome == ConsumeOutcome::Won), 0)
            } else {
                let revoked = store.revoke(Revocation { query, event }).await;
                (0, revoked.expect("an answer"))
            }
        }
    })
    .await;
    let won: u64 = answers.iter().map(|(won, _)| won).sum();
    let revoked: u64 = answers.iter().map(|(_, revoked)| revoked).sum();
    assert_eq!(
        won + revoked,
        1,
        "won {won} times and revoked {revoked} times"
    );
    let state = bench.find(&challenge).await.state;
    assert_eq!(won == 1, matches!(state, ChallengeState::Consumed { .. }));
    assert_eq!(revoked == 1, state == ChallengeState::Revoked);
}

/// A code that a resend replaced never wins once the reissue has returned, and of the old and the
/// new one at most one ever wins.
pub async fn a_replaced_code_never_wins(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    let reissue = kit::reissue(&challenge, "second");
    let answers = race(RACERS, |racer| {
        let (reissue, old) = (reissue.clone(), kit::consume(&challenge, None));
        let after = Consume {
            event: kit::event(EventKind::ValidationAttempt),
            ..old.clone()
        };
        let store = Arc::clone(&bench.store);
        async move {
            if racer == RACERS / 2 {
                store.reissue(reissue).await.expect("an answer");
                let late = store.consume(after).await.expect("an answer");
                assert_ne!(
                    late,
                    ConsumeOutcome::Won,
                    "the old code is worth nothing by now"
                );
                return late;
            }
            store.consume(old).await.expect("an answer")
        }
    })
    .await;
    let won = count(&answers, |answer| *answer == ConsumeOutcome::Won);
    let new = Consume {
        digest: "second".to_owned(),
        ..kit::consume(&challenge, None)
    };
    let new = bench.consume(new).await;
    match won {
        0 => assert_eq!(
            new,
            ConsumeOutcome::Won,
            "the new code wins where the old did not"
        ),
        1 => assert_eq!(new, ConsumeOutcome::Lost(Refusal::Consumed)),
        more => panic!("one challenge had {more} successes"),
    }
}

/// After a reissue the old code loses and the new one wins, without any race.
pub async fn the_code_that_was_sent_last_is_the_one_that_wins(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    bench.reissue(&challenge, "second").await;
    let old = bench.consume(kit::consume(&challenge, None)).await;
    assert_eq!(old, ConsumeOutcome::Lost(Refusal::Superseded));
    let new = bench.find(&challenge).await;
    assert_eq!(
        bench.consume(kit::consume(&new, None)).await,
        ConsumeOutcome::Won
    );
}

/// A try that won and is repeated hears so; any other hears that it came too late.
pub async fn a_repeated_winner_has_won_before(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    bench
        .attempt_as(&challenge, kit::named_claim("other", 1))
        .await;
    let won = bench.consume(kit::consume(&challenge, Some("try"))).await;
    assert_eq!(won, ConsumeOutcome::Won);
    let again = bench.consume(kit::consume(&challenge, Some("try"))).await;
    assert_eq!(again, ConsumeOutcome::WonBefore);
    for other in [Some("other"), None] {
        let lost = bench.consume(kit::consume(&challenge, other)).await;
        assert_eq!(lost, ConsumeOutcome::Lost(Refusal::Consumed));
    }
    let at = bench.now().await;
    let by = Some(kit::attempt_id("try"));
    let state = bench.find(&challenge).await.state;
    assert_eq!(
        state,
        ChallengeState::Consumed { at, by },
        "time and winner are kept"
    );
}

/// A success without an id of its try cannot be told from another one, so its repeat loses.
pub async fn a_nameless_winner_is_not_heard_twice(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.win(&challenge).await;
    let again = bench.consume(kit::consume(&challenge, None)).await;
    assert_eq!(again, ConsumeOutcome::Lost(Refusal::Consumed));
}

/// Successes of one subject that race each give back their own guess, and none is lost.
pub async fn racing_successes_give_back_one_guess_each(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let mut challenges = Vec::new();
    for number in 0..15 {
        let purpose = kit::purpose(&format!("purpose-{number}"));
        let change = |challenge| Challenge {
            purpose,
            ..challenge
        };
        let challenge = bench.issue_as("ann", change).await;
        bench.attempt(&challenge).await;
        challenges.push(challenge);
    }
    let [wrong, right @ ..] = &challenges[..] else {
        panic!("fifteen challenges were issued");
    };
    bench.reject(kit::reject(wrong, None)).await;
    let answers = race(RACERS, |racer| {
        let challenge = right.get(racer % right.len()).expect("one of them");
        let consume = kit::consume(challenge, None);
        let store = Arc::clone(&bench.store);
        async move { store.consume(consume).await.expect("an answer") }
    })
    .await;
    let won = count(&answers, |answer| *answer == ConsumeOutcome::Won);
    assert_eq!(won, 14, "each challenge is won once");
    assert_eq!(
        bench.guesses(wrong).await,
        1,
        "the wrong guess stays, the right ones are given back"
    );
}

/// A code that expires while it is being compared does not win, to the millisecond.
pub async fn a_code_that_expires_while_it_is_compared_loses(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let (late, last) = (bench.issue("ann").await, bench.issue("bob").await);
    bench.attempt(&late).await;
    bench.attempt(&last).await;
    bench.advance(kit::LIFE - Duration::from_millis(1));
    let outcome = bench.consume(kit::consume(&last, None)).await;
    assert_eq!(
        outcome,
        ConsumeOutcome::Won,
        "the last millisecond still counts"
    );
    bench.advance(Duration::from_millis(1));
    let outcome = bench.consume(kit::consume(&late, None)).await;
    assert_eq!(outcome, ConsumeOutcome::Lost(Refusal::Expired));
}

/// What is not there is not won, and what was ended is not either.
pub async fn an_unknown_or_ended_challenge_is_not_won(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let never = kit::challenge("ann", bench.now().await);
    let outcome = bench.consume(kit::consume(&never, None)).await;
    assert_eq!(outcome, ConsumeOutcome::Lost(Refusal::Unknown));
    let older = bench.issue("ann").await;
    bench.issue("ann").await;
    let outcome = bench.consume(kit::consume(&older, None)).await;
    assert_eq!(outcome, ConsumeOutcome::Lost(Refusal::Superseded));
    let spent = bench.issue("bob").await;
    bench.exhaust(&spent).await;
    let outcome = bench.consume(kit::consume(&spent, None)).await;
    assert_eq!(outcome, ConsumeOutcome::Lost(Refusal::Exhausted));
}
