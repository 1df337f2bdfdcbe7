use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use otp_core::event::{Event, EventId, EventKind, Outcome};
use otp_core::store::{AuditStore as _, ChallengeQuery, ChallengeStore as _, Revocation};
use otp_core::testing::store::kit;
use otp_store::PostgresStore;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use tokio::task::JoinSet;

use crate::fixture::{Place, number, rows, run};

fn ids(entries: &[otp_core::store::OutboxEntry]) -> Vec<EventId> {
    entries.iter().map(|entry| entry.event.id).collect()
}

async fn appended(store: &PostgresStore) -> EventId {
    let event = kit::event(EventKind::CodeSent);
    let id = event.id;
    store.append(event).await.expect("room");
    id
}

/// Adds a record in a transaction that stays open.
async fn held(raw: &mut PgConnection) -> EventId {
    let id = EventId::next();
    let event = format!(
        r#"{{"id": "{id}", "kind": "identity.delivery.sent", "action": "MFA_CODE_SENT",
            "outcome": "success", "tenant": "default"}}"#
    );
    let sql = format!(r#"BEGIN; SELECT otp_desk_1('{{"step": "append", "event": {event}}}')"#);
    run(raw, &sql).await;
    id
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_record_that_is_committed_late_is_never_skipped() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let first = appended(&store).await;
    let mut raw = place.raw().await;
    let late = held(&mut raw).await;
    let (third, fourth) = (appended(&store).await, appended(&store).await);

    let page = store.outbox(None, 10).await.unwrap();
    assert_eq!(ids(&page), [first], "what comes later waits");
    store.acknowledge(u64::MAX).await.unwrap();
    assert!(store.outbox(None, 10).await.unwrap().is_empty());

    run(&mut raw, "COMMIT").await;
    let rest = store.outbox(None, 10).await.unwrap();
    assert_eq!(
        ids(&rest),
        [late, third, fourth],
        "nothing was acknowledged unseen"
    );
    let again = store.outbox(Some(page[0].sequence), 10).await.unwrap();
    assert_eq!(again, rest);
    assert!(rest.windows(2).all(|two| two[0].sequence < two[1].sequence));
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_record_that_is_taken_back_holds_nobody_back() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let mut raw = place.raw().await;
    held(&mut raw).await;
    let kept = appended(&store).await;
    assert!(store.outbox(None, 10).await.unwrap().is_empty());
    run(&mut raw, "ROLLBACK").await;
    assert_eq!(ids(&store.outbox(None, 10).await.unwrap()), [kept]);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_long_transaction_of_the_hosts_does_not_hold_the_outbox_back() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let mut raw = place.raw().await;
    run(&mut raw, "BEGIN; CREATE TABLE hosts_own (id bigint)").await;
    let kept = appended(&store).await;
    assert_eq!(ids(&store.outbox(None, 10).await.unwrap()), [kept]);
    run(&mut raw, "COMMIT").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_reader_beside_many_writers_hears_of_every_record_once_and_in_order() {
    for level in ["read committed", "repeatable read"] {
        read_beside_writers(level).await;
    }
}

async fn read_beside_writers(level: &str) {
    let place = Place::migrated().await;
    let settings = [("default_transaction_isolation", level)];
    let store = place.open_with(1, &settings).await;
    let writers = place.open_with(8, &[]).await;
    let over = Arc::new(AtomicBool::new(false));
    let reading = {
        let (store, over) = (store.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let (mut read, mut after) = (Vec::new(), None);
            loop {
                let last = over.load(Ordering::Acquire);
                let page = store.outbox(after, 7).await.expect("a page");
                if page.is_empty() && last {
                    return read;
                }
                after = page.last().map(|entry| entry.sequence).or(after);
                read.extend(page);
            }
        })
    };
    let mut race = JoinSet::new();
    for _ in 0..1_000 {
        let store = writers.clone();
        race.spawn(async move { appended(&store).await });
    }
    let written: HashSet<EventId> = race.join_all().await.into_iter().collect();
    over.store(true, Ordering::Release);
    let read = reading.await.expect("it ends");
    assert!(read.is_sorted_by(|one, two| one.sequence < two.sequence));
    assert_eq!(read.len(), written.len());
    assert_eq!(ids(&read).into_iter().collect::<HashSet<_>>(), written);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn numbers_that_outgrow_the_lock_go_on_in_order() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    let mut raw = place.raw().await;
    for edge in [i64::from(i32::MAX), i64::from(u32::MAX)] {
        run(
            &mut raw,
            &format!("SELECT setval('audit_logs_places', {})", edge - 2),
        )
        .await;
        let early = appended(&store).await;
        let late = held(&mut raw).await;
        let after = [appended(&store).await, appended(&store).await];
        assert_eq!(
            ids(&store.outbox(None, 10).await.unwrap()),
            [early],
            "{edge}"
        );
        run(&mut raw, "COMMIT").await;
        let all = store.outbox(None, 10).await.unwrap();
        assert_eq!(ids(&all), [early, late, after[0], after[1]], "{edge}");
        store.acknowledge(u64::MAX).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn what_was_acknowledged_stays_in_the_log_and_leaves_the_outbox() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    for _ in 0..3 {
        appended(&store).await;
    }
    let all = store.outbox(None, 10).await.unwrap();
    store.acknowledge(all[1].sequence).await.unwrap();
    assert_eq!(store.outbox(None, 10).await.unwrap(), all[2..]);
    assert_eq!(store.outbox(Some(0), 10).await.unwrap(), all);
    let kept = "SELECT COUNT(*) FROM audit_logs";
    assert_eq!(number(&mut place.raw().await, kept).await, 3);
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn every_kind_of_record_has_its_action_and_comes_back_as_it_was() {
    let place = Place::migrated().await;
    let store = place.open_with(1, &[]).await;
    let mut put = Vec::new();
    for kind in EventKind::ALL {
        for outcome in [Outcome::Success, Outcome::Refused, Outcome::Failed] {
            for purpose in [
                None,
                Some(kit::purpose("login")),
                Some(kit::purpose("transfer")),
            ] {
                put.push(Event {
                    outcome,
                    purpose,
                    ..kit::event(kind)
                });
            }
        }
    }
    for event in &put {
        store.append(event.clone()).await.expect("room");
    }
    let kept = store.outbox(None, 1_000).await.unwrap();
    let mut raw = place.raw().await;
    let actions = rows(&mut raw, "SELECT action FROM audit_logs ORDER BY sequence").await;
    assert_eq!((kept.len(), actions.len()), (put.len(), put.len()));
    for ((event, entry), row) in put.iter().zip(kept).zip(actions) {
        let at = entry.event.at;
        assert_eq!(
            entry.event,
            Event {
                at,
                ..event.clone()
            }
        );
        assert_eq!(row.get::<&str, _>(0), event.action());
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_text_that_is_too_long_stops_neither_its_decision_nor_the_outbox() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
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
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn a_record_of_a_kind_that_only_a_later_version_knows_is_passed_over() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    for _ in 0..5 {
        store.append(kit::event(EventKind::CodeSent)).await.unwrap();
    }
    let all = store.outbox(None, 10).await.unwrap();
    run(
        &mut place.raw().await,
        "UPDATE audit_logs SET event_type = 'identity.auth.foretold' WHERE sequence IN (2, 3, 4)",
    )
    .await;
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

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn the_first_record_of_all_is_not_acknowledged_before_it_is_there() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    store.acknowledge(u64::MAX).await.unwrap();
    let first = appended(&store).await;
    assert_eq!(ids(&store.outbox(None, 10).await.unwrap()), [first]);
}
