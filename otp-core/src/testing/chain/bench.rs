use std::sync::Arc;
use std::time::Duration;

use super::ChainFixture;
use crate::clock::Timestamp;
use crate::event::chain::{ChainedRecord, Head, Record, Scope, Tally, Verified, verify};
use crate::event::{Event, EventId, EventKind};
use crate::key::{Key, KeyId, KeyRing};
use crate::random::OsRandom;
use crate::secret::SecretBytes;
use crate::store::{ChainStore, KeyHold, Lease, SealBatch, SealerId, Sealing};
use crate::testing::store::kit;

pub(super) const ANSWERS: &str = "a store in good order answers";
pub(super) const LIFE: Duration = Duration::from_secs(10);
/// More than any case writes.
pub(super) const ALL: usize = 10_000;

/// A fixture's store with the few words that cases are told in.
pub(super) struct Bench<'f> {
    fixture: &'f dyn ChainFixture,
    pub(super) store: Arc<dyn ChainStore>,
    pub(super) keys: KeyRing,
}

/// Draws a sealer's name.
pub(super) fn sealer() -> SealerId {
    SealerId::generate(&OsRandom).expect("randomness")
}

impl<'f> Bench<'f> {
    pub(super) fn new(fixture: &'f dyn ChainFixture) -> Self {
        Self {
            fixture,
            store: fixture.chain(),
            keys: KeyRing::generate(&OsRandom).expect("randomness"),
        }
    }

    pub(super) fn advance(&self, by: Duration) {
        self.fixture.advance(by);
    }

    /// Writes records and gives their names, in the order in which they were written.
    pub(super) async fn write(&self, count: usize) -> Vec<EventId> {
        let mut written = Vec::new();
        for _ in 0..count {
            written.push(self.append(kit::event(EventKind::CodeSent)).await);
        }
        written
    }

    pub(super) async fn append(&self, event: Event) -> EventId {
        let id = event.id;
        self.store.append(event).await.expect(ANSWERS);
        id
    }

    /// Takes the lease, where it is free or the holder's own.
    pub(super) async fn lease(&self, holder: &SealerId, life: Duration) -> Option<Head> {
        match self.store.lease(holder, life).await.expect(ANSWERS) {
            Lease::Held(head) => Some(head),
            Lease::Taken => None,
        }
    }

    pub(super) async fn head(&self) -> Head {
        self.store.head().await.expect(ANSWERS)
    }

    pub(super) async fn unsealed(&self, limit: usize) -> Vec<Record> {
        self.store.unsealed(limit).await.expect(ANSWERS)
    }

    /// Links what is not sealed yet to an end of the chain.
    pub(super) async fn batch(&self, holder: &SealerId, from: Head, limit: usize) -> SealBatch {
        let records = self.unsealed(limit).await;
        SealBatch::link(holder, from, records, self.keys.snapshot())
    }

    pub(super) async fn seal(&self, batch: SealBatch) -> Sealing {
        self.store.seal(batch).await.expect(ANSWERS)
    }

    /// Seals what there is, so many records at once.
    pub(super) async fn seal_all(&self, at_once: usize) {
        let holder = sealer();
        loop {
            let from = self.head().await;
            let batch = self.batch(&holder, from, at_once).await;
            if batch.links.is_empty() {
                return;
            }
            assert_eq!(self.seal(batch).await, Sealing::Done, "nobody else seals");
        }
    }

    pub(super) async fn sealed(&self, after: Option<u64>, limit: usize) -> Vec<ChainedRecord> {
        self.store.sealed(after, limit).await.expect(ANSWERS)
    }

    /// Gives the current key's name.
    pub(super) fn key(&self) -> KeyId {
        *self.keys.snapshot().current().id()
    }

    /// Makes another key the current one.
    pub(super) fn rotate(&self) -> KeyId {
        let id = KeyId::new("z-another-one").expect("a name");
        let key = Key::new(id, &SecretBytes::new((1..=32).collect())).expect("a key");
        self.keys.rotate(key).expect("a new one");
        id
    }

    /// Counts the seals, in the order of the names of their keys.
    pub(super) async fn seals(&self) -> Vec<(KeyId, u64)> {
        let uses = self.store.sealed_by().await.expect(ANSWERS);
        let kinds = uses.iter().map(|one| (one.hold, one.until));
        assert!(kinds.into_iter().all(|kind| kind == (KeyHold::Chain, None)));
        let mut seals: Vec<_> = uses.iter().map(|one| (one.key, one.count)).collect();
        seals.sort_unstable();
        seals
    }

    /// Exports the whole chain, checks it offline, and gives the names of its records.
    pub(super) async fn verified(&self) -> (Verified, Vec<EventId>) {
        let chained = self.sealed(None, ALL).await;
        let mut tally = Tally::new(Scope::Whole);
        let mut file = String::new();
        for one in &chained {
            tally.add(&one.link);
            file.push_str(&format!("{one}\n"));
        }
        let end = tally.close(Timestamp::from_millis(1), &self.keys.snapshot());
        file.push_str(&format!("{end}\n"));
        let verified = verify(file.as_bytes(), Some(&self.keys));
        let verified = verified.expect("what the store sealed is one unbroken chain");
        assert_eq!(verified.unknown_seals, Some(0), "one key has sealed it");
        let names = chained.iter().map(|one| one.record.event.id).collect();
        (verified, names)
    }
}

/// Names records.
pub(super) fn names(records: &[Record]) -> Vec<EventId> {
    records.iter().map(|record| record.event.id).collect()
}
