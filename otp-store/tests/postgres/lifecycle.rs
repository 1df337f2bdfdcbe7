use std::error::Error as _;
use std::time::Duration;

use otp_core::challenge::{ConsumeOutcome, Refusal};
use otp_core::event::EventKind;
use otp_core::store::{
    AuditStore as _, ChallengeQuery, ChallengeStore as _, Revocation, Seen, SeenStore as _,
    StoreError, StoreErrorKind,
};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use otp_store::postgres::PostgresOptions;
use sqlx::postgres::PgPoolOptions;

use crate::fixture::{Place, attempt, insert, issued, number};

fn cause(error: &StoreError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_server_that_takes_no_writes_is_refused() {
    let place = Place::migrated().await;
    let pool = place.pool(1, &[("default_transaction_read_only", "on")]);
    let refused = PostgresStore::with_options(PostgresOptions::pool(pool)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert_eq!(cause(&refused), "a replica takes no writes");
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_server_that_stops_taking_writes_is_an_outage_and_shows_no_sign_of_life() {
    let place = Place::migrated().await;
    let pool = place.pool(1, &[]);
    let store = PostgresStore::with_options(PostgresOptions::pool(pool.clone()))
        .await
        .unwrap();
    let challenge = issued(&store, "ann").await;
    sqlx::query("SET default_transaction_read_only = on")
        .execute(&pool)
        .await
        .unwrap();
    for refused in [
        store.ping().await.map(drop),
        attempt(&store, challenge.id, None).await.map(drop),
        store
            .consume(kit::consume(&challenge, None))
            .await
            .map(drop),
    ] {
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
        assert_eq!(cause(&refused), "postgres answered with 25006");
    }
    assert!(
        store.find(&challenge.id).await.unwrap().is_some(),
        "it can be read"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn statements_need_not_be_prepared() {
    let place = Place::migrated().await;
    let options = place.connect_options(&[]).statement_cache_capacity(0);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options);
    let store = PostgresStore::with_options(PostgresOptions::pool(pool))
        .await
        .unwrap();
    let challenge = issued(&store, "ann").await;
    attempt(&store, challenge.id, Some("t1")).await.unwrap();
    let won = store
        .consume(kit::consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn what_was_won_stays_won_after_the_store_is_opened_again() {
    let place = Place::migrated().await;
    let store = place.open_with(1, &[]).await;
    let challenge = issued(&store, "ann").await;
    let won = store
        .consume(kit::consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    drop(store);
    let store = place.open_with(1, &[]).await;
    let again = store
        .consume(kit::consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert_eq!(again, ConsumeOutcome::WonBefore);
    let other = store
        .consume(kit::consume(&challenge, Some("t2")))
        .await
        .unwrap();
    assert_eq!(other, ConsumeOutcome::Lost(Refusal::Consumed));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn text_that_the_engine_cannot_hold_is_refused_and_breaks_nothing() {
    let place = Place::migrated().await;
    let store = place.open_with(1, &[]).await;
    let mut challenge = kit::challenge("ann", store.ping().await.unwrap());
    challenge.digest = "a\0b".to_owned();
    let refused = insert(&store, &challenge).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let message = format!("{refused} {refused:?} {}", cause(&refused));
    assert!(!message.contains(&challenge.id.to_string()), "{message}");
    challenge.digest = "'; DROP TABLE auth_challenges; -- \u{1F600}\\".to_owned();
    insert(&store, &challenge).await.unwrap();
    let found = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!(found.digest, challenge.digest);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn revocations_of_everything_beside_a_crowd_wait_for_nobody_in_a_circle() {
    let place = Place::migrated().await;
    let store = place.open_with(8, &[]).await;
    let mut race = tokio::task::JoinSet::new();
    for index in 0..200 {
        let store = store.clone();
        race.spawn(async move {
            let challenge = issued(&store, &format!("subject-{index}")).await;
            attempt(&store, challenge.id, None)
                .await
                .expect("an answer");
            if index % 10 == 0 {
                let event = kit::event(EventKind::OperatorAction);
                let query = ChallengeQuery::default();
                store
                    .revoke(Revocation { query, event })
                    .await
                    .expect("an answer");
            }
            store.purge(10).await.expect("an answer");
        });
    }
    assert_eq!(race.join_all().await.len(), 200);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_purge_leaves_no_hole_in_the_log() {
    const MINUTE: Duration = Duration::from_secs(60);
    let place = Place::migrated().await;
    let options = place
        .options()
        .clock(std::sync::Arc::new(place.clock.clone()));
    let store = PostgresStore::with_options(options.keep_audit(60 * MINUTE))
        .await
        .unwrap();
    for _ in 0..4 {
        store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    }
    // A record is written when its code was compared, and dated by when it came in.
    let mut raw = place.raw().await;
    let younger =
        "WITH later AS (UPDATE audit_logs SET created_at = created_at + interval '2 hours'
            WHERE sequence % 2 = 0 RETURNING 1)
        SELECT COUNT(*) FROM later";
    assert_eq!(number(&mut raw, younger).await, 2);
    store.acknowledge(u64::MAX).await.unwrap();
    place.clock.advance(90 * MINUTE);
    assert_eq!(store.purge(100).await.unwrap(), 1);
    assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM audit_logs").await, 3);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn purge_works_in_batches_and_leaves_what_is_live_and_what_nobody_took_over() {
    const MINUTE: Duration = Duration::from_secs(60);
    let place = Place::migrated().await;
    let options = place
        .options()
        .clock(std::sync::Arc::new(place.clock.clone()));
    let store = PostgresStore::with_options(options.keep_audit(MINUTE))
        .await
        .unwrap();
    for index in 0..1_100_u32 {
        let life = if index < 1_050 { MINUTE } else { 600 * MINUTE };
        let key = format!("key-{index}");
        assert_eq!(store.first_seen(&key, life).await.unwrap(), Seen::First);
    }
    let challenge = issued(&store, "ann").await;
    attempt(&store, challenge.id, Some("t1")).await.unwrap();
    place.clock.advance(2 * MINUTE);
    assert_eq!(store.purge(3).await.unwrap(), 3);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 1_047);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 0);
    let mut raw = place.raw().await;
    assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM audit_logs").await, 1);
    store.acknowledge(u64::MAX).await.unwrap();
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 1);

    place.clock.advance(Duration::from_secs(86_400));
    assert!(store.find(&challenge.id).await.unwrap().is_some());
    place.clock.advance(5 * MINUTE);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 51);
    assert!(store.find(&challenge.id).await.unwrap().is_none());
    for table in ["challenge_attempt_log", "challenge_validation_attempts"] {
        let left = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(number(&mut raw, &left).await, 0, "{table}");
    }
    assert_eq!(number(&mut raw, "SELECT COUNT(*) FROM guess_log").await, 1);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_url_is_enough_to_begin_with() {
    let place = Place::new().await;
    let store = PostgresStore::connect(&place.url()).await.unwrap();
    let challenge = issued(&store, "ann").await;
    attempt(&store, challenge.id, None).await.unwrap();
    let kept = "SELECT attempts FROM auth_challenges";
    assert_eq!(number(&mut place.raw().await, kept).await, 1);
    assert_eq!(store.status().await[0].engine, "postgres");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_outage_and_what_is_no_url_is_said_to_be_none() {
    let gone = PostgresStore::connect("postgres://nobody@127.0.0.1:1/nothing").await;
    let gone = gone.unwrap_err();
    assert_eq!(gone.kind(), StoreErrorKind::Unavailable);
    // By whose patience ended first, the pool's or the store's own.
    let told = [
        "no connection in time: the pool is used up, or the server takes none",
        "the server did not answer in time",
    ];
    assert!(told.contains(&cause(&gone).as_str()), "{}", cause(&gone));
    let options = PostgresOptions::new("mysql:what").deadline(Duration::from_secs(1));
    let refused = PostgresStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_wait_for_ever_is_a_long_wait_and_no_panic() {
    let place = Place::migrated().await;
    let options = place.options().deadline(Duration::MAX);
    let store = PostgresStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    assert!(store.find(&challenge.id).await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_connection_that_has_lived_its_life_is_closed_when_it_is_given_back() {
    let place = Place::new().await;
    let used = PostgresOptions::new(&place.url()).connections(1);
    let store = PostgresStore::with_options(used.clone()).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.connections().open, 1);
    let short = used.connection_life(Duration::ZERO);
    let store = PostgresStore::with_options(short).await.unwrap();
    store.ping().await.unwrap();
    let closed = async {
        while store.connections().open > 0 {
            tokio::task::yield_now().await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(60), closed).await;
    closed.expect("it is not kept");
    store.ping().await.unwrap();
}
