use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_core::event::EventKind;
use otp_core::quota::QuotaClaim;
use otp_core::store::{
    AuditStore as _, ChallengeQuery, ChallengeStore as _, QuotaStore as _, Revocation, Seen,
    SeenStore as _,
};
use otp_core::testing::store::kit;
use otp_store::MysqlStore;

use crate::fixture::{DEADLOCKS, MINUTE, Place, attempt, issued, number, say};

/// Copies the one challenge of a database a number of times, each a millisecond older.
async fn many(place: &Place, copies: u32) {
    let mut raw = place.raw().await;
    say(
        &mut raw,
        &format!(
            "CREATE TEMPORARY TABLE copied AS SELECT * FROM auth_challenges;
             INSERT INTO auth_challenges SELECT
                CONCAT(SUBSTR(id, 1, 26), LPAD(HEX(seq), 8, '0'), SUBSTR(id, 35)),
                tenant, user_id, subject_key, purpose, channel, lane, factor_class, code_alphabet,
                code_length, code_separators, destination, destination_key, destination_masked,
                digest, key_id, sealed_code, binding, ip_address, created_at, expires_at, attempts,
                wrong, attempt_limit, sends, next_send_at, state, consumed_at, consumed_by, ended_at
             FROM copied JOIN seq_1_to_{copies}"
        ),
    )
    .await;
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn purge_works_in_batches_and_leaves_what_is_live() {
    let place = Place::new().await;
    let store = place.open().await;
    for index in 0..1_100_u32 {
        let life = if index < 1_050 { MINUTE } else { 600 * MINUTE };
        let key = format!("key-{index}");
        assert_eq!(store.first_seen(&key, life).await.unwrap(), Seen::First);
    }
    let challenge = issued(&store, "ann").await;
    attempt(&store, &challenge, Some("t1")).await.unwrap();
    place.clock.advance(2 * MINUTE);
    assert_eq!(store.purge(3).await.unwrap(), 3);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 1_047);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 0);
    assert!(store.find(&challenge.id).await.unwrap().is_some());
    place
        .clock
        .advance(Duration::from_secs(86_400) + 5 * MINUTE);
    assert_eq!(store.purge(usize::MAX).await.unwrap(), 51);
    assert!(store.find(&challenge.id).await.unwrap().is_none());
    let left = "SELECT (SELECT COUNT(*) FROM challenge_attempt_log)
        + (SELECT COUNT(*) FROM challenge_validation_attempts)";
    assert_eq!(number(&mut place.raw().await, left).await, 0);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn deleting_a_users_rows_by_hand_clears_that_users_limits_only() {
    let place = Place::new().await;
    let store = place.open().await;
    let plan = |who: &str| {
        let mut plan = kit::quota_plan(vec![
            kit::window(who, 1, 60 * MINUTE),
            kit::rate(who, 9, MINUTE),
        ]);
        plan.event.subject = Some(kit::subject(who));
        plan
    };
    for who in ["user1", "user2"] {
        assert!(store.admit(&plan(who)).await.unwrap().granted.is_some());
        assert!(store.admit(&plan(who)).await.unwrap().granted.is_none());
    }
    let sql = "DELETE FROM rate_limit_attempts WHERE user_id IN ('user1', 'user3')";
    assert_eq!(say(&mut place.raw().await, sql).await, 1);
    assert!(store.admit(&plan("user1")).await.unwrap().granted.is_some());
    assert!(store.admit(&plan("user2")).await.unwrap().granted.is_none());
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn what_a_hand_has_left_behind_is_purged_and_old_records_go_when_they_were_taken() {
    let place = Place::new().await;
    let options = place.options().keep_audit(60 * MINUTE);
    let store = MysqlStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "user1").await;
    attempt(&store, &challenge, Some("t1")).await.unwrap();
    let sql = "DELETE FROM auth_challenges WHERE user_id IN ('user1', 'user2')";
    assert_eq!(say(&mut place.raw().await, sql).await, 1);
    place.clock.advance(2_880 * MINUTE);
    store.purge(100).await.unwrap();
    let mut raw = place.raw().await;
    let left = "SELECT (SELECT COUNT(*) FROM challenge_attempt_log)
        + (SELECT COUNT(*) FROM challenge_validation_attempts)";
    assert_eq!(number(&mut raw, left).await, 0);
    let records = "SELECT COUNT(*) FROM audit_logs";
    assert_eq!(number(&mut raw, records).await, 1, "nobody has taken it");
    store.acknowledge(u64::MAX).await.unwrap();
    assert_eq!(store.purge(100).await.unwrap(), 1);
    assert_eq!(number(&mut raw, records).await, 0);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_purge_leaves_no_hole_in_the_log() {
    let place = Place::new().await;
    let options = place.options().keep_audit(60 * MINUTE);
    let store = MysqlStore::with_options(options).await.unwrap();
    for _ in 0..4 {
        store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    }
    // A record is written when its code was compared, and dated by when it came in.
    let mut raw = place.raw().await;
    let younger = "UPDATE audit_logs SET created_at = created_at + INTERVAL 2 HOUR
        WHERE MOD(sequence, 2) = 0";
    assert_eq!(say(&mut raw, younger).await, 2);
    store.acknowledge(u64::MAX).await.unwrap();
    place.clock.advance(90 * MINUTE);
    assert_eq!(store.purge(100).await.unwrap(), 1);
    let kept = "SELECT COUNT(*) FROM audit_logs";
    assert_eq!(number(&mut raw, kept).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn purge_and_a_wide_revocation_under_load_neither_stop_it_nor_deadlock_with_it() {
    let mut deadlocks = Vec::new();
    while !deadlocks.contains(&0) {
        assert!(deadlocks.len() < 5, "{deadlocks:?}");
        deadlocks.push(deadlocks_under_load().await);
    }
}

/// Plays the load, and says how many deadlocks the server has met meanwhile: other tests' are among
/// them, so one quiet time in five is what tells.
async fn deadlocks_under_load() -> i64 {
    let place = Place::new().await;
    let store = MysqlStore::with_options(place.options().connections(8))
        .await
        .expect("a store");
    issued(&store, "ann").await;
    many(&place, 1_700).await;
    let before = number(&mut place.raw().await, DEADLOCKS).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..6)
        .map(|index| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let claims: Vec<QuotaClaim> = (0..4)
                    .map(|key| kit::rate(&format!("key-{key}"), 10_000, Duration::from_secs(1)))
                    .collect();
                let who = format!("user-{index}");
                let mut rounds = 0_u32;
                while !stop.load(Ordering::Relaxed) {
                    store.check_all(&claims).await.expect("a charge");
                    store
                        .first_seen("the same", Duration::from_millis(1))
                        .await
                        .expect("an answer");
                    let challenge = issued(&store, &who).await;
                    let consume = kit::consume(&challenge, None);
                    store.consume(consume).await.expect("an answer");
                    rounds += 1;
                }
                rounds
            })
        })
        .collect();
    for _ in 0..20 {
        place.clock.advance(Duration::from_millis(50));
        store.purge(1_000).await.expect("a purge");
    }
    let revocation = Revocation {
        query: ChallengeQuery::default(),
        event: kit::event(EventKind::OperatorAction),
    };
    let revoked = store.revoke(revocation).await.expect("a revocation");
    assert!((1_701..1_800).contains(&revoked), "{revoked}");
    stop.store(true, Ordering::Relaxed);
    let mut rounds = 0;
    for task in load {
        rounds += task.await.expect("nobody was refused");
    }
    assert!(rounds > 0);
    let mut raw = place.raw().await;
    let deadlocks = number(&mut raw, DEADLOCKS).await - before;
    let live = "SELECT COUNT(*) FROM auth_challenges WHERE state = 'live' AND user_id = 'ann'";
    assert_eq!(number(&mut raw, live).await, 0);
    let recorded = "SELECT CAST(SUM(SUBSTRING_INDEX(reason, ':', -1)) AS SIGNED) FROM audit_logs
        WHERE reason LIKE 'revoked:%'";
    assert_eq!(u64::try_from(number(&mut raw, recorded).await), Ok(revoked));
    deadlocks
}
