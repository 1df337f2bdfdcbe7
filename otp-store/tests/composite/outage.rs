//! Going away and coming back.

use std::time::Duration;

use otp_core::challenge::{
    AttemptOutcome, Challenge, ChallengeState, ConsumeOutcome, Lane, Refusal,
};
use otp_core::event::EventKind;
use otp_core::policy::OutagePolicy;
use otp_core::store::{
    BudgetStore as _, ChallengeQuery, ChallengeStore as _, Granted, Revocation, StoreErrorKind,
    Target,
};
use otp_core::testing::store::kit;

use crate::fixture::{
    House, REST, attempt, condition, guess, guesses, insert, issue, kind, outcome, settled,
    unavailable, win,
};
use crate::switch::{DOWN, Mode};

#[tokio::test]
async fn three_calls_find_the_outage_and_from_then_on_nobody_waits_for_the_primary() {
    let house = House::new(OutagePolicy::memory());
    house.store.ping().await.unwrap();
    settled().await;
    house.primary.turn(DOWN);
    for _ in 0..2 {
        unavailable(house.store.ping().await);
    }
    settled().await;
    assert_eq!(house.primary.take_calls().last(), Some(&"ping"), "no doubt");
    unavailable(house.store.ping().await);
    settled().await;
    let asked = house.primary.take_calls();
    assert!(asked.contains(&"release"), "a sign of life: {asked:?}");
    for _ in 0..1_000 {
        house.store.ping().await.unwrap();
    }
    assert_eq!(condition(&house.store).await, "memory fallback");
    assert!(house.primary.take_calls().is_empty());
}

#[tokio::test]
async fn one_subject_whose_calls_fail_takes_the_primary_from_nobody() {
    let house = House::new(OutagePolicy::memory());
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.primary.turn_only("admit", DOWN);
    for _ in 0..100 {
        unavailable(attempt(&house.store, &challenge).await);
        settled().await;
    }
    assert_eq!(condition(&house.store).await, "connected");
    let found = house.store.find(&challenge.id).await.unwrap();
    assert!(found.is_some(), "the primary answers everybody else");
}

#[tokio::test]
async fn a_primary_of_which_a_part_is_away_comes_back_as_soon_as_another_part_answers() {
    let house = House::down(OutagePolicy::memory()).await;
    // A cluster with a node away: what asks every node fails, what asks one may not.
    house.primary.turn_only("ping", DOWN);
    house.let_it_notice().await;
    house.primary.take_calls();
    let now = house.primary.inner.ping().await.unwrap();
    let challenge = kit::challenge("ann", now);
    let plan = kit::issue_plan(&challenge);
    house.store.admit(&plan).await.unwrap();
    insert(&house.store, &challenge).await.unwrap();
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
    for _ in 0..100 {
        unavailable(house.store.ping().await);
        settled().await;
    }
    let above = house.primary.inner.find(&challenge.id).await.unwrap();
    assert!(above.is_some(), "the primary decides");
    assert!(attempt(&house.store, &challenge).await.is_ok());
}

#[tokio::test]
async fn an_engine_that_can_only_be_read_is_away() {
    let house = House::new(OutagePolicy::memory());
    let challenge = kit::challenge("ann", house.store.ping().await.unwrap());
    settled().await;
    house.primary.turn(Mode::Reads);
    let admission = house.store.admit(&kit::issue_plan(&challenge)).await;
    assert!(matches!(admission.unwrap().granted, Some(Granted::Issue)));
    assert_eq!(condition(&house.store).await, "memory fallback");
    issue(&house.store, "ann").await.unwrap();
}

#[tokio::test]
async fn one_caller_probes_after_thirty_seconds_and_an_answer_closes_the_circuit() {
    let house = House::down(OutagePolicy::memory()).await;
    house.clock.advance(REST - Duration::from_millis(1));
    condition(&house.store).await;
    settled().await;
    assert!(house.primary.take_calls().is_empty(), "too early");
    house.clock.advance(Duration::from_millis(1));
    for _ in 0..1_000 {
        assert_eq!(condition(&house.store).await, "memory fallback");
    }
    settled().await;
    let asked = house.primary.take_calls();
    assert!(asked.iter().all(|call| *call == "release"), "{asked:?}");
    assert_eq!(asked.len(), 16, "one asks, in a task of its own");
    house.primary.turn(Mode::Up);
    house.let_it_notice().await;
    assert_eq!(condition(&house.store).await, "connected");
    let challenge = issue(&house.store, "ann").await.unwrap();
    let inside = house.primary.inner.find(&challenge.id).await.unwrap();
    assert!(inside.is_some(), "the primary decides again");
}

#[tokio::test]
async fn errors_that_are_answers_pass_through_and_are_no_outage() {
    let house = House::new(OutagePolicy::memory());
    let challenge = issue(&house.store, "ann").await.unwrap();
    for error in [
        StoreErrorKind::Invalid,
        StoreErrorKind::Full,
        StoreErrorKind::Corrupt,
        StoreErrorKind::ClockAnomaly,
    ] {
        house.primary.turn(Mode::Says(error));
        for _ in 0..10 {
            assert_eq!(kind(attempt(&house.store, &challenge).await), Some(error));
            assert_eq!(kind(insert(&house.store, &challenge).await), Some(error));
        }
        assert_eq!(condition(&house.store).await, "unavailable", "{error:?}");
    }
}

#[tokio::test]
async fn a_success_of_unknown_outcome_is_unavailable_and_is_never_asked_for_beneath() {
    for lost in ["consume", "all"] {
        let house = House::new(OutagePolicy::memory());
        let challenge = issue(&house.store, "ann").await.unwrap();
        attempt(&house.store, &challenge).await.unwrap();
        match lost {
            "all" => house.primary.turn(Mode::Lost),
            call => house.primary.turn_only(call, Mode::Lost),
        }
        for _ in 0..10 {
            // The first of them has won above; its answer was lost, and the others go on asking.
            unavailable(house.store.consume(kit::consume(&challenge, None)).await);
        }
        house.primary.turn(Mode::Up);
        house.let_it_notice().await;
        let again = house.store.consume(kit::consume(&challenge, None)).await;
        assert_eq!(again.unwrap(), ConsumeOutcome::Lost(Refusal::Consumed));
    }
}

#[tokio::test]
async fn a_try_of_unknown_outcome_gets_no_second_guess_beneath() {
    let house = House::new(OutagePolicy::memory());
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.primary.turn(Mode::Lost);
    for _ in 0..3 {
        unavailable(attempt(&house.store, &challenge).await);
    }
    settled().await;
    for _ in 0..10 {
        unavailable(attempt(&house.store, &challenge).await);
    }
    house.primary.turn(Mode::Up);
    house.mend().await;
    assert_eq!(
        guesses(&house.store, &challenge).await,
        3,
        "those that were counted above, and none from beneath"
    );
}

#[tokio::test]
async fn a_challenge_whose_insert_was_lost_is_in_one_place_only() {
    let house = House::new(OutagePolicy::memory());
    let now = house.store.ping().await.unwrap();
    let challenge = kit::challenge("ann", now);
    house.primary.turn(Mode::Lost);
    for _ in 0..2 {
        unavailable(house.store.ping().await);
    }
    // This one opens the circuit, and may be in the primary: it must not be beneath as well.
    unavailable(insert(&house.store, &challenge).await);
    settled().await;
    unavailable(attempt(&house.store, &challenge).await);
    house.mend().await;
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
}

#[tokio::test]
async fn the_first_start_after_the_primary_died_is_issued_beneath() {
    let house = House::new(OutagePolicy::memory());
    let challenge = kit::challenge("ann", house.store.ping().await.unwrap());
    let plan = kit::issue_plan(&challenge);
    house.primary.turn(DOWN);
    let admission = house.store.admit(&plan).await.unwrap();
    assert!(matches!(admission.granted, Some(Granted::Issue)));
    insert(&house.store, &challenge).await.unwrap();
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
    let closed = House::new(OutagePolicy::closed());
    closed.primary.turn(DOWN);
    unavailable(closed.store.admit(&plan).await);
}

#[tokio::test]
async fn a_start_that_waits_while_the_outage_is_found_is_issued_beneath() {
    let house = House::new(OutagePolicy::memory());
    let challenge = kit::challenge("ann", house.primary.inner.ping().await.unwrap());
    house.primary.turn(Mode::Late);
    let (store, plan) = (house.store.clone(), kit::issue_plan(&challenge));
    let waiting = tokio::spawn(async move { store.admit(&plan).await });
    while !house.primary.take_calls().contains(&"admit") {
        tokio::task::yield_now().await;
    }
    house.cut().await;
    house.primary.turn(Mode::Lost);
    let admission = waiting.await.unwrap();
    assert!(matches!(admission.unwrap().granted, Some(Granted::Issue)));
    insert(&house.store, &challenge).await.unwrap();
    assert!(
        house
            .primary
            .inner
            .find(&challenge.id)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
}

#[tokio::test]
async fn what_was_issued_beneath_is_checked_beneath_after_the_return_too() {
    let house = House::down(OutagePolicy::memory()).await;
    let (ann, bob) = (
        issue(&house.store, "ann").await,
        issue(&house.store, "bob").await,
    );
    let (ann, bob) = (ann.unwrap(), bob.unwrap());
    house.mend().await;
    assert_eq!(win(&house.store, &ann).await.unwrap(), ConsumeOutcome::Won);
    let again = house.store.consume(kit::consume(&ann, None)).await.unwrap();
    assert_eq!(again, ConsumeOutcome::Lost(Refusal::Consumed));
    assert!(house.primary.inner.find(&ann.id).await.unwrap().is_none());
    let live = house
        .store
        .list(&ChallengeQuery::default(), 10)
        .await
        .unwrap();
    assert_eq!(live.len(), 1, "the operator sees what lives beneath");
    let revocation = Revocation {
        query: ChallengeQuery::default(),
        event: kit::event(EventKind::OperatorAction),
    };
    assert_eq!(house.store.revoke(revocation).await.unwrap(), 1);
    let refused = attempt(&house.store, &bob).await.unwrap();
    assert_eq!(refused, Some(AttemptOutcome::Refused(Refusal::Revoked)));
}

fn latest(challenge: &Challenge) -> Target {
    Target::Latest {
        tenant: challenge.tenant.clone(),
        subject: challenge.subject.clone(),
        purpose: challenge.purpose.clone(),
        lanes: vec![Lane::Public],
    }
}

#[tokio::test]
async fn the_latest_is_looked_for_beneath_first_until_a_newer_one_above_supersedes_it() {
    let house = House::down(OutagePolicy::memory()).await;
    let beneath = issue(&house.store, "ann").await.unwrap();
    house.mend().await;
    let plan = kit::attempt_plan(latest(&beneath), kit::attempt_claim());
    let Some(Granted::Attempt(AttemptOutcome::Reserved, met)) =
        house.store.admit(&plan).await.unwrap().granted
    else {
        panic!("a live one is there");
    };
    assert_eq!(met.id, beneath.id);
    let above = issue(&house.store, "ann").await.unwrap();
    let Some(Granted::Attempt(AttemptOutcome::Reserved, met)) =
        house.store.admit(&plan).await.unwrap().granted
    else {
        panic!("a live one is there");
    };
    assert_eq!(met.id, above.id);
    let old = attempt(&house.store, &beneath).await.unwrap();
    assert_eq!(old, Some(AttemptOutcome::Refused(Refusal::Superseded)));
    house.cut().await;
    unavailable(house.store.admit(&plan).await);
}

#[tokio::test]
async fn a_request_that_was_issued_beneath_and_is_repeated_after_the_return_issues_once() {
    let house = House::down(OutagePolicy::memory()).await;
    let now = house.store.ping().await.unwrap();
    let first = kit::challenge("ann", now);
    let plan = kit::keyed_issue_plan(&first, "key", 1);
    let admitted = house.store.admit(&plan);
    assert!(matches!(
        admitted.await.unwrap().granted,
        Some(Granted::Issue)
    ));
    insert(&house.store, &first).await.unwrap();
    house.mend().await;
    let repeat = kit::keyed_issue_plan(&kit::challenge("ann", now), "key", 1);
    let Some(Granted::IssuedBefore(before)) = house.store.admit(&repeat).await.unwrap().granted
    else {
        panic!("one challenge and one message come of it");
    };
    assert_eq!(before.challenge, first.id);
    let key = kit::idempotency_key(&first, "key");
    house.store.release(&key).await.unwrap();
    let fresh = house.store.admit(&repeat).await.unwrap();
    assert!(matches!(fresh.granted, Some(Granted::Issue)));
    house.cut().await;
    unavailable(house.store.release(&key).await);
}

#[tokio::test]
async fn a_budget_that_is_spent_above_refuses_the_challenges_beneath() {
    let house = House::new(OutagePolicy::memory());
    for _ in 0..4 {
        let challenge = issue(&house.store, "ann").await.unwrap();
        for _ in 0..4 {
            assert!(guess(&house.store, &challenge).await.unwrap());
        }
    }
    house.cut().await;
    let beneath = issue(&house.store, "ann").await.unwrap();
    house.mend().await;
    let plan = kit::attempt_plan(Target::Id(beneath.id), kit::attempt_claim());
    let refused = house.store.admit(&plan).await.unwrap();
    assert_eq!(outcome(&refused), None);
    assert_eq!(refused.findings.objection(), Some("locked"));
    assert_eq!(guesses(&house.store, &beneath).await, 16);
}

#[tokio::test]
async fn a_disabled_authenticator_wins_nothing_beneath_while_the_budget_above_cannot_be_read() {
    let house = House::down(OutagePolicy::memory()).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.mend().await;
    let key = kit::budget_key(&challenge);
    let event = kit::event(EventKind::OperatorAction);
    house.store.disable(&key, event).await.unwrap();
    assert_eq!(attempt(&house.store, &challenge).await.unwrap(), None);
    for error in [
        StoreErrorKind::Unavailable,
        StoreErrorKind::Corrupt,
        StoreErrorKind::ClockAnomaly,
    ] {
        house.primary.turn_only("budget", Mode::Says(error));
        for _ in 0..10 {
            assert_eq!(kind(attempt(&house.store, &challenge).await), Some(error));
            settled().await;
        }
    }
    let live = house.store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!(live.state, ChallengeState::Live, "{live:?}");
}

#[tokio::test]
async fn a_primary_that_panics_poisons_nothing() {
    let house = House::new(OutagePolicy::memory());
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.primary.turn(Mode::Panics);
    for _ in 0..10 {
        let (store, id) = (house.store.clone(), challenge.id);
        let panicked = tokio::spawn(async move { store.find(&id).await });
        assert!(panicked.await.expect_err("it panics").is_panic());
    }
    house.primary.turn(Mode::Up);
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
    house.cut().await;
    house.primary.turn(Mode::Panics);
    house.let_it_notice().await;
    let asked = house.primary.take_calls();
    assert!(asked.contains(&"release"), "the probe panics");
    assert_eq!(condition(&house.store).await, "memory fallback");
    house.primary.turn(Mode::Up);
    house.let_it_notice().await;
    assert_eq!(condition(&house.store).await, "connected");
}
