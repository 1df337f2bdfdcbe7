//! How many records each key sealed, from what is entered beside the chain.

use otp_core::event::EventKind;
use otp_core::key::{Key, KeyId, KeyRing};
use otp_core::random::OsRandom;
use otp_core::secret::SecretBytes;
use otp_core::store::{
    AuditStore as _, ChainStore as _, ChallengeStore as _, SealBatch, SealerId, Sealing,
};
use otp_core::store::{StoreError, StoreErrorKind};
use otp_store::SqliteStore;

use crate::fixture::{MINUTE, Place, event, number, run};

fn ring() -> KeyRing {
    KeyRing::new(key("k1"))
}

fn key(name: &str) -> Key {
    let id = KeyId::new(name).expect("a name");
    Key::new(id, &SecretBytes::new((1..=32).collect())).expect("a key")
}

/// Writes records and seals them, so many at once.
async fn sealed(store: &SqliteStore, keys: &KeyRing, count: usize, at_once: usize) {
    let holder = SealerId::generate(&OsRandom).expect("randomness");
    let events = (0..count).map(|_| event(EventKind::CodeSent, "ann"));
    store
        .append_all(events.collect())
        .await
        .expect("it answers");
    loop {
        let records = store.unsealed(at_once).await.expect("it answers");
        if records.is_empty() {
            return;
        }
        let from = store.head().await.expect("it answers");
        let batch = SealBatch::link(&holder, from, records, keys.snapshot());
        assert_eq!(store.seal(batch).await.expect("it answers"), Sealing::Done);
    }
}

async fn counted(store: &SqliteStore) -> Result<Vec<(String, u64)>, StoreError> {
    let uses = store.sealed_by().await?.into_iter();
    let mut uses: Vec<_> = uses.map(|one| (one.key.to_string(), one.count)).collect();
    uses.sort();
    Ok(uses)
}

#[tokio::test]
async fn seals_are_counted_without_a_look_at_the_log() {
    let place = Place::new();
    let store = place.open().await;
    let keys = ring();
    sealed(&store, &keys, 9, 2).await;
    keys.rotate(key("k2")).unwrap();
    sealed(&store, &keys, 4, 3).await;
    let mut raw = place.raw().await;
    assert_eq!(
        number(&mut raw, "SELECT COUNT(*) FROM audit_seals").await,
        2,
        "a row for records in a row"
    );
    let damage = "UPDATE audit_links SET link = 'x' WHERE sequence = 5";
    assert_eq!(run(&mut raw, damage).await, 1);
    let read = store.sealed(None, 100).await.unwrap_err();
    assert_eq!(read.kind(), StoreErrorKind::Corrupt);
    let expected = [("k1".to_owned(), 9), ("k2".to_owned(), 4)];
    assert_eq!(counted(&store).await.unwrap(), expected);
}

#[tokio::test]
async fn what_an_older_version_sealed_is_entered_by_whoever_counts_first() {
    let place = Place::new();
    let store = place.open().await;
    let keys = ring();
    sealed(&store, &keys, 4_100, 5_000).await;
    keys.rotate(key("k2")).unwrap();
    sealed(&store, &keys, 30, 5_000).await;
    let expected = [("k1".to_owned(), 4_100), ("k2".to_owned(), 30)];
    let mut raw = place.raw().await;
    for left_out in [
        "DELETE FROM audit_seals",
        "DELETE FROM audit_seals WHERE key_id = 'k2'",
        "UPDATE audit_seals SET last_place = 100, sequence = 100 WHERE key_id = 'k1'
            AND (SELECT COUNT(*) FROM audit_seals) = 1",
    ] {
        run(&mut raw, left_out).await;
        assert_eq!(counted(&store).await.unwrap(), expected, "{left_out}");
    }
    run(&mut raw, "DELETE FROM audit_seals").await;
    sealed(&store, &keys, 3, 3).await;
    let expected = [("k1".to_owned(), 4_100), ("k2".to_owned(), 33)];
    assert_eq!(counted(&store).await.unwrap(), expected, "and sealed on");
}

#[tokio::test]
async fn seals_of_records_that_were_cleared_away_count_no_more() {
    let place = Place::new();
    let options = place.options().keep_audit(60 * MINUTE);
    let store = SqliteStore::with_options(options).await.unwrap();
    let keys = ring();
    sealed(&store, &keys, 6, 4).await;
    store.acknowledge(4).await.unwrap();
    place.clock.advance(90 * MINUTE);
    keys.rotate(key("k2")).unwrap();
    sealed(&store, &keys, 2, 4).await;
    store.purge(100).await.unwrap();
    store.purge(100).await.unwrap();
    let mut raw = place.raw().await;
    let left = number(&mut raw, "SELECT COUNT(*) FROM audit_links").await;
    let counts = counted(&store).await.unwrap();
    let sum: u64 = counts.iter().map(|(_, count)| count).sum();
    assert_eq!(i64::try_from(sum).unwrap(), left);
    assert_eq!(counts.last(), Some(&("k2".to_owned(), 2)));
    assert!(left < 8, "{left} links are left");
}
