use std::error::Error as _;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::store::{
    ChallengeStore as _, Granted, PolicyStore as _, Seen, SeenStore as _, StoreErrorKind, Target,
};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;
use otp_store::mysql::{MysqlOptions, Tables};

use crate::fixture::{DEADLOCKS, MINUTE, Place, attempt, issued, number, outcome, say};

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn the_host_may_run_the_migrations_as_often_as_it_likes() {
    let place = Place::new().await;
    let pool = place.pool("DO 0").await;
    MysqlStore::migrate(&pool).await.unwrap();
    let options = MysqlOptions::pool(pool.clone()).tables(Tables::Expect);
    let store = MysqlStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    MysqlStore::migrate(&pool).await.unwrap();
    assert!(store.find(&challenge.id).await.unwrap().is_some());
    let mut raw = place.raw().await;
    let entered = "SELECT COUNT(*) FROM _otp_kit_migrations";
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/mysql");
    let migrations = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(
        number(&mut raw, entered).await,
        i64::try_from(migrations).unwrap()
    );
    assert_eq!(
        number(&mut raw, "SELECT COUNT(*) FROM otp_locks").await,
        1_025
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn opening_one_fresh_database_from_many_places_at_once_works() {
    let place = Place::new().await;
    let opened: Vec<_> = (0..6)
        .map(|_| tokio::spawn(MysqlStore::with_options(place.options().connections(1))))
        .collect();
    for store in opened {
        let store = store.await.unwrap().expect("every one opens");
        assert!(store.ping().await.is_ok());
    }
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn tables_of_an_earlier_version_are_brought_up_to_date_with_what_is_in_them() {
    let place = Place::new().await;
    let challenge = issued(&place.open().await, "ann").await;
    let mut raw = place.raw().await;
    say(
        &mut raw,
        "DROP TABLE otp_stats, otp_policies, otp_sessions, otp_states, otp_devices, otp_boards",
    )
    .await;
    say(
        &mut raw,
        "DELETE FROM _otp_kit_migrations WHERE version > 1",
    )
    .await;
    let expecting = place.options().tables(Tables::Expect);
    let refused = MysqlStore::with_options(expecting).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    let store = place.open().await;
    assert_eq!(store.version().await.unwrap(), 0);
    assert!(store.find(&challenge.id).await.unwrap().is_some());
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_migration_that_was_interrupted_is_finished_by_the_next() {
    let place = Place::new().await;
    drop(place.open().await);
    let mut raw = place.raw().await;
    say(
        &mut raw,
        "DROP TABLE audit_logs, audit_outbox, _otp_kit_migrations;
         DELETE FROM otp_locks WHERE id > 500",
    )
    .await;
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    assert_eq!(
        number(&mut raw, "SELECT COUNT(*) FROM otp_locks").await,
        1_025
    );
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn tables_that_are_not_there_are_named_as_the_reason() {
    let place = Place::new().await;
    let options = place.options().tables(Tables::Expect);
    let refused = MysqlStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        refused.source().unwrap().to_string(),
        "the tables are not there or not up to date: the migrations must be run first"
    );
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn tables_that_a_newer_version_added_to_serve_and_those_that_it_changed_are_refused() {
    let place = Place::new().await;
    drop(place.open().await);
    let mut raw = place.raw().await;
    for sql in [
        "INSERT INTO _otp_kit_migrations (version, description, success, checksum, execution_time)
         VALUES (999, 'from the future', 1, x'00', 0)",
        "ALTER TABLE auth_challenges ADD COLUMN novelty VARCHAR(8) NOT NULL DEFAULT 'none'",
    ] {
        say(&mut raw, sql).await;
    }
    let older = place.open().await;
    let challenge = issued(&older, "ann").await;
    assert!(older.find(&challenge.id).await.unwrap().is_some());
    say(
        &mut raw,
        "INSERT INTO _otp_kit_migrations (version, description, success, checksum, execution_time)
         VALUES (1000, 'from the far future', 1, x'00', 0)",
    )
    .await;
    let refused = MysqlStore::with_options(place.options()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        refused.source().unwrap().to_string(),
        "the tables are of a newer version of this library"
    );
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_hosts_sessions_are_left_as_they_were() {
    let place = Place::new().await;
    let habit = "SET SESSION innodb_lock_wait_timeout = 7, SESSION wait_timeout = 777";
    let pool = place.pool(habit).await;
    let store = MysqlStore::with_options(MysqlOptions::pool(pool.clone()).tables(Tables::Migrate))
        .await
        .unwrap();
    let challenge = issued(&store, "ann").await;
    let refused = store.insert(otp_core::store::Insert {
        challenge: challenge.clone(),
        delivery: None,
        event: kit::event(otp_core::event::EventKind::ChallengeIssued),
    });
    assert_eq!(refused.await.unwrap_err().kind(), StoreErrorKind::Invalid);
    for _ in 0..2 {
        let mut conn = pool.acquire().await.unwrap();
        let wait = "SELECT CAST(@@SESSION.innodb_lock_wait_timeout AS SIGNED)";
        let idle = "SELECT CAST(@@SESSION.wait_timeout AS SIGNED)";
        assert_eq!(number(&mut conn, wait).await, 7);
        assert_eq!(number(&mut conn, idle).await, 777);
        let open = "SELECT COUNT(*) FROM information_schema.innodb_trx
            WHERE trx_mysql_thread_id = CONNECTION_ID()";
        assert_eq!(number(&mut conn, open).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_hosts_isolation_level_changes_no_decision_and_makes_no_deadlock() {
    let place = Place::new().await;
    let pool = place
        .pool("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        .await;
    let options = MysqlOptions::pool(pool)
        .tables(Tables::Migrate)
        .deadline(MINUTE);
    let store = MysqlStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    let mut race = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (store, consume) = (store.clone(), kit::consume(&challenge, None));
        race.spawn(async move { store.consume(consume).await.expect("an answer") });
    }
    let outcomes = race.join_all().await;
    let wins = outcomes
        .iter()
        .filter(|outcome| **outcome == ConsumeOutcome::Won);
    assert_eq!(wins.count(), 1);
    let mut raw = place.raw().await;
    let before = number(&mut raw, DEADLOCKS).await;
    let mut others = tokio::task::JoinSet::new();
    for index in 0..60 {
        let store = store.clone();
        others.spawn(async move {
            let challenge = issued(&store, &format!("user-{index}")).await;
            let tried = attempt(&store, &challenge, Some("t1")).await;
            outcome(&tried.expect("an answer"))
        });
    }
    let reserved = others.join_all().await;
    let wanted = vec![Some(AttemptOutcome::Reserved); 60];
    assert_eq!(reserved, wanted);
    assert_eq!(number(&mut raw, DEADLOCKS).await, before);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn keys_that_differ_in_a_space_at_the_end_or_in_case_are_apart() {
    let place = Place::new().await;
    let store = place.open().await;
    for key in ["link", "link ", "LINK", "lînk", " link"] {
        assert_eq!(store.first_seen(key, MINUTE).await.unwrap(), Seen::First);
    }
    let longest = "é".repeat(512);
    let forever = Duration::MAX;
    assert_eq!(
        store.first_seen(&longest, forever).await.unwrap(),
        Seen::First
    );
    place.clock.advance(1_000_000 * MINUTE);
    assert_eq!(
        store.first_seen(&longest, MINUTE).await.unwrap(),
        Seen::Again
    );
    let (one, two) = (issued(&store, "ann").await, issued(&store, "ann ").await);
    let three = issued(&store, "ANN").await;
    for challenge in [&one, &two, &three] {
        let won = store.consume(kit::consume(challenge, None)).await.unwrap();
        assert_eq!(won, ConsumeOutcome::Won, "nobody's was superseded");
    }
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_challenge_that_took_anothers_place_in_the_same_moment_is_the_later_one() {
    let place = Place::new().await;
    let store = place.open().await;
    let first = issued(&store, "ann").await;
    let second = issued(&store, "ann").await;
    assert_eq!(first.created_at, second.created_at);
    store.consume(kit::consume(&second, None)).await.unwrap();
    for state in ["consumed", "exhausted", "revoked"] {
        let end =
            format!("UPDATE auth_challenges SET state = '{state}' WHERE state <> 'superseded'");
        say(&mut place.raw().await, &end).await;
        let target = Target::Latest {
            tenant: second.tenant.clone(),
            subject: second.subject.clone(),
            purpose: second.purpose.clone(),
            lanes: vec![second.lane],
        };
        let plan = kit::attempt_plan(target, kit::attempt_claim());
        match store.admit(&plan).await.unwrap().granted {
            Some(Granted::Attempt(_, found)) => assert_eq!(found.id, second.id, "{state}"),
            other => unreachable!("not a try: {other:?}"),
        }
    }
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_connection_that_has_lived_its_life_is_closed_when_it_is_given_back() {
    let place = Place::new().await;
    let used = place.options().connections(1);
    let store = MysqlStore::with_options(used.clone()).await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.connections().open, 1);
    let short = used.connection_life(Duration::ZERO);
    let store = MysqlStore::with_options(short).await.unwrap();
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
