//! Calls that meet others in the middle of something.

use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge, ConsumeOutcome, Refusal};
use otp_core::event::{EventId, EventKind};
use otp_core::store::{ChallengeQuery, ChallengeStore as _, Revocation};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use otp_store::postgres::PostgresOptions;
use sqlx::postgres::PgConnection;
use tokio::time::Instant;

use crate::fixture::{Place, attempt, issued, number, outcome, run};

/// Waits until a call of the place's store waits for a lock.
async fn met(raw: &mut PgConnection, place: &Place) {
    let waiting = format!(
        "SELECT COUNT(*) FROM pg_stat_activity
         WHERE application_name = '{}' AND wait_event_type = 'Lock'",
        place.schema
    );
    let until = Instant::now() + Duration::from_secs(20);
    while number(raw, &waiting).await == 0 {
        assert!(Instant::now() < until, "nobody waits");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_success_that_meets_a_revocation_waits_for_it_and_loses() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let challenge = issued(&store, "ann").await;
    let mut raw = place.raw().await;
    run(
        &mut raw,
        r#"BEGIN; SELECT otp_desk_1('{"step": "revoke", "query": {"subject": "sub:ann"}}')"#,
    )
    .await;
    let consume = kit::consume(&challenge, None);
    let winning = tokio::spawn(async move { store.consume(consume).await });
    met(&mut place.raw().await, &place).await;
    run(&mut raw, "COMMIT").await;
    let lost = winning.await.expect("it ends").unwrap();
    assert_eq!(lost, ConsumeOutcome::Lost(Refusal::Revoked));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_call_that_the_server_undoes_for_anothers_sake_is_made_again() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let challenge = issued(&store, "ann").await;
    let mut raw = place.raw().await;
    run(
        &mut raw,
        "BEGIN; SET LOCAL deadlock_timeout = '1min'; SELECT id FROM auth_challenges FOR UPDATE",
    )
    .await;
    let id = challenge.id;
    let trying = tokio::spawn(async move { attempt(&store, id, Some("t1")).await });
    met(&mut place.raw().await, &place).await;
    // What the call holds: now each waits for the other, and the call was first to wait.
    run(
        &mut raw,
        "SELECT pg_advisory_xact_lock(hashtextextended(otp_whose_1('default', 'sub:ann'),
            'auth_challenges'::regclass::oid::bigint))",
    )
    .await;
    run(&mut raw, "COMMIT").await;
    let admission = trying.await.expect("it ends").unwrap();
    assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
    let attempts = "SELECT attempts FROM auth_challenges";
    assert_eq!(number(&mut raw, attempts).await, 1);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn nothing_is_decided_where_a_wait_would_not_be_seen_to_end() {
    let place = Place::migrated().await;
    let mut raw = place.raw().await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        for call in [
            r#"otp_admit_1('{"step": "nothing", "blocks": [], "quotas": []}')"#,
            r#"otp_insert_1('{"fields": {}}')"#,
            r#"otp_settle_1('{"step": "reject"}')"#,
            r#"otp_desk_1('{"step": "ping"}')"#,
            r#"otp_desk_1('{"step": "acknowledge", "up_to": 1}')"#,
            r#"otp_query_1('{"step": "outbox", "limit": 1}')"#,
            "otp_purge_1('{}')",
        ] {
            run(&mut raw, &format!("BEGIN ISOLATION LEVEL {level}")).await;
            let sql = sqlx::AssertSqlSafe(format!("SELECT {call}"));
            let refused = sqlx::Executor::execute(&mut raw, sql).await.unwrap_err();
            let code = refused.as_database_error().and_then(|error| error.code());
            assert_eq!(code.as_deref(), Some("OTP04"), "{level}: {call}");
            run(&mut raw, "ROLLBACK").await;
        }
    }
}

/// Takes the success of a challenge in a transaction that stays open.
async fn held_success(raw: &mut PgConnection, challenge: &Challenge) {
    let (id, digest, event) = (challenge.id, &challenge.digest, EventId::next());
    let request = format!(
        r#"{{"step": "consume", "id": "{id}", "digest": "{digest}", "by": "t1", "event":
            {{"id": "{event}", "kind": "identity.auth.validation_attempt", "action": "", "outcome": "success",
              "tenant": "default"}}}}"#
    );
    run(raw, &format!("BEGIN; SELECT otp_settle_1('{request}')")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_revocation_that_meets_successes_leaves_them_as_they_are() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let early = issued(&store, "ann").await;
    let (mut one, mut two) = (place.raw().await, place.raw().await);
    held_success(&mut one, &early).await;
    let revoking = tokio::spawn({
        let store = store.clone();
        let (query, event) = (
            ChallengeQuery::default(),
            kit::event(EventKind::OperatorAction),
        );
        async move { store.revoke(Revocation { query, event }).await }
    });
    let mut raw = place.raw().await;
    met(&mut raw, &place).await;
    let other = place.pool(1, &[]);
    let other = PostgresStore::with_options(PostgresOptions::pool(other)).await;
    let late = issued(&other.unwrap(), "bob").await;
    held_success(&mut two, &late).await;
    run(&mut one, "COMMIT").await;
    // It is over, or waits for the second success: whichever it is, that one stays.
    let open = format!(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = '{}'
         AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Lock'",
        place.schema
    );
    let until = Instant::now() + Duration::from_secs(20);
    while number(&mut raw, &open).await > 0 {
        assert!(Instant::now() < until, "it neither ends nor waits");
    }
    run(&mut two, "COMMIT").await;
    assert_eq!(revoking.await.expect("it ends").unwrap(), 0);
    let won = "SELECT COUNT(*) FROM auth_challenges WHERE state = 'consumed'";
    assert_eq!(number(&mut raw, won).await, 2);
    let told = "SELECT COUNT(*) FROM audit_logs WHERE reason = 'revoked:0'";
    assert_eq!(number(&mut raw, told).await, 1);
    for success in [early, late] {
        let again = store.consume(kit::consume(&success, Some("t1"))).await;
        assert_eq!(again.unwrap(), ConsumeOutcome::WonBefore);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn an_instance_that_stops_before_its_commit_does_not_stop_the_others() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let challenge = issued(&store, "ann").await;
    let mut frozen = place.raw().await;
    run(
        &mut frozen,
        r#"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT otp_desk_1('{"step": "unlock",
            "patience": "400ms",
            "budget": {"tenant": "default", "subject": "sub:ann", "class": "oob"}}')"#,
    )
    .await;
    let trying = attempt(&store, challenge.id, None);
    let tried = tokio::time::timeout(Duration::from_secs(20), trying).await;
    let admission = tried.expect("nobody waits for it for ever").unwrap();
    assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
}
