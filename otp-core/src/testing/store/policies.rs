use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, count, race};
use super::{StoreFixture, kit};
use crate::event::EventKind;
use crate::store::{PolicyDocument, PolicyRecord, Published, StoreErrorKind};

const ANSWERS: &str = "an answer";
const HOUR: Duration = Duration::from_secs(3_600);

/// Of a thousand who publish upon one version, one does; all others hear what is in force.
pub async fn one_of_a_thousand_publishers_of_a_version_wins(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for expected in [None, Some(1)] {
        let answers = race(RACERS, |racer| {
            let store = Arc::clone(&bench.store);
            let document = document(&format!("racer {racer}"));
            let event = kit::event(EventKind::OperatorAction);
            async move {
                store
                    .publish(expected, document, event)
                    .await
                    .expect(ANSWERS)
            }
        })
        .await;
        let version = expected.unwrap_or(0) + 1;
        let won = count(&answers, |answer| *answer == Published::As(version));
        let conflict = Published::Conflict { current: version };
        let lost = count(&answers, |answer| *answer == conflict);
        assert_eq!((won, lost), (1, RACERS - 1), "exactly one publishes");
    }
    assert_eq!(versions(&bench).await, [2, 1]);
    let records = bench.events().await.len();
    assert_eq!(
        records, 2,
        "whoever published is on record, and nobody else"
    );
}

/// Whoever tries until it succeeds publishes once, and no version is missing.
pub async fn versions_have_no_gaps(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let published = race(20, |racer| {
        let store = Arc::clone(&bench.store);
        async move {
            let mut expected = None;
            loop {
                let document = document(&format!("racer {racer}"));
                let event = kit::event(EventKind::OperatorAction);
                match store.publish(expected, document, event).await {
                    Ok(Published::As(version)) => break version,
                    Ok(Published::Conflict { current }) => expected = Some(current),
                    Err(error) => panic!("{error}"),
                }
            }
        }
    })
    .await;
    let mut published = published;
    published.sort_unstable();
    let expected: Vec<u64> = (1..=20).collect();
    assert_eq!(published, expected, "each number is one publisher's");
    assert_eq!(bench.store.version().await.expect(ANSWERS), 20);
    let listed: Vec<u64> = versions(&bench).await.into_iter().rev().collect();
    assert_eq!(listed, expected);
}

/// A document is read as it was published, the longest and the strangest too.
pub async fn a_policy_is_read_as_it_was_published(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    assert_eq!(bench.store.current().await.expect(ANSWERS), None);
    assert_eq!(bench.store.version().await.expect(ANSWERS), 0);
    assert!(versions(&bench).await.is_empty());
    let strange = "a: '\\0; --\"\r\n\tb: %{x} \u{202e}\u{1f512} $1 ? {}\n";
    let longest = "\u{1f512}".repeat(16_384);
    for (text, version) in [(strange, 1), (longest.as_str(), 2)] {
        let document = PolicyDocument::new(text, "ann\\' \u{e9}", "why ' \u{1f512}\\n");
        let document = document.expect("a document");
        let published = publish(&bench, version - 1, document.clone()).await;
        assert_eq!(published, Published::As(version));
        let record = PolicyRecord {
            version,
            document,
            at: bench.now().await,
        };
        let current = bench.store.current().await.expect(ANSWERS);
        assert!(current == Some(record), "version {version} reads the same");
        assert_eq!(bench.store.version().await.expect(ANSWERS), version);
        bench.advance(HOUR);
    }
}

/// A publication and its record are one step; a conflict changes nothing and records nothing.
pub async fn a_publication_leaves_its_record(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let event = kit::event(EventKind::OperatorAction);
    let published = bench
        .store
        .publish(Some(0), document("first"), event.clone())
        .await
        .expect(ANSWERS);
    assert_eq!(published, Published::As(1));
    assert_eq!(bench.events().await, [event.at(bench.now().await)]);
    for expected in [0, 2, u64::MAX] {
        let published = publish(&bench, expected, document("second")).await;
        assert_eq!(published, Published::Conflict { current: 1 }, "{expected}");
    }
    assert_eq!(bench.events().await.len(), 1);
    let current = bench.store.current().await.expect(ANSWERS);
    let current = current.expect("a policy");
    assert_eq!((current.version, current.document.text()), (1, "first"));
}

/// Versions are listed newest first, as many as asked for, and the newest hundred are kept.
pub async fn the_history_of_policies_is_newest_first_and_bounded(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for version in 1..=102 {
        let published = publish(&bench, version - 1, document(&version.to_string())).await;
        assert_eq!(published, Published::As(version));
    }
    bench.advance(10_000 * HOUR);
    bench.store.purge(1_000).await.expect(ANSWERS);
    let expected: Vec<u64> = (3..=102).rev().collect();
    assert_eq!(versions(&bench).await, expected, "the newest hundred");
    let three = bench.store.history(3).await.expect(ANSWERS);
    let texts: Vec<&str> = three.iter().map(|record| record.document.text()).collect();
    assert_eq!(texts, ["102", "101", "100"]);
    assert!(bench.store.history(0).await.expect(ANSWERS).is_empty());
}

/// A copy takes a newer version over as it is, and nothing that is older.
pub async fn a_newer_policy_is_adopted_as_it_is(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let at = bench.now().await.saturating_sub(HOUR);
    let record = |version| PolicyRecord {
        version,
        document: document(&format!("version {version}")),
        at,
    };
    race(100, |racer| {
        let store = Arc::clone(&bench.store);
        let record = record(if racer % 2 == 0 { 7 } else { 5 });
        async move { store.adopt(&record).await.expect(ANSWERS) }
    })
    .await;
    for older in [6, 1, 7] {
        let record = PolicyRecord {
            document: document("older"),
            ..record(older)
        };
        bench.store.adopt(&record).await.expect(ANSWERS);
    }
    let current = bench.store.current().await.expect(ANSWERS);
    assert_eq!(current, Some(record(7)));
    assert!(bench.events().await.is_empty(), "it is on record elsewhere");
    let published = publish(&bench, 7, document("own")).await;
    assert_eq!(published, Published::As(8), "it goes on from there");
    bench.store.adopt(&record(300)).await.expect(ANSWERS);
    assert_eq!(versions(&bench).await, [300]);
}

/// A policy can be read while the clock stands wrong; nothing is published then.
pub async fn a_policy_is_read_whatever_the_clock_says(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let published = publish(&bench, 0, document("first")).await;
    assert_eq!(published, Published::As(1));
    bench.step_back(HOUR);
    let event = kit::event(EventKind::OperatorAction);
    let refused = bench
        .store
        .publish(Some(1), document("second"), event)
        .await;
    let kind = refused.expect_err("nothing is published").kind();
    assert_eq!(kind, StoreErrorKind::ClockAnomaly);
    let current = bench.store.current().await.expect(ANSWERS);
    assert_eq!(current.map(|record| record.version), Some(1));
    assert_eq!(bench.store.version().await.expect(ANSWERS), 1);
    assert_eq!(versions(&bench).await, [1]);
}

fn document(text: &str) -> PolicyDocument {
    PolicyDocument::new(text, "ann", "because").expect("a document")
}

async fn publish(bench: &Bench<'_>, expected: u64, document: PolicyDocument) -> Published {
    let expected = (expected > 0).then_some(expected);
    let event = kit::event(EventKind::OperatorAction);
    let published = bench.store.publish(expected, document, event).await;
    published.expect(ANSWERS)
}

async fn versions(bench: &Bench<'_>) -> Vec<u64> {
    let records = bench.store.history(1_000).await.expect(ANSWERS);
    records.iter().map(|record| record.version).collect()
}
