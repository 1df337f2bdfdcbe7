use std::sync::Arc;

use super::bench::{Bench, RACERS, count, race, tried};
use super::{StoreFixture, kit};
use crate::challenge::{AttemptClaim, AttemptOutcome, Challenge, Lane, Refusal};
use crate::quota::BudgetRefusal;
use crate::request::Purpose;
use crate::store::{Granted, Target};

/// A challenge compares as many guesses as its limit says, however many come at once.
pub async fn a_thousand_guesses_at_once_reserve_exactly_the_limit(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let target = Target::Id(challenge.id);
    let answers = race(RACERS, |_| {
        let plan = kit::attempt_plan(target.clone(), kit::attempt_claim());
        let store = Arc::clone(&bench.store);
        async move { tried(store.admit(&plan).await.expect("an answer")) }
    })
    .await;
    let reserved = count(&answers, |answer| *answer == Some(AttemptOutcome::Reserved));
    assert_eq!(reserved, 5, "exactly the limit of guesses is reserved");
    let refused = Some(AttemptOutcome::Refused(Refusal::Exhausted));
    assert_eq!(count(&answers, |answer| *answer == refused), RACERS - 5);
    assert_eq!(
        bench.find(&challenge).await.attempts,
        5,
        "every guess is counted"
    );
    assert_eq!(
        bench.guesses(&challenge).await,
        5,
        "and each once in the budget"
    );
}

/// A try that is repeated under its id, even at once, is counted once.
pub async fn a_thousand_copies_of_one_try_count_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let target = Target::Id(challenge.id);
    let answers = race(RACERS, |_| {
        let plan = kit::attempt_plan(target.clone(), kit::named_claim("try", 1));
        let store = Arc::clone(&bench.store);
        async move { tried(store.admit(&plan).await.expect("an answer")) }
    })
    .await;
    let reserved = count(&answers, |answer| *answer == Some(AttemptOutcome::Reserved));
    assert_eq!(reserved, 1, "one copy is counted");
    let resumed = count(&answers, |answer| *answer == Some(AttemptOutcome::Resumed));
    assert_eq!(resumed, RACERS - 1, "and the others go on with it");
    assert_eq!(bench.find(&challenge).await.attempts, 1);
    assert_eq!(bench.guesses(&challenge).await, 1);
}

/// A subject's budget bounds the guesses over all its challenges together: more challenges are
/// no more guesses. What strangers spend leaves the known devices' share alone.
pub async fn a_thousand_guesses_over_many_challenges_stay_within_one_budget(
    fixture: &dyn StoreFixture,
) {
    let bench = Bench::new(fixture);
    let mut challenges = Vec::new();
    for number in 0..20 {
        let purpose = kit::purpose(&format!("purpose-{number}"));
        let change = |challenge| Challenge {
            purpose,
            ..challenge
        };
        challenges.push(bench.issue_as("ann", change).await);
    }
    let known = |challenge| Challenge {
        lane: Lane::KnownDevice,
        ..challenge
    };
    let own = bench.issue_as("ann", known).await;
    let answers = race(RACERS, |racer| {
        let challenge = challenges.get(racer % challenges.len());
        let target = Target::Id(
            challenge
                .map(|challenge| challenge.id)
                .expect("one of them"),
        );
        let plan = kit::attempt_plan(target, kit::attempt_claim());
        let store = Arc::clone(&bench.store);
        async move { tried(store.admit(&plan).await.expect("an answer")) }
    })
    .await;
    let compared = count(&answers, |answer| *answer == Some(AttemptOutcome::Reserved));
    assert_eq!(
        compared, 16,
        "the public share of a day is compared, no guess more"
    );
    assert_eq!(
        bench.guesses(&own).await,
        16,
        "every compared guess is in the budget"
    );
    let mut attempts = 0;
    for challenge in &challenges {
        attempts += bench.find(challenge).await.attempts;
    }
    assert_eq!(
        attempts, 16,
        "a guess that the budget refused is on no challenge"
    );
    for _ in 0..4 {
        let outcome = bench.attempt(&own).await;
        assert_eq!(
            outcome,
            AttemptOutcome::Reserved,
            "the known devices' share is untouched"
        );
    }
}

/// The guess is counted in the admission's own step, and what is read shows it.
pub async fn a_reserved_guess_is_counted_before_anything_is_compared(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
    let Some(Granted::Attempt(outcome, shown)) = bench.admit(plan).await.granted else {
        panic!("a try at a live challenge is answered as one");
    };
    assert_eq!(outcome, AttemptOutcome::Reserved);
    assert_eq!(
        shown.attempts, 1,
        "the answer shows the challenge as it is now"
    );
    assert_eq!(
        shown.digest, challenge.digest,
        "with the digest to compare with"
    );
    assert_eq!(bench.find(&challenge).await.attempts, 1);
    let budget = bench.budget(&challenge).await.budget;
    assert_eq!(budget.guesses, [(bench.now().await, Lane::Public)]);
    assert_eq!(
        budget.consecutive, 1,
        "until it is found right, a guess is a failure"
    );
}

/// A try at the newest challenge of a subject takes the first live lane of those it may look
/// behind, in its order.
pub async fn the_latest_challenge_is_looked_for_lane_by_lane(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let public = bench.issue("ann").await;
    bench.advance(std::time::Duration::from_secs(1));
    let known = |challenge| Challenge {
        lane: Lane::KnownDevice,
        ..challenge
    };
    let known = bench.issue_as("ann", known).await;
    let both = [Lane::KnownDevice, Lane::Public];
    let first = found(&bench, &public, &both).await;
    assert_eq!(
        first,
        Some(known.id),
        "lanes are looked behind in the claim's order"
    );
    assert_eq!(
        found(&bench, &public, &[Lane::Public, Lane::KnownDevice]).await,
        Some(public.id)
    );
    assert_eq!(
        found(&bench, &public, &[Lane::Public]).await,
        Some(public.id)
    );
    bench.win(&known).await;
    assert_eq!(
        found(&bench, &public, &both).await,
        Some(public.id),
        "a dead one is passed over"
    );
    let newer = bench.issue("ann").await;
    assert_eq!(
        found(&bench, &public, &both).await,
        Some(newer.id),
        "the newest is meant"
    );
    bench.advance(kit::LIFE);
    assert_eq!(
        found(&bench, &public, &both).await,
        None,
        "an expired one is not taken"
    );
}

/// A try at the newest challenge finds none of another tenant, subject or purpose.
pub async fn the_latest_challenge_is_nobody_elses(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let ann = bench.issue("ann").await;
    let strangers = [
        Challenge {
            tenant: kit::tenant("other"),
            ..ann.clone()
        },
        Challenge {
            subject: kit::subject("bob"),
            ..ann.clone()
        },
        Challenge {
            purpose: Purpose::RECOVERY,
            ..ann.clone()
        },
    ];
    for stranger in strangers {
        assert_eq!(found(&bench, &stranger, &Lane::ALL).await, None);
    }
    assert_eq!(
        bench.find(&ann).await.attempts,
        0,
        "and spends none of its guesses"
    );
    assert_eq!(found(&bench, &ann, &Lane::ALL).await, Some(ann.id));
}

/// A lock that is found refuses the try, and a refused try is counted nowhere.
pub async fn a_locked_lane_takes_no_guess(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let spent = bench.issue("ann").await;
    bench.exhaust(&spent).await;
    let fresh = bench.issue("ann").await;
    let plan = kit::attempt_plan(Target::Id(fresh.id), kit::attempt_claim());
    let admission = bench.admit(plan).await;
    assert!(admission.granted.is_none(), "a paused lane grants nothing");
    let locked = matches!(
        admission.findings.budget,
        Some(BudgetRefusal::Locked { .. })
    );
    assert!(locked, "the pause is what is found");
    assert_eq!(bench.find(&fresh).await.attempts, 0);
    assert_eq!(bench.guesses(&fresh).await, 5);
}

/// Tries the latest challenge of the same tenant, subject and purpose.
pub(super) async fn found(
    bench: &Bench<'_>,
    like: &Challenge,
    lanes: &[Lane],
) -> Option<crate::challenge::ChallengeId> {
    let target = Target::Latest {
        tenant: like.tenant.clone(),
        subject: like.subject.clone(),
        purpose: like.purpose.clone(),
        lanes: lanes.to_vec(),
    };
    let tenant = like.tenant.clone();
    let claim = AttemptClaim {
        tenant,
        ..kit::attempt_claim()
    };
    match bench.admit(kit::attempt_plan(target, claim)).await.granted {
        Some(Granted::Attempt(AttemptOutcome::Reserved, challenge)) => Some(challenge.id),
        _ => None,
    }
}
