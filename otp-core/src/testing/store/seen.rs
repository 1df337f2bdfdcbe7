use std::sync::Arc;
use std::time::Duration;

use super::StoreFixture;
use super::bench::{Bench, RACERS, count, race};
use crate::store::Seen;

const HOUR: Duration = Duration::from_secs(3_600);

/// A thing is seen for the first time once, however many look at once.
pub async fn one_of_a_thousand_sees_a_thing_first(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&bench.store);
        async move {
            store
                .first_seen("webhook:evt_1", HOUR)
                .await
                .expect("an answer")
        }
    })
    .await;
    let first = count(&answers, |answer| *answer == Seen::First);
    assert_eq!(first, 1, "exactly one caller is the first");
}

/// A thing that was seen is forgotten after its time. Seeing it again does not extend that.
pub async fn a_thing_that_was_seen_is_forgotten_after_its_time(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    assert_eq!(see(&bench, "link").await, Seen::First);
    bench.advance(HOUR - Duration::from_millis(1));
    assert_eq!(see(&bench, "link").await, Seen::Again);
    bench.store.purge(100).await.expect("an answer");
    assert_eq!(
        see(&bench, "link").await,
        Seen::Again,
        "no purge forgets it early"
    );
    bench.advance(Duration::from_secs(1));
    assert_eq!(
        see(&bench, "link").await,
        Seen::First,
        "seeing it again prolonged nothing"
    );
}

/// Keys are apart, whatever they are made of.
pub async fn things_that_look_alike_are_apart(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for key in ["a:b", "a", "{a}", "A", "'; --", "%", "a ", "ü"] {
        assert_eq!(see(&bench, key).await, Seen::First, "{key}");
        assert_eq!(see(&bench, key).await, Seen::Again, "{key}");
    }
}

async fn see(bench: &Bench<'_>, key: &str) -> Seen {
    bench.store.first_seen(key, HOUR).await.expect("an answer")
}
