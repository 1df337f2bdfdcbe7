use std::task::Poll;
use std::time::Duration;

use otp_core::challenge::{
    AttemptOutcome, ChallengeState, ConsumeOutcome, RecordedAnswer, Refusal,
};
use otp_core::event::{EventKind, Outcome};
use otp_core::quota::BudgetRules;
use otp_core::request::{FactorClass, Tenant};
use otp_core::store::{
    AuditStore as _, BudgetKey, BudgetStore as _, ChallengeStore as _, Granted, Seen,
    SeenStore as _, StoreErrorKind, Target,
};
use otp_core::testing::store::kit;
use otp_store::sqlite::SqliteOptions;
use otp_store::{SqliteStore, Tables};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::task::JoinSet;

use crate::fixture::{
    MINUTE, Place, attempt, consume, event, issued, number, outcome, reject, run, subject,
};

#[tokio::test]
async fn a_challenge_comes_back_from_the_file_as_it_was_put() {
    let place = Place::new();
    let put = issued(&place.open().await, "ann").await;
    let got = place.open().await.find(&put.id).await.unwrap().unwrap();
    assert_eq!(got.id, put.id);
    assert_eq!(got.destination, put.destination);
    assert_eq!(got.digest, put.digest);
    assert_eq!(got.format, put.format);
    assert_eq!(
        (got.created_at, got.expires_at),
        (put.created_at, put.expires_at)
    );
    assert_eq!(got.address, put.address);
    assert_eq!(got.state, ChallengeState::Live);
    assert_eq!(format!("{got:?}"), format!("{put:?}"));
}

#[tokio::test]
async fn what_was_won_stays_won_after_the_store_is_opened_again() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let admitted = attempt(&store, &challenge, Some("t1")).await.unwrap();
    assert_eq!(outcome(&admitted), AttemptOutcome::Reserved);
    assert_eq!(
        store
            .consume(consume(&challenge, Some("t1")))
            .await
            .unwrap(),
        ConsumeOutcome::Won
    );
    drop(store);

    let store = place.open().await;
    let again = store
        .consume(consume(&challenge, Some("t1")))
        .await
        .unwrap();
    assert_eq!(again, ConsumeOutcome::WonBefore);
    let other = store
        .consume(consume(&challenge, Some("t2")))
        .await
        .unwrap();
    assert_eq!(other, ConsumeOutcome::Lost(Refusal::Consumed));
    let repeated = attempt(&store, &challenge, Some("t1")).await.unwrap();
    assert_eq!(
        outcome(&repeated),
        AttemptOutcome::Replayed(RecordedAnswer::Right)
    );
}

#[tokio::test]
async fn wrong_guesses_and_their_pause_survive_a_restart() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    for _ in 0..5 {
        assert_eq!(
            outcome(&attempt(&store, &challenge, None).await.unwrap()),
            AttemptOutcome::Reserved
        );
        store.reject(reject(&challenge, None)).await.unwrap();
    }
    drop(store);

    let store = place.open().await;
    let found = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!((found.attempts, found.wrong), (5, 5));
    assert_eq!(found.state, ChallengeState::Exhausted);
    let fresh = issued(&store, "ann").await;
    let refused = attempt(&store, &fresh, None).await.unwrap();
    assert_eq!(refused.findings.objection(), Some("locked"));
    assert!(refused.granted.is_none());
    let key = BudgetKey {
        tenant: Tenant::default(),
        subject: subject("ann"),
        class: FactorClass::OutOfBand,
    };
    let reading = store
        .budget(&key, &BudgetRules::out_of_band())
        .await
        .unwrap();
    assert_eq!(reading.budget.guesses.len(), 5);
    assert_eq!(
        (reading.budget.consecutive, reading.budget.strikes),
        (5, [1, 0])
    );
}

#[tokio::test]
async fn a_try_that_is_refused_for_a_lock_changes_nothing_but_the_audit_log() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let key = BudgetKey {
        tenant: Tenant::default(),
        subject: subject("ann"),
        class: FactorClass::OutOfBand,
    };
    let event = event(EventKind::OperatorAction, "ann");
    store.disable(&key, event).await.unwrap();
    let refused = attempt(&store, &challenge, Some("t1")).await.unwrap();
    assert_eq!(refused.findings.objection(), Some("disabled"));
    let found = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!((found.attempts, found.attempt_log.len()), (0, 0));
    let entries = store.outbox(None, 10).await.unwrap();
    let last = &entries.last().unwrap().event;
    assert_eq!(last.outcome, Outcome::Refused);
    assert_eq!(last.reason.as_deref(), Some("disabled"));
}

#[tokio::test]
async fn purge_works_in_batches_and_leaves_what_is_live() {
    let place = Place::new();
    let store = place.open().await;
    for index in 0..1_100_u32 {
        let life = if index < 1_050 { MINUTE } else { 600 * MINUTE };
        let key = format!("key-{index}");
        assert_eq!(store.first_seen(&key, life).await.unwrap(), Seen::First);
    }
    let challenge = issued(&store, "ann").await;
    place.clock.advance(2 * MINUTE);
    assert_eq!(store.purge(3).await.unwrap(), 3);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 1_047);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 0);
    assert!(store.find(&challenge.id).await.unwrap().is_some());

    place.clock.advance(Duration::from_secs(86_400));
    assert!(
        store.find(&challenge.id).await.unwrap().is_some(),
        "a day after it ended, not before"
    );
    place.clock.advance(5 * MINUTE);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 51);
    assert!(store.find(&challenge.id).await.unwrap().is_none());
}

#[tokio::test]
async fn tables_that_a_newer_version_added_to_serve_and_those_that_it_changed_are_refused() {
    let place = Place::new();
    drop(place.open().await);
    let mut raw = place.raw().await;
    for sql in [
        "INSERT INTO _otp_kit_migrations (version, description, success, checksum, execution_time)
         VALUES (999, 'from the future', 1, x'00', 0)",
        "ALTER TABLE auth_challenges ADD COLUMN novelty TEXT NOT NULL DEFAULT 'none'",
    ] {
        run(&mut raw, sql).await;
    }
    let older = place.open().await;
    let challenge = issued(&older, "ann").await;
    assert!(older.find(&challenge.id).await.unwrap().is_some());
    drop(older);
    run(
        &mut raw,
        "INSERT INTO _otp_kit_migrations (version, description, success, checksum, execution_time)
         VALUES (1000, 'from the far future', 1, x'00', 0)",
    )
    .await;
    let refused = SqliteStore::with_options(place.options())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "the tables are of a newer version of this library");
}

#[tokio::test]
async fn a_host_makes_the_tables_through_its_own_pool_beside_its_own() {
    let place = Place::new();
    let own = SqliteConnectOptions::new()
        .filename(place.path())
        .create_if_missing(true);
    let pool = SqlitePoolOptions::new().connect_with(own).await.unwrap();
    let raw = sqlx::raw_sql("CREATE TABLE users (sub TEXT PRIMARY KEY)");
    raw.execute(&pool).await.unwrap();

    // Instances start together.
    let made: JoinSet<_> = (0..8)
        .map(|_| pool.clone())
        .map(|pool| async move { SqliteStore::migrate(&pool).await })
        .collect();
    for made in made.join_all().await {
        made.unwrap();
    }
    let store = SqliteStore::with_options(place.options().tables(Tables::Expect)).await;
    let store = store.expect("the tables are there");
    issued(&store, "ann").await;
    let both = "SELECT count(*) FROM auth_challenges LEFT JOIN users ON users.sub = user_id";
    let seen: i64 = sqlx::query_scalar(both).fetch_one(&pool).await.unwrap();
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn tables_are_made_whole_where_the_caller_who_makes_them_leaves() {
    let place = Place::new();
    let own = SqliteConnectOptions::new()
        .filename(place.path())
        .create_if_missing(true);
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(own).await.unwrap();
    let mut making = Box::pin(SqliteStore::migrate(&pool));
    let begun = std::future::poll_fn(|context| Poll::Ready(making.as_mut().poll(context)));
    assert!(begun.await.is_pending());
    drop(making);
    // The one connection comes back when they are made.
    SqliteStore::migrate(&pool).await.unwrap();
    let store = SqliteStore::with_options(place.options().tables(Tables::Expect)).await;
    assert!(store.is_ok());
}

#[tokio::test]
async fn tables_that_are_expected_are_not_made_and_what_is_no_store_stays_as_it_was() {
    let place = Place::new();
    let expecting = || SqliteStore::with_options(place.options().tables(Tables::Expect));
    let refused = expecting().await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(!place.path().exists());

    let mut raw = place.raw().await;
    run(&mut raw, "CREATE TABLE somebody_elses (id INTEGER)").await;
    let before = std::fs::read(place.path()).unwrap();
    let refused = expecting().await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    assert_eq!(std::fs::read(place.path()).unwrap(), before);

    drop(place.open().await);
    assert!(expecting().await.unwrap().ping().await.is_ok());
    run(
        &mut raw,
        "DELETE FROM _otp_kit_migrations WHERE version = 7",
    )
    .await;
    let older = expecting().await.unwrap_err();
    let cause = std::error::Error::source(&older).unwrap().to_string();
    assert!(cause.starts_with("the tables are not there"), "{cause}");
}

#[tokio::test]
async fn the_hosts_own_migrations_in_the_same_file_do_not_collide() {
    let place = Place::new();
    let mut raw = place.raw().await;
    run(&mut raw, "CREATE TABLE _sqlx_migrations (version INTEGER)").await;
    run(&mut raw, "INSERT INTO _sqlx_migrations VALUES (20260101)").await;
    assert!(place.open().await.ping().await.is_ok());
    assert_eq!(
        number(&mut raw, "SELECT COUNT(*) FROM _sqlx_migrations").await,
        1
    );
}

#[tokio::test]
async fn a_store_in_memory_is_nobody_elses() {
    let one = SqliteStore::in_memory().await.unwrap();
    let two = SqliteStore::with_options(SqliteOptions::in_memory())
        .await
        .unwrap();
    let challenge = issued(&one, "ann").await;
    assert!(one.clone().find(&challenge.id).await.unwrap().is_some());
    assert!(two.find(&challenge.id).await.unwrap().is_none());
}

#[tokio::test]
async fn opening_one_fresh_file_from_many_places_at_once_works() {
    let place = Place::new();
    let opened: Vec<_> = (0..8)
        .map(|_| tokio::spawn(SqliteStore::with_options(place.options())))
        .collect();
    for store in opened {
        let store = store.await.unwrap().expect("every one opens");
        assert!(store.ping().await.is_ok());
    }
}

#[tokio::test]
async fn writes_are_synchronous_and_logged_ahead() {
    let place = Place::new();
    let _store = place.open().await;
    let mut raw = place.raw().await;
    let row = sqlx::query("PRAGMA journal_mode")
        .fetch_one(&mut raw)
        .await
        .unwrap();
    let mode: String = sqlx::Row::get(&row, 0);
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_challenge_that_took_anothers_place_in_the_same_moment_is_the_later_one() {
    let place = Place::new();
    let store = place.open().await;
    let first = issued(&store, "ann").await;
    let second = issued(&store, "ann").await;
    assert_eq!(first.created_at, second.created_at);
    // However the rows are found: this index happens to have them in the right order.
    run(&mut place.raw().await, "DROP INDEX auth_challenges_subject").await;
    store.consume(consume(&second, None)).await.unwrap();
    for state in ["consumed", "exhausted", "revoked"] {
        let end = "UPDATE auth_challenges SET state = ? WHERE state <> 'superseded'";
        let mut raw = place.raw().await;
        let ended = sqlx::query(end).bind(state).execute(&mut raw);
        assert_eq!(ended.await.unwrap().rows_affected(), 1);
        let target = Target::Latest {
            tenant: second.tenant.clone(),
            subject: second.subject.clone(),
            purpose: second.purpose.clone(),
            lanes: vec![second.lane],
        };
        let plan = kit::attempt_plan(target, kit::attempt_claim());
        match store.admit(&plan).await.unwrap().granted {
            Some(Granted::Attempt(_, found)) => assert_eq!(found.id, second.id, "{state}"),
            other => panic!("not a try: {other:?}"),
        }
    }
}
