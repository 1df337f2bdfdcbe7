use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use otp_core::event::{EventKind, Outcome};
use otp_core::store::{
    AuditStore as _, BlocklistStore as _, ChallengeQuery, ChallengeStore as _, Revocation,
    StoreErrorKind,
};
use otp_core::testing::store::kit;
use tokio::task::JoinSet;

use crate::fixture::{Place, number, say};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_reader_who_goes_on_while_many_write_misses_no_record() {
    const WRITERS: usize = 6;
    const EACH: usize = 120;
    let place = Place::new().await;
    let writer = place.patient().await;
    let mut writing = JoinSet::new();
    for index in 0..WRITERS {
        let store = writer.clone();
        writing.spawn(async move {
            let block = otp_core::store::Block::new(
                otp_core::store::BlockKind::Device,
                &format!("device-{index}"),
            )
            .expect("a block");
            let mut written = Vec::new();
            for _ in 0..EACH {
                let event = kit::event(EventKind::OperatorAction);
                written.push(event.id);
                store
                    .block(&block, "", "", None, event)
                    .await
                    .expect("an answer");
            }
            written
        });
    }
    let over = Arc::new(AtomicBool::new(false));
    let reader = place.patient().await;
    let ended = Arc::clone(&over);
    let reading = tokio::spawn(async move {
        let mut seen = Vec::new();
        loop {
            let last_round = ended.load(Ordering::Acquire);
            let page = reader.outbox(None, 50).await.expect("a page");
            if let Some(last) = page.last() {
                reader.acknowledge(last.sequence).await.expect("an answer");
            } else if last_round {
                return seen;
            }
            seen.extend(page.into_iter().map(|entry| entry.event.id));
        }
    });
    let written: BTreeSet<_> = writing.join_all().await.into_iter().flatten().collect();
    over.store(true, Ordering::Release);
    let seen = reading.await.unwrap();
    assert_eq!(seen.len(), WRITERS * EACH, "each of them once");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_record_that_is_not_committed_yet_holds_the_horizon_back() {
    let place = Place::new().await;
    let store = place.patient().await;
    store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    // Another instance, between its record and its commit.
    let mut slow = place.raw().await;
    say(
        &mut slow,
        "BEGIN; SELECT id FROM otp_locks WHERE id = 1024 LOCK IN SHARE MODE;
         INSERT INTO audit_logs (event_id, event_type, action, outcome, tenant, created_at)
         SELECT 'ffffffffffffffffffffffffffffffff', event_type, action, outcome, tenant, created_at
         FROM audit_logs",
    )
    .await;
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.outbox(None, 10).await }
    });
    let mut watcher = place.raw().await;
    // Not `innodb_lock_waits`: it is a cached picture that constant reading keeps from ageing.
    let waits = "SELECT COUNT(*) FROM information_schema.processlist
        WHERE db = DATABASE() AND id <> CONNECTION_ID() AND info LIKE '%otp_locks%FOR UPDATE%'";
    while number(&mut watcher, waits).await == 0 {
        assert!(!reading.is_finished(), "it did not wait for the record");
    }
    say(&mut slow, "COMMIT").await;
    let page = reading.await.unwrap().unwrap();
    let places: Vec<u64> = page.iter().map(|entry| entry.sequence).collect();
    assert_eq!(page.len(), 2, "{places:?}");
    assert!(places.is_sorted(), "{places:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_writer_that_hangs_is_an_outage_of_the_reader_and_of_nobody_else() {
    let place = Place::new().await;
    let store = place.patient().await;
    let mut slow = place.raw().await;
    say(
        &mut slow,
        "BEGIN; SELECT id FROM otp_locks WHERE id = 1024 LOCK IN SHARE MODE",
    )
    .await;
    let event = || kit::event(EventKind::CodeSent);
    let (refused, added) = tokio::join!(store.outbox(None, 10), store.append(event()));
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Unavailable);
    added.unwrap();
    store.append(event()).await.unwrap();
    say(&mut slow, "ROLLBACK").await;
    assert_eq!(store.outbox(None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn what_was_acknowledged_stays_in_the_log_and_leaves_the_outbox() {
    let place = Place::new().await;
    let store = place.open().await;
    for _ in 0..3 {
        let event = kit::event(EventKind::CodeSent);
        store.append(event.clone()).await.unwrap();
        store.append(event).await.unwrap();
    }
    let all = store.outbox(None, 10).await.unwrap();
    assert_eq!(all.len(), 3, "a record is added once");
    store.acknowledge(all[1].sequence).await.unwrap();
    assert_eq!(store.outbox(None, 10).await.unwrap(), all[2..]);
    assert_eq!(store.outbox(Some(0), 10).await.unwrap(), all);
    store.acknowledge(u64::MAX).await.unwrap();
    store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    assert_eq!(
        store.outbox(None, 10).await.unwrap().len(),
        1,
        "what came later is not swallowed"
    );
    let sql = "SELECT COUNT(*) FROM audit_logs WHERE action = 'MFA_CODE_SENT'";
    assert_eq!(number(&mut place.raw().await, sql).await, 4);
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_text_that_is_too_long_stops_neither_its_decision_nor_the_outbox() {
    let place = Place::new().await;
    let store = place.open().await;
    let mut long = kit::event(EventKind::CodeSent);
    long = long.with_outcome(Outcome::Refused, "ж".repeat(5_000));
    long.destination = Some("é".repeat(5_000));
    long.provider = Some("p".repeat(5_000));
    long.challenge = Some("c".repeat(5_000));
    store.append(long).await.unwrap();
    store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    let query = ChallengeQuery::default();
    let event =
        kit::event(EventKind::OperatorAction).with_outcome(Outcome::Success, "€".repeat(5_000));
    store.revoke(Revocation { query, event }).await.unwrap();
    let read = store.outbox(None, 10).await.unwrap();
    assert_eq!(read.len(), 3);
    let kept = &read[0].event;
    assert_eq!(kept.reason.as_deref(), Some("ж".repeat(1_024).as_str()));
    assert_eq!(kept.destination.as_deref(), Some("é".repeat(512).as_str()));
    assert_eq!(kept.provider.as_deref(), Some("p".repeat(255).as_str()));
    assert_eq!(kept.challenge.as_deref(), Some("c".repeat(64).as_str()));
    let counted = read[2].event.reason.as_deref().unwrap();
    assert_eq!(counted, format!("{}:0", "€".repeat(1_000)));
}

#[tokio::test]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn a_record_of_a_kind_that_only_a_later_version_knows_is_passed_over() {
    let place = Place::new().await;
    let store = place.open().await;
    for _ in 0..5 {
        store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    }
    let all = store.outbox(None, 10).await.unwrap();
    let later = "UPDATE audit_logs SET event_type = 'identity.auth.foretold'
        WHERE sequence NOT IN ({}, {})";
    let later = later.replacen("{}", &all[0].sequence.to_string(), 1);
    let later = later.replacen("{}", &all[4].sequence.to_string(), 1);
    say(&mut place.raw().await, &later).await;
    assert_eq!(
        store.outbox(None, 10).await.unwrap(),
        [all[0].clone(), all[4].clone()]
    );
    let after = Some(all[0].sequence);
    assert_eq!(store.outbox(after, 1).await.unwrap(), all[4..]);
    assert!(
        store
            .outbox(Some(all[4].sequence), 1)
            .await
            .unwrap()
            .is_empty()
    );
}
