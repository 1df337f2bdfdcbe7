use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, outcome, race};
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ChallengeState, Lane};
use crate::event::EventKind;
use crate::quota::{Budget, BudgetRefusal};
use crate::store::{BudgetClaim, Granted, Plan, Reject, Step};

const ONE_MS: Duration = Duration::from_millis(1);
const TEN_YEARS: Duration = Duration::from_secs(10 * 366 * 86_400);

/// A challenge that wrong guesses used up pauses its lane for half a minute, to the millisecond,
/// for tries and for new challenges; the other lane stays open.
pub async fn an_exhausted_challenge_pauses_its_lane_alone(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let spent = bench.issue("ann").await;
    bench.exhaust(&spent).await;
    let pause = Duration::from_secs(30);
    let until = bench.now().await.saturating_add(pause);
    let locked = Some(BudgetRefusal::Locked { until });
    let reading = bench.budget(&spent).await;
    assert_eq!(
        reading.public, locked,
        "the lane pauses, and says until when"
    );
    assert_eq!(reading.known_device, None, "the other lane does not");
    for wait in [Duration::ZERO, pause - ONE_MS] {
        bench.advance(wait);
        let admission = bench.admit(kit::issue_plan(&spent)).await;
        assert_eq!(
            admission.findings.budget, locked,
            "a new challenge waits as well"
        );
        assert!(admission.granted.is_none());
    }
    let known = Challenge {
        lane: Lane::KnownDevice,
        ..spent.clone()
    };
    let admission = bench.admit(kit::issue_plan(&known)).await;
    assert!(matches!(admission.granted, Some(Granted::Issue)));
    bench.advance(ONE_MS);
    let admission = bench.admit(kit::issue_plan(&spent)).await;
    assert!(
        matches!(admission.granted, Some(Granted::Issue)),
        "the pause is over"
    );
}

/// A challenge pauses its lane once, when its last guess is found wrong; not before, and not for
/// every answer that comes after.
pub async fn a_challenge_pauses_its_lane_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    for _ in 0..4 {
        bench.guess_wrong(&challenge).await;
    }
    assert_eq!(bench.attempt(&challenge).await, AttemptOutcome::Reserved);
    assert_eq!(bench.budget(&challenge).await.budget.strikes, [0, 0]);
    for _ in 0..3 {
        bench.reject(kit::reject(&challenge, None)).await;
        assert_eq!(
            bench.budget(&challenge).await.budget.strikes,
            [1, 0],
            "one strike a challenge"
        );
    }
}

/// However many wrong answers come in at once, the challenge ends once and pauses its lane once.
pub async fn a_thousand_wrong_answers_at_once_pause_the_lane_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    for _ in 0..5 {
        assert_eq!(bench.attempt(&challenge).await, AttemptOutcome::Reserved);
    }
    race(RACERS, |_| {
        let reject = kit::reject(&challenge, None);
        let store = Arc::clone(&bench.store);
        async move { store.reject(reject).await.expect("an answer") }
    })
    .await;
    assert_eq!(
        bench.find(&challenge).await.state,
        ChallengeState::Exhausted
    );
    let budget = bench.budget(&challenge).await.budget;
    assert_eq!(budget.strikes, [1, 0], "one strike a challenge");
    let until = bench.now().await.saturating_add(Duration::from_secs(30));
    assert_eq!(budget.paused_until, [Some(until), None]);
}

/// Each further challenge that is used up doubles the pause, up to an hour; a success starts anew.
pub async fn pauses_double_up_to_an_hour_and_a_success_ends_them(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for pause in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        let challenge = bench.issue("ann").await;
        exhaust_widely(&bench, &challenge).await;
        let until = bench.now().await.saturating_add(Duration::from_secs(pause));
        let paused = bench.budget(&challenge).await.budget.paused_until;
        assert_eq!(paused, [Some(until), None], "the pause is {pause} seconds");
        bench.advance(Duration::from_secs(pause));
    }
    let challenge = bench.issue("ann").await;
    let admission = bench.attempt_under(&challenge, kit::wide_rules()).await;
    assert_eq!(outcome(admission), AttemptOutcome::Reserved);
    bench.consume(kit::consume(&challenge, None)).await;
    let budget = bench.budget(&challenge).await.budget;
    assert_eq!(budget.strikes, [0, 0], "a success ends the strikes");
    assert_eq!(budget.paused_until, [None, None]);
}

/// A hundred failures in a row disable the authenticator for good: no time opens it, only an
/// operator who unlocks it, or binding it anew. Strangers get eighty of them and close the public
/// lane with those; the rest is for known devices.
pub async fn a_hundred_failures_in_a_row_disable_for_good(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let change = |challenge| Challenge {
        attempt_limit: 200,
        ..challenge
    };
    let known = |challenge| Challenge {
        lane: Lane::KnownDevice,
        ..change(challenge)
    };
    let challenge = bench.issue_as("ann", change).await;
    let owners = bench.issue_as("ann", known).await;
    for (aimed_at, guesses) in [(&challenge, 80), (&owners, 20)] {
        for guess in 0..guesses {
            let admission = bench.attempt_under(aimed_at, kit::wide_rules()).await;
            assert_eq!(
                outcome(admission),
                AttemptOutcome::Reserved,
                "guess {guess}"
            );
        }
        closed(&bench, &challenge).await;
    }
    disabled(&bench, &owners).await;
    bench.advance(TEN_YEARS);
    bench.store.purge(10_000).await.expect("an answer");
    let challenge = bench.issue_as("ann", change).await;
    disabled(&bench, &challenge).await;
    let event = kit::event(EventKind::OperatorAction);
    let key = kit::budget_key(&challenge);
    bench.store.unlock(&key, event).await.expect("an answer");
    assert_eq!(bench.budget(&challenge).await.budget, Budget::default());
    assert_eq!(bench.attempt(&challenge).await, AttemptOutcome::Reserved);
}

/// What an operator disabled is closed for both lanes, however long, until it is unlocked.
pub async fn a_disabled_budget_is_closed_until_it_is_unlocked(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = kit::challenge("ann", bench.now().await);
    let key = kit::budget_key(&challenge);
    let event = || kit::event(EventKind::OperatorAction);
    bench.store.disable(&key, event()).await.expect("an answer");
    bench.advance(TEN_YEARS);
    bench.store.purge(10_000).await.expect("an answer");
    for lane in Lane::ALL {
        let plan = kit::issue_plan(&Challenge {
            lane,
            ..challenge.clone()
        });
        let admission = bench.admit(plan).await;
        assert_eq!(admission.findings.budget, Some(BudgetRefusal::Disabled));
        assert!(
            admission.granted.is_none(),
            "a disabled authenticator gets no challenge"
        );
    }
    let other = Challenge {
        tenant: kit::tenant("other"),
        ..challenge.clone()
    };
    let admission = bench.admit(kit::issue_plan(&other)).await;
    assert!(
        matches!(admission.granted, Some(Granted::Issue)),
        "another tenant's is open"
    );
    bench.store.unlock(&key, event()).await.expect("an answer");
    let admission = bench.admit(kit::issue_plan(&challenge)).await;
    assert!(matches!(admission.granted, Some(Granted::Issue)));
}

/// Unlocking forgets guesses, strikes and pauses.
pub async fn an_unlocked_budget_is_a_fresh_one(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let spent = bench.issue("ann").await;
    bench.exhaust(&spent).await;
    let event = kit::event(EventKind::OperatorAction);
    let key = kit::budget_key(&spent);
    bench.store.unlock(&key, event).await.expect("an answer");
    assert_eq!(bench.budget(&spent).await.budget, Budget::default());
}

/// Uses a challenge up under rules whose windows hardly limit.
async fn exhaust_widely(bench: &Bench<'_>, challenge: &Challenge) {
    for _ in 0..challenge.attempt_limit {
        let admission = bench.attempt_under(challenge, kit::wide_rules()).await;
        assert_eq!(outcome(admission), AttemptOutcome::Reserved);
        let rules = kit::wide_rules();
        bench
            .reject(Reject {
                rules,
                ..kit::reject(challenge, None)
            })
            .await;
    }
}

async fn closed(bench: &Bench<'_>, challenge: &Challenge) {
    let admission = bench.attempt_under(challenge, kit::wide_rules()).await;
    assert!(
        admission.granted.is_none(),
        "a disabled authenticator takes no guess"
    );
    assert_eq!(admission.findings.budget, Some(BudgetRefusal::Disabled));
}

async fn disabled(bench: &Bench<'_>, challenge: &Challenge) {
    closed(bench, challenge).await;
    let budget = BudgetClaim::new(
        kit::budget_key(challenge),
        Lane::KnownDevice,
        kit::wide_rules(),
    );
    let step = Step::Issue {
        budget,
        idempotency: None,
    };
    let plan: Plan = kit::plan(EventKind::ChallengeIssued, step);
    let findings = bench.admit(plan).await.findings;
    assert_eq!(
        findings.budget,
        Some(BudgetRefusal::Disabled),
        "in neither lane"
    );
}
