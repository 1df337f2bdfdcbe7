//! What was counted beneath is counted above when the primary has come back.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use otp_core::challenge::{Challenge, ConsumeOutcome};
use otp_core::event::{Event, EventKind};
use otp_core::policy::OutagePolicy;
use otp_core::quota::{BudgetRules, Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::{
    AuditStore as _, BudgetStore as _, ChallengeStore as _, Plan, QuotaStore as _, StoreErrorKind,
};
use otp_core::testing::store::kit;

use crate::fixture::{
    HOUR, House, SHARE, attempt, guess, guesses, issue, kind, settled, unavailable, win,
};
use crate::switch::{DOWN, Mode};

/// A house whose primary is away, with the instance's share of ann's guesses spent beneath.
async fn spent(policy: OutagePolicy) -> (House, Challenge) {
    let house = House::down(policy).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    for _ in 0..10 {
        guess(&house.store, &challenge).await.unwrap();
    }
    (house, challenge)
}

/// Counts the guesses that the primary itself knows of.
async fn above(house: &House, challenge: &Challenge) -> usize {
    guesses(&house.primary.inner, challenge).await
}

async fn records(house: &House) -> Vec<Event> {
    let entries = house.primary.inner.outbox(None, 10_000).await.unwrap();
    entries.into_iter().map(|entry| entry.event).collect()
}

#[tokio::test]
async fn guesses_come_back_by_themselves_with_a_record_that_says_how_many() {
    let (house, challenge) = spent(OutagePolicy::memory()).await;
    house.primary.turn(Mode::Up);
    house.let_it_notice().await;
    assert_eq!(above(&house, &challenge).await, SHARE);
    let carried: Vec<Event> = records(&house).await;
    let carried: Vec<&Event> = carried
        .iter()
        .filter(|event| event.kind == EventKind::GuessesCarriedOver)
        .collect();
    let [event] = carried[..] else {
        panic!("one record a budget and lane, not {}", carried.len());
    };
    assert_eq!(event.reason.as_deref(), Some("guesses:4"));
    assert_eq!(event.subject.as_ref(), Some(&challenge.subject));
    assert_eq!(event.lane, Some(challenge.lane));
    house.store.hand_back().await.unwrap();
    assert_eq!(above(&house, &challenge).await, SHARE, "told once");
    let key = kit::budget_key(&challenge);
    let reading = house.store.budget(&key, &BudgetRules::out_of_band()).await;
    assert_eq!(reading.unwrap().budget.consecutive, 4);
}

#[tokio::test]
async fn an_outage_in_mid_attack_gives_one_share_more_and_the_budget_above_knows_of_it() {
    let house = House::new(OutagePolicy::memory());
    let mut compared = 0;
    for round in 0..20 {
        if round == 2 {
            house.cut().await;
        }
        if round == 10 {
            house.mend().await;
        }
        let challenge = issue(&house.store, "ann").await.unwrap();
        for _ in 0..4 {
            compared += usize::from(guess(&house.store, &challenge).await.unwrap());
        }
    }
    assert_eq!(
        compared, 16,
        "8 above, 4 beneath, and the 4 that are left above"
    );
}

#[tokio::test]
async fn a_success_beneath_gives_back_its_own_guess_and_clears_none_above() {
    let house = House::new(OutagePolicy::memory());
    let before = issue(&house.store, "ann").await.unwrap();
    for _ in 0..3 {
        guess(&house.store, &before).await.unwrap();
    }
    house.cut().await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    guess(&house.store, &challenge).await.unwrap();
    assert_eq!(
        win(&house.store, &challenge).await.unwrap(),
        ConsumeOutcome::Won
    );
    house.mend().await;
    assert_eq!(
        above(&house, &challenge).await,
        4,
        "three above, one wrong beneath"
    );
    let key = kit::budget_key(&challenge);
    let reading = house.store.budget(&key, &BudgetRules::out_of_band()).await;
    assert_eq!(
        reading.unwrap().budget.consecutive,
        4,
        "no run is ended above"
    );
}

#[tokio::test]
async fn guesses_at_what_was_issued_beneath_count_above_after_the_return() {
    let house = House::down(OutagePolicy::memory()).await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    house.mend().await;
    for expected in 1..=3 {
        assert!(guess(&house.store, &challenge).await.unwrap());
        settled().await;
        assert_eq!(above(&house, &challenge).await, expected);
    }
}

#[tokio::test]
async fn hits_on_quotas_come_back_once_each_and_not_after_their_time() {
    let house = House::down(OutagePolicy::memory()).await;
    let key = |value| QuotaKey::new("issue", Scope::Destination, "default", value);
    let hourly = QuotaClaim::new(key("ann"), Quota::window(40, HOUR).unwrap());
    let daily = QuotaClaim::new(key("bob"), Quota::rate(40, HOUR * 24).unwrap());
    let now = house.store.ping().await.unwrap();
    let plan = Plan {
        quotas: vec![hourly.clone()],
        ..kit::issue_plan(&kit::challenge("ann", now))
    };
    for _ in 0..20 {
        house.store.admit(&plan).await.unwrap();
        house
            .store
            .check_all(std::slice::from_ref(&daily))
            .await
            .unwrap();
    }
    house.mend().await;
    let peek = |claim: &QuotaClaim| {
        let claims = [claim.clone()];
        let inside = house.primary.inner.clone();
        async move { inside.peek(&claims).await.unwrap()[0].remaining() }
    };
    assert_eq!(peek(&hourly).await, 30, "ten were admitted beneath");
    assert_eq!(peek(&daily).await, 30);
    house.store.hand_back().await.unwrap();
    assert_eq!(peek(&hourly).await, 30);

    house.cut().await;
    house.store.admit(&plan).await.unwrap();
    house.clock.advance(HOUR);
    house.mend().await;
    assert_eq!(peek(&hourly).await, 40, "no window holds them any more");
}

#[tokio::test]
async fn hits_that_an_operator_forgave_do_not_come_back() {
    let house = House::down(OutagePolicy::memory()).await;
    let key = QuotaKey::new("issue", Scope::Destination, "default", "ann");
    let claim = QuotaClaim::new(key, Quota::window(8, HOUR).unwrap());
    house
        .store
        .check_all(std::slice::from_ref(&claim))
        .await
        .unwrap();
    house.primary.turn_only("check_all", DOWN);
    house.let_it_notice().await;
    house
        .store
        .clear(std::slice::from_ref(&claim.key))
        .await
        .unwrap();
    house.primary.turn(Mode::Up);
    house.store.hand_back().await.unwrap();
    let readings = house.store.peek(&[claim]).await.unwrap();
    assert_eq!(readings[0].remaining(), 8);
}

#[tokio::test]
async fn a_hit_under_two_quotas_of_one_key_comes_back_once_under_either() {
    for policy in [OutagePolicy::memory(), OutagePolicy::open_sends()] {
        let house = House::down(policy).await;
        let key = || QuotaKey::new("issue", Scope::Destination, "default", "ann");
        let claims = vec![
            QuotaClaim::new(key(), Quota::window(40, HOUR).unwrap()),
            QuotaClaim::new(key(), Quota::window(80, HOUR * 24).unwrap()),
        ];
        house.store.check_all(&claims).await.unwrap();
        let now = house.store.ping().await.unwrap();
        let plan = Plan {
            quotas: claims.clone(),
            ..kit::issue_plan(&kit::challenge("ann", now))
        };
        let admitted = house.store.admit(&plan).await.unwrap();
        let left = admitted.findings.quotas.iter();
        let left: Vec<_> = left.map(|one| one.remaining()).collect();
        assert_eq!(left, [8, 18], "two of ten, two of twenty");
        house.mend().await;
        let readings = house.primary.inner.peek(&claims).await.unwrap();
        let left: Vec<_> = readings.iter().map(|one| one.remaining()).collect();
        assert_eq!(left, [38, 78]);
    }
}

#[tokio::test]
async fn a_hit_of_an_hour_ago_still_counts_for_the_day() {
    let house = House::down(OutagePolicy::memory()).await;
    let key = || QuotaKey::new("issue", Scope::Destination, "default", "ann");
    // The shorter quota last.
    let claims = [
        QuotaClaim::new(key(), Quota::window(80, HOUR * 24).unwrap()),
        QuotaClaim::new(key(), Quota::window(40, HOUR).unwrap()),
    ];
    house.store.check_all(&claims).await.unwrap();
    house.clock.advance(HOUR);
    house.mend().await;
    let readings = house.primary.inner.peek(&claims).await.unwrap();
    assert_eq!(readings[0].remaining(), 79);
}

#[tokio::test]
async fn guesses_that_an_operator_forgave_do_not_come_back_and_do_not_count_beneath() {
    let (house, challenge) = spent(OutagePolicy::memory()).await;
    house.primary.turn_only("carry_over", DOWN);
    house.let_it_notice().await;
    let key = kit::budget_key(&challenge);
    let event = kit::event(EventKind::OperatorAction);
    house.store.unlock(&key, event.clone()).await.unwrap();
    house.primary.turn(Mode::Up);
    house.store.hand_back().await.unwrap();
    assert_eq!(above(&house, &challenge).await, 0);
    let told = records(&house).await;
    let unlocks = told.iter().filter(|one| one.kind == event.kind);
    assert_eq!(unlocks.count(), 1, "one record of it");
    house.cut().await;
    let challenge = issue(&house.store, "ann").await.unwrap();
    assert!(guess(&house.store, &challenge).await.unwrap());
}

#[tokio::test]
async fn guesses_that_are_being_told_while_an_operator_forgives_them_are_forgiven() {
    for yields in 0..20 {
        let (house, challenge) = spent(OutagePolicy::memory()).await;
        house.primary.turn_only("carry_over", DOWN);
        house.let_it_notice().await;
        house.primary.turn(Mode::Slow);
        let store = house.store.clone();
        let telling = tokio::spawn(async move { store.hand_back().await });
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        let key = kit::budget_key(&challenge);
        let event = kit::event(EventKind::OperatorAction);
        house.store.unlock(&key, event).await.unwrap();
        telling.await.unwrap().unwrap();
        assert_eq!(above(&house, &challenge).await, 0, "after {yields} yields");
    }
}

#[tokio::test]
async fn records_come_back_once_each_and_in_order_even_when_they_are_told_twice() {
    let house = House::new(OutagePolicy::memory());
    let before = kit::event(EventKind::CodeSent);
    house.store.append(before.clone()).await.unwrap();
    house.primary.turn(Mode::Lost);
    let (mut names, mut lost) = (vec![before.id], Vec::new());
    for _ in 0..10 {
        let event = kit::event(EventKind::CodeSent);
        house
            .store
            .append(event.clone())
            .await
            .expect("memory keeps it");
        lost.push(event.id);
    }
    names.extend(&lost);
    house.let_it_notice().await;
    unavailable(house.store.hand_back().await);
    house.primary.turn(Mode::Up);
    house.let_it_notice().await;
    house.store.hand_back().await.unwrap();
    let told: Vec<_> = records(&house).await.iter().map(|event| event.id).collect();
    assert_eq!(told, names);
}

#[tokio::test]
async fn what_cannot_be_told_is_kept_and_told_later() {
    let (house, challenge) = spent(OutagePolicy::memory()).await;
    house.primary.turn_only("carry_over", DOWN);
    house.let_it_notice().await;
    assert_eq!(above(&house, &challenge).await, 0);
    unavailable(house.store.hand_back().await);
    assert!(
        !records(&house).await.is_empty(),
        "records do not wait for guesses"
    );
    house.primary.turn(Mode::Up);
    house.let_it_notice().await;
    house.clock.advance(HOUR);
    house.store.ping().await.unwrap();
    settled().await;
    assert_eq!(
        above(&house, &challenge).await,
        SHARE,
        "the next round tells them"
    );
}

#[tokio::test]
async fn one_budget_that_is_refused_keeps_nobody_elses_waiting() {
    let (house, _) = spent(OutagePolicy::memory()).await;
    let bob = issue(&house.store, "bob").await.unwrap();
    guess(&house.store, &bob).await.unwrap();
    house
        .primary
        .turn_only("carry_over", Mode::Says(StoreErrorKind::Corrupt));
    house.let_it_notice().await;
    assert_eq!(
        kind(house.store.hand_back().await),
        Some(StoreErrorKind::Corrupt)
    );
    let told = house.primary.take_calls();
    assert!(told.iter().filter(|call| **call == "carry_over").count() >= 4);
}

#[tokio::test]
async fn guesses_of_unknown_outcome_may_count_twice_and_never_not_at_all() {
    let (house, challenge) = spent(OutagePolicy::memory()).await;
    house.primary.turn_only("carry_over", Mode::Lost);
    house.let_it_notice().await;
    house.primary.turn(Mode::Up);
    house.store.hand_back().await.unwrap();
    let counted = above(&house, &challenge).await;
    assert!(counted >= SHARE, "{counted}");
}

#[tokio::test]
async fn a_hand_back_that_is_dropped_anywhere_loses_nothing() {
    for polls in 0..60 {
        let (house, challenge) = spent(OutagePolicy::memory()).await;
        let key = QuotaKey::new("issue", Scope::Destination, "default", "ann");
        let claim = QuotaClaim::new(key, Quota::window(40, HOUR).unwrap());
        for _ in 0..3 {
            house
                .store
                .check_all(std::slice::from_ref(&claim))
                .await
                .unwrap();
        }
        // The circuit closes, and what the probe's task would tell is left to this call.
        house.primary.turn_only("carry_over", DOWN);
        house.let_it_notice().await;
        house.primary.turn(Mode::Slow);
        {
            let mut call = pin!(house.store.hand_back());
            let mut left = polls;
            poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                call.as_mut().poll(context).map(drop)
            })
            .await;
        }
        house.primary.turn(Mode::Up);
        house.store.hand_back().await.unwrap();
        let counted = above(&house, &challenge).await;
        assert!(counted >= SHARE, "{counted} of {SHARE} after {polls} polls");
        let peeked = house.primary.inner.peek(std::slice::from_ref(&claim)).await;
        let left = peeked.unwrap()[0].remaining();
        assert!(left <= 37, "{left} left after {polls} polls");
        let told = records(&house).await;
        let issued = told
            .iter()
            .filter(|one| one.kind == EventKind::ChallengeIssued);
        assert_eq!(issued.count(), 1, "after {polls} polls");
    }
}

#[tokio::test]
async fn a_policy_that_is_closed_has_nothing_to_tell() {
    let house = House::down(OutagePolicy::closed()).await;
    let now = otp_core::clock::Clock::now(&house.clock);
    unavailable(attempt(&house.store, &kit::challenge("ann", now)).await);
    house.mend().await;
    assert!(records(&house).await.is_empty());
}
