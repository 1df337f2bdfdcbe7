use std::time::Duration;

use super::bench::{Bench, outcome};
use super::{StoreFixture, kit};
use crate::challenge::{AttemptClaim, AttemptOutcome, Challenge, Refusal, TypedShape};
use crate::request::{Purpose, SessionBinding};
use crate::store::{ChallengeQuery, Target};

const ONE_MS: Duration = Duration::from_millis(1);

/// A code can be tried to its last millisecond, and not one longer.
pub async fn a_guess_is_taken_to_the_last_millisecond(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.advance(kit::LIFE - ONE_MS);
    assert_eq!(bench.attempt(&challenge).await, AttemptOutcome::Reserved);
    bench.advance(ONE_MS);
    refuses(&bench, &challenge, Refusal::Expired, 1).await;
}

/// A challenge that was consumed takes no guess.
pub async fn a_consumed_challenge_takes_no_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.win(&challenge).await;
    refuses(&bench, &challenge, Refusal::Consumed, 1).await;
}

/// A challenge whose guesses were all wrong takes no further one, even once the pause is over.
pub async fn an_exhausted_challenge_takes_no_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.exhaust(&challenge).await;
    bench.advance(Duration::from_secs(60));
    refuses(&bench, &challenge, Refusal::Exhausted, 5).await;
}

/// A challenge whose guesses are all reserved takes no further one, found wrong or not.
pub async fn a_fully_reserved_challenge_takes_no_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    for _ in 0..5 {
        assert_eq!(bench.attempt(&challenge).await, AttemptOutcome::Reserved);
    }
    refuses(&bench, &challenge, Refusal::Exhausted, 5).await;
}

/// A challenge in whose place a newer one came takes no guess.
pub async fn a_superseded_challenge_takes_no_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let older = bench.issue("ann").await;
    let newer = bench.issue("ann").await;
    refuses(&bench, &older, Refusal::Superseded, 0).await;
    assert_eq!(bench.attempt(&newer).await, AttemptOutcome::Reserved);
}

/// A challenge that was revoked takes no guess.
pub async fn a_revoked_challenge_takes_no_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let query = ChallengeQuery {
        challenge: Some(challenge.id),
        ..ChallengeQuery::default()
    };
    assert_eq!(bench.revoke(query).await, 1);
    refuses(&bench, &challenge, Refusal::Revoked, 0).await;
}

/// An id that was never issued is no challenge, and spends nobody's guess.
pub async fn an_unknown_id_is_no_challenge(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let never = kit::challenge("ann", bench.now().await);
    let outcome = bench.attempt(&never).await;
    assert_eq!(outcome, AttemptOutcome::Refused(Refusal::Unknown));
    assert_eq!(bench.guesses(&never).await, 0);
}

/// Another tenant's claim finds no challenge, and spends no guess of it.
pub async fn another_tenants_guess_is_not_counted(fixture: &dyn StoreFixture) {
    let claim = AttemptClaim {
        tenant: kit::tenant("other"),
        ..kit::attempt_claim()
    };
    stranger(fixture, claim, Refusal::Unknown).await;
}

/// A guess for another purpose is not counted.
pub async fn a_guess_for_another_purpose_is_not_counted(fixture: &dyn StoreFixture) {
    let claim = AttemptClaim {
        purpose: Some(Purpose::RECOVERY),
        ..kit::attempt_claim()
    };
    stranger(fixture, claim, Refusal::WrongPurpose).await;
}

/// A guess from another browser than the one that asked is not counted.
pub async fn another_browsers_guess_is_not_counted(fixture: &dyn StoreFixture) {
    for held in [None, Some(SessionBinding::of(b"another cookie"))] {
        let bench = Bench::new(fixture);
        let binding = Some(SessionBinding::of(b"the cookie that asked"));
        let change = |challenge| Challenge {
            binding: binding.clone(),
            ..challenge
        };
        let challenge = bench.issue_as("ann", change).await;
        let claim = AttemptClaim {
            binding: held,
            ..kit::attempt_claim()
        };
        let outcome = bench.attempt_as(&challenge, claim).await;
        assert_eq!(outcome, AttemptOutcome::Refused(Refusal::WrongBinding));
        assert_eq!(bench.find(&challenge).await.attempts, 0);
        let claim = AttemptClaim {
            binding,
            ..kit::attempt_claim()
        };
        assert_eq!(
            bench.attempt_as(&challenge, claim).await,
            AttemptOutcome::Reserved
        );
    }
}

/// Text that cannot be the code spends no guess.
pub async fn a_slip_of_the_finger_is_not_counted(fixture: &dyn StoreFixture) {
    for typed in ["12345", "1234567", "12345A"] {
        let shape = TypedShape::of(typed).expect("a shape");
        let claim = AttemptClaim {
            shape,
            ..kit::attempt_claim()
        };
        stranger(fixture, claim, Refusal::Malformed).await;
    }
}

/// A dead challenge of a locked subject answers as any dead challenge: the lock is not shown to
/// whoever holds an old id.
pub async fn a_locked_subjects_dead_challenge_answers_as_any_dead_one(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let consumed = bench.issue("ann").await;
    bench.win(&consumed).await;
    let exhausted = bench.issue("ann").await;
    bench.exhaust(&exhausted).await;
    for (challenge, refusal) in [
        (&consumed, Refusal::Consumed),
        (&exhausted, Refusal::Exhausted),
    ] {
        let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
        let admission = bench.admit(plan).await;
        assert_eq!(
            admission.findings.budget, None,
            "a dead challenge asks no budget"
        );
        assert_eq!(outcome(admission), AttemptOutcome::Refused(refusal));
    }
}

/// The challenge refuses, and the try is counted neither on it nor in the budget.
async fn refuses(bench: &Bench<'_>, challenge: &Challenge, refusal: Refusal, attempts: u32) {
    let guesses = bench.guesses(challenge).await;
    let outcome = bench.attempt(challenge).await;
    assert_eq!(outcome, AttemptOutcome::Refused(refusal));
    let after = bench.find(challenge).await.attempts;
    assert_eq!(
        after, attempts,
        "a refused try is not counted on the challenge"
    );
    assert_eq!(bench.guesses(challenge).await, guesses, "nor in the budget");
}

async fn stranger(fixture: &dyn StoreFixture, claim: AttemptClaim, refusal: Refusal) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let outcome = bench.attempt_as(&challenge, claim).await;
    assert_eq!(
        outcome,
        AttemptOutcome::Refused(refusal),
        "a stranger is turned away"
    );
    assert_eq!(
        bench.find(&challenge).await.attempts,
        0,
        "a stranger spends no guess"
    );
    assert_eq!(bench.guesses(&challenge).await, 0, "of nobody");
}
