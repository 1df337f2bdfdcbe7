//! What operators type, word for word.

use otp_core::challenge::AttemptOutcome;
use otp_core::event::{Event, EventKind, Outcome};
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::{AuditStore as _, ChallengeStore as _, Granted, Target};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::fixture::{Place, attempt, insert, issued, number, outcome, rows, run};

const USERS: &str = "CREATE TABLE users
    (sub text PRIMARY KEY, force_password_reset boolean NOT NULL DEFAULT false)";

async fn texts(raw: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = rows(raw, sql).await;
    rows.iter().map(|row| row.get(0)).collect()
}

async fn bench() -> (Place, PostgresStore, PgConnection) {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let raw = place.raw().await;
    (place, store, raw)
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_user_with_too_many_challenges_is_found_and_ended_and_must_set_a_password() {
    let (_place, store, mut raw) = bench().await;
    run(&mut raw, USERS).await;
    run(
        &mut raw,
        "INSERT INTO users (sub) VALUES ('user1'), ('user2'), ('user3')",
    )
    .await;
    for (user, challenges) in [("user1", 11), ("user2", 10), ("user3", 1)] {
        for _ in 0..challenges {
            issued(&store, user).await;
        }
    }
    let found = rows(
        &mut raw,
        "SELECT user_id, COUNT(*) as challenge_count, MIN(created_at), MAX(created_at)
   FROM auth_challenges
   GROUP BY user_id
   HAVING COUNT(*) > 10
   ORDER BY challenge_count DESC;",
    )
    .await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].get::<&str, _>(0), found[0].get::<i64, _>(1)),
        ("user1", 11)
    );
    let gone = "DELETE FROM auth_challenges WHERE user_id IN ('user1', 'user2');";
    assert_eq!(run(&mut raw, gone).await, 21);
    let reset = "UPDATE users SET force_password_reset = true WHERE sub IN ('user1', 'user2');";
    assert_eq!(run(&mut raw, reset).await, 2);
    let left = texts(&mut raw, "SELECT user_id FROM auth_challenges").await;
    assert_eq!(left, ["user3"]);
    let again = issued(&store, "user1").await;
    let tried = attempt(&store, again.id, None).await.unwrap();
    assert_eq!(outcome(&tried), Some(AttemptOutcome::Reserved));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn tries_at_expired_challenges_are_found_and_no_others() {
    let place = Place::new().await;
    let (store, mut raw) = (place.open().await, place.raw().await);
    let (ann, bob) = (issued(&store, "ann").await, issued(&store, "bob").await);
    attempt(&store, ann.id, None).await.unwrap();
    attempt(&store, bob.id, None).await.unwrap();
    place.clock.advance(kit::LIFE);
    attempt(&store, ann.id, None).await.unwrap();
    attempt(&store, ann.id, None).await.unwrap();
    let found = rows(
        &mut raw,
        "SELECT challenge_id, user_id, validation_attempts, last_attempt_at
   FROM challenge_validation_attempts
   WHERE challenge_expired = true
   ORDER BY validation_attempts DESC;",
    )
    .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].get::<String, _>(0), ann.id.to_string());
    assert_eq!(
        (found[0].get::<&str, _>(1), found[0].get::<i64, _>(2)),
        ("ann", 3)
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn challenges_without_a_user_and_challenges_that_are_over_are_found() {
    let (_place, store, mut raw) = bench().await;
    run(&mut raw, USERS).await;
    run(&mut raw, "INSERT INTO users (sub) VALUES ('ann')").await;
    issued(&store, "ann").await;
    let orphan = issued(&store, "nobody").await;
    let found = rows(
        &mut raw,
        "SELECT ac.id, ac.user_id
   FROM auth_challenges ac
   LEFT JOIN users u ON ac.user_id = u.sub
   WHERE u.sub IS NULL;",
    )
    .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].get::<String, _>(0), orphan.id.to_string());

    let over = "SELECT COUNT(*) FROM auth_challenges WHERE expires_at < NOW();";
    assert_eq!(number(&mut raw, over).await, 0);
    let long_ago = otp_core::clock::Timestamp::from_millis(1_700_000_000_000);
    insert(&store, &kit::challenge("bob", long_ago))
        .await
        .unwrap();
    assert_eq!(number(&mut raw, over).await, 1);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn deleting_a_users_rows_clears_that_users_limits_only() {
    let (_place, store, mut raw) = bench().await;
    let plan = |user: &str| {
        let quota = Quota::window(1, kit::LIFE).expect("a quota");
        let key = QuotaKey::new("issue-hour", Scope::Subject, "default", user);
        let mut plan = kit::quota_plan(vec![QuotaClaim::new(key, quota)]);
        plan.event = plan.event.about(&kit::subject(user));
        plan
    };
    let admitted = async |user: &str| {
        let admission = store.admit(&plan(user)).await.expect("an answer");
        matches!(admission.granted, Some(Granted::Nothing))
    };
    for user in ["user1", "user2", "user3"] {
        assert!(admitted(user).await);
        assert!(!admitted(user).await);
    }
    let sql = "DELETE FROM rate_limit_attempts WHERE user_id IN ('user1', 'user2');";
    assert_eq!(run(&mut raw, sql).await, 2);
    assert!(admitted("user1").await);
    assert!(admitted("user2").await);
    assert!(!admitted("user3").await);
}

/// A try at a challenge, from an address.
fn tried(challenge: &otp_core::challenge::Challenge, from: &str) -> Event {
    Event {
        address: Some(from.parse().expect("an address")),
        ..kit::event(EventKind::ValidationAttempt).of_challenge(challenge)
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn who_tried_to_sign_in_is_found_with_what_came_of_it() {
    let (_place, store, mut raw) = bench().await;
    for turn in 0..25 {
        let now = store.ping().await.unwrap();
        let mut challenge = kit::challenge("ann", now);
        if turn == 0 {
            challenge.purpose = kit::purpose("transfer");
        }
        insert(&store, &challenge).await.unwrap();
    }
    issued(&store, "bob").await;
    let refused = Event {
        outcome: Outcome::Refused,
        reason: Some("locked".into()),
        purpose: Some(kit::purpose("login")),
        ..kit::event(EventKind::ChallengeIssued).about(&kit::subject("ann"))
    };
    store.append(refused).await.unwrap();
    let found = rows(
        &mut raw,
        "SELECT * FROM audit_logs
WHERE actor_id = 'ann'
AND event_type = 'login_attempt'
ORDER BY created_at DESC
LIMIT 20;",
    )
    .await;
    assert_eq!(found.len(), 20);
    assert!(
        found
            .iter()
            .all(|row| row.get::<&str, _>("actor_id") == "ann")
    );
    assert_eq!(found[0].get::<&str, _>("action"), "MFA_CHALLENGE_REFUSED");
    assert_eq!(found[0].get::<&str, _>("reason"), "locked");
    let all = "SELECT COUNT(*) FROM audit_logs
        WHERE actor_id = 'ann' AND event_type = 'login_attempt'";
    assert_eq!(number(&mut raw, all).await, 25, "a transfer is no login");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn an_address_that_fails_often_or_at_many_accounts_is_found() {
    let (_place, store, mut raw) = bench().await;
    let attacker = "203.0.113.66";
    for account in 0..6 {
        let challenge = issued(&store, &format!("user-{account}")).await;
        let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
        store.admit(&plan).await.unwrap();
        let mut reject = kit::reject(&challenge, None);
        reject.event = tried(&challenge, attacker).with_outcome(Outcome::Refused, "invalid_otp");
        store.reject(reject).await.unwrap();
    }
    let slip = issued(&store, "ann").await;
    for (address, right) in [("198.51.100.1", false), ("198.51.100.2", true)] {
        let mut event = tried(&slip, address);
        if right {
            let mut consume = kit::consume(&slip, None);
            consume.event = event;
            store.consume(consume).await.unwrap();
        } else {
            event = event.with_outcome(Outcome::Refused, "invalid_otp");
            store.append(event).await.unwrap();
        }
    }
    run(
        &mut raw,
        "UPDATE audit_logs SET created_at = created_at - INTERVAL '2 hours'
        WHERE ip_address = '198.51.100.1'",
    )
    .await;
    let failing = rows(
        &mut raw,
        "SELECT ip_address, COUNT(*) as attempts
FROM audit_logs
WHERE event_type = 'login_failure'
AND created_at > NOW() - INTERVAL '1 hour'
GROUP BY ip_address
ORDER BY attempts DESC
LIMIT 10;",
    )
    .await;
    assert_eq!(failing.len(), 1);
    assert_eq!(
        (failing[0].get::<&str, _>(0), failing[0].get::<i64, _>(1)),
        (attacker, 6)
    );
    let many = texts(
        &mut raw,
        "SELECT ip_address, COUNT(DISTINCT actor_id) as accounts
FROM audit_logs
WHERE event_type = 'login_failure'
AND created_at > NOW() - INTERVAL '1 hour'
GROUP BY ip_address
HAVING COUNT(DISTINCT actor_id) > 5;",
    )
    .await;
    assert_eq!(many, [attacker]);
}
