use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ConsumeOutcome, RecordedAnswer, Refusal};

const REPLAY: Duration = Duration::from_secs(60);

/// A try whose success was lost on the way hears of it again for a minute, and not longer.
pub async fn a_won_try_is_answered_again_for_a_minute(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    let outcome = bench.consume(kit::consume(&challenge, Some("try"))).await;
    assert_eq!(outcome, ConsumeOutcome::Won);
    bench.advance(REPLAY);
    let replayed = bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    assert_eq!(replayed, AttemptOutcome::Replayed(RecordedAnswer::Right));
    bench.advance(Duration::from_millis(1));
    let late = bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    assert_eq!(
        late,
        AttemptOutcome::Refused(Refusal::Consumed),
        "a success is not kept for long"
    );
    assert_eq!(
        bench.find(&challenge).await.attempts,
        1,
        "a repeat is never counted"
    );
}

/// Nobody but the try that won hears of its success.
pub async fn another_try_does_not_inherit_the_success(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    bench.consume(kit::consume(&challenge, Some("try"))).await;
    let other = bench
        .attempt_as(&challenge, kit::named_claim("other", 1))
        .await;
    assert_eq!(other, AttemptOutcome::Refused(Refusal::Consumed));
    let nameless = bench.attempt(&challenge).await;
    assert_eq!(nameless, AttemptOutcome::Refused(Refusal::Consumed));
}

/// A wrong try that is repeated hears that it was wrong, and is not counted again.
pub async fn a_wrong_try_is_answered_again(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    bench.reject(kit::reject(&challenge, Some("try"))).await;
    let again = bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    assert_eq!(again, AttemptOutcome::Replayed(RecordedAnswer::Wrong));
    assert_eq!(bench.find(&challenge).await.attempts, 1);
    assert_eq!(bench.guesses(&challenge).await, 1);
}

/// A try whose answer is not known yet may be compared again without a further count.
pub async fn an_unanswered_try_goes_on(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let first = bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    assert_eq!(first, AttemptOutcome::Reserved);
    let again = bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    assert_eq!(again, AttemptOutcome::Resumed);
    assert_eq!(bench.find(&challenge).await.attempts, 1);
    assert_eq!(bench.guesses(&challenge).await, 1);
    bench.advance(kit::LIFE);
    let late = bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    assert_eq!(
        late,
        AttemptOutcome::Refused(Refusal::Expired),
        "but not past the end"
    );
}

/// One id of a try carries one code: it is no way to a second guess.
pub async fn a_try_cannot_be_repeated_with_another_code(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    let changed = bench
        .attempt_as(&challenge, kit::named_claim("try", 2))
        .await;
    assert_eq!(changed, AttemptOutcome::Refused(Refusal::AttemptReused));
    bench.reject(kit::reject(&challenge, Some("try"))).await;
    let changed = bench
        .attempt_as(&challenge, kit::named_claim("try", 2))
        .await;
    assert_eq!(changed, AttemptOutcome::Refused(Refusal::AttemptReused));
}

/// A try is known by any of the hashes it carries, so that a key may be rotated between the two.
pub async fn a_try_is_known_under_a_rotated_key(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    let mut claim = kit::named_claim("try", 2);
    if let Some((_, fingerprints)) = &mut claim.id {
        fingerprints.push([1; 16]);
    }
    assert_eq!(
        bench.attempt_as(&challenge, claim).await,
        AttemptOutcome::Resumed
    );
}

/// A wrong try that is recorded twice, after a lost answer, was wrong once.
pub async fn a_wrong_try_is_recorded_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench
        .attempt_as(&challenge, kit::named_claim("try", 1))
        .await;
    for _ in 0..10 {
        bench.reject(kit::reject(&challenge, Some("try"))).await;
    }
    let found = bench.find(&challenge).await;
    assert_eq!(
        (found.attempts, found.wrong),
        (1, 1),
        "ten records of one wrong try are one"
    );
    let outcome = bench.attempt(&challenge).await;
    assert_eq!(
        outcome,
        AttemptOutcome::Reserved,
        "and the challenge is still alive"
    );
}

/// The ids of tries belong to their challenge.
pub async fn a_try_of_another_challenge_is_another_try(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let login = bench.issue("ann").await;
    let change = |challenge| Challenge {
        purpose: kit::purpose("other"),
        ..challenge
    };
    let other = bench.issue_as("ann", change).await;
    for challenge in [&login, &other] {
        let hostile = kit::named_claim(r#"'";--%s{x}:\0"#, 1);
        let outcome = bench.attempt_as(challenge, hostile).await;
        assert_eq!(outcome, AttemptOutcome::Reserved);
        assert_eq!(bench.find(challenge).await.attempts, 1);
    }
}
