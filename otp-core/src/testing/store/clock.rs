use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ConsumeOutcome, RecordedAnswer, Refusal};
use crate::event::EventKind;
use crate::store::{
    ChallengeQuery, Granted, Insert, Revocation, Seen, StoreError, StoreErrorKind, Target,
};

const TOLERANCE: Duration = Duration::from_secs(5);
const ONE_MS: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// A sign of life tells the store's time.
pub async fn a_sign_of_life_tells_the_time(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let before = bench.now().await;
    bench.advance(Duration::from_millis(1_234));
    assert_eq!(
        bench.now().await.since(before),
        Duration::from_millis(1_234)
    );
    let challenge = kit::challenge("ann", before);
    let admission = bench.admit(kit::issue_plan(&challenge)).await;
    assert_eq!(
        admission.now,
        bench.now().await,
        "an admission is reckoned from the same clock"
    );
}

/// A clock that goes back by more than five seconds stops every decision: nothing is granted.
pub async fn a_clock_that_went_back_stops_every_decision(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    bench.step_back(TOLERANCE + ONE_MS);
    let store = &bench.store;
    let query = ChallengeQuery::default();
    let event = kit::event(EventKind::ChallengeCancelled);
    let insert = Insert {
        challenge: kit::challenge("bob", challenge.created_at),
        delivery: None,
        event: kit::event(EventKind::ChallengeIssued),
    };
    let quota = [kit::window("quota", 5, HOUR)];
    let attempt = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
    stopped("issuing", store.admit(&kit::issue_plan(&challenge)).await);
    stopped(
        "resending",
        store.admit(&kit::resend_plan(&challenge)).await,
    );
    stopped("trying", store.admit(&attempt).await);
    stopped(
        "charging by plan",
        store.admit(&kit::quota_plan(quota.to_vec())).await,
    );
    stopped("inserting", store.insert(insert).await);
    stopped(
        "consuming",
        store.consume(kit::consume(&challenge, None)).await,
    );
    stopped("revoking", store.revoke(Revocation { query, event }).await);
    stopped("charging", store.check_all(&quota).await);
    stopped("seeing", store.first_seen("link", HOUR).await);
    stopped("a sign of life", store.ping().await);
}

/// Once the clock has caught up, decisions are as if it had stood still; what was asked while it
/// was wrong left no trace.
pub async fn a_clock_that_caught_up_decides_again(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    bench.step_back(HOUR);
    stopped("trying", {
        let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
        bench.store.admit(&plan).await
    });
    stopped(
        "consuming",
        bench.store.consume(kit::consume(&challenge, None)).await,
    );
    bench.advance(HOUR);
    let found = bench.find(&challenge).await;
    assert_eq!(found.attempts, 1, "a stopped try was not counted");
    assert_eq!(bench.guesses(&challenge).await, 1);
    let outcome = bench.consume(kit::consume(&challenge, None)).await;
    assert_eq!(outcome, ConsumeOutcome::Won);
}

/// A clock that is set back by up to five seconds stands still: what expired stays expired, what
/// was locked stays locked, and time does not run backwards for anybody.
pub async fn a_small_step_back_revives_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let spent = bench.issue("bob").await;
    bench.exhaust(&spent).await;
    bench.advance(Duration::from_secs(30));
    let expired = bench.issue("ann").await;
    let won = bench.issue_as("cy", long).await;
    bench.attempt(&expired).await;
    bench.attempt_as(&won, kit::named_claim("try", 1)).await;
    bench.advance(kit::LIFE);
    bench.consume(kit::consume(&won, Some("try"))).await;
    let now = bench.now().await;
    bench.step_back(TOLERANCE);
    assert_eq!(bench.now().await, now, "time stands still");
    let outcome = bench.attempt(&expired).await;
    assert_eq!(
        outcome,
        AttemptOutcome::Refused(Refusal::Expired),
        "what expired stays expired"
    );
    let outcome = bench.consume(kit::consume(&expired, None)).await;
    assert_eq!(outcome, ConsumeOutcome::Lost(Refusal::Expired));
    let replayed = bench.attempt_as(&won, kit::named_claim("try", 1)).await;
    assert_eq!(replayed, AttemptOutcome::Replayed(RecordedAnswer::Right));
    let admission = bench.admit(kit::issue_plan(&spent)).await;
    assert!(
        matches!(admission.granted, Some(Granted::Issue)),
        "a pause that ended stays ended"
    );
    let fresh = bench.issue("di").await;
    assert_eq!(fresh.created_at, now);
    bench.win(&fresh).await;
}

/// A quota does not refill by a clock that is set back, and a link that was seen stays seen.
pub async fn a_small_step_back_refills_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let claims = [kit::window("window", 1, HOUR), kit::rate("rate", 1, HOUR)];
    bench.charge(&claims).await;
    let seen = bench
        .store
        .first_seen("link", HOUR)
        .await
        .expect("an answer");
    assert_eq!(seen, Seen::First);
    bench.step_back(TOLERANCE);
    for claim in &claims {
        assert_eq!(
            bench.peek(claim).await.retry_after(),
            Some(HOUR),
            "as if time stood still"
        );
    }
    let seen = bench
        .store
        .first_seen("link", HOUR)
        .await
        .expect("an answer");
    assert_eq!(seen, Seen::Again);
}

/// Many small steps back are one large one.
pub async fn many_small_steps_back_do_not_add_up_unseen(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.attempt(&challenge).await;
    bench.step_back(Duration::from_secs(3));
    bench.now().await;
    bench.step_back(Duration::from_secs(3));
    stopped(
        "consuming",
        bench.store.consume(kit::consume(&challenge, None)).await,
    );
}

fn long(challenge: Challenge) -> Challenge {
    let expires_at = challenge.created_at.saturating_add(HOUR);
    Challenge {
        expires_at,
        ..challenge
    }
}

fn stopped<T>(what: &str, answer: Result<T, StoreError>) {
    let kind = answer.err().map(|error| error.kind());
    assert_eq!(
        kind,
        Some(StoreErrorKind::ClockAnomaly),
        "{what} waits for the clock"
    );
}
