use std::sync::Arc;
use std::time::Duration;

use super::SessionFixture;
use super::bench::{Bench, MILLISECOND, state};
use crate::request::SessionBinding;
use crate::store::{PutState, StoreErrorKind};
use crate::testing::store::bench::{RACERS, count, race};

fn browser() -> SessionBinding {
    SessionBinding::of(b"a cookie of the one browser")
}

async fn put(bench: &Bench<'_>, key: u8) {
    let put = bench.store.put_state(state(key, &browser()));
    put.await.expect("an answer");
}

async fn take(bench: &Bench<'_>, key: u8) -> Option<Vec<u8>> {
    let taken = bench.store.take_state(&[key; 32], &browser()).await;
    taken.expect("an answer")
}

/// State is taken once, however many come for it.
pub async fn one_of_a_thousand_takes_a_state(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    put(&bench, 7).await;
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&bench.store);
        async move {
            store
                .take_state(&[7; 32], &browser())
                .await
                .expect("an answer")
        }
    })
    .await;
    let taken = count(&answers, |answer| *answer == Some(vec![7, 0, 255]));
    assert_eq!(taken, 1, "exactly one caller takes it");
    assert_eq!(count(&answers, Option::is_none), RACERS - 1);
}

/// Another browser takes nothing, and takes nothing away.
pub async fn a_state_of_another_browser_is_not_taken(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    put(&bench, 7).await;
    let other = SessionBinding::of(b"a cookie of another browser");
    let taken = bench.store.take_state(&[7; 32], &other).await;
    assert_eq!(taken.expect("an answer"), None);
    assert_eq!(take(&bench, 7).await, Some(vec![7, 0, 255]));
}

/// State is worth nothing after its time, and a clock that goes back does not bring it back.
pub async fn a_state_lapses_after_its_time(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    put(&bench, 1).await;
    put(&bench, 2).await;
    bench.fixture.advance(PutState::LONGEST - MILLISECOND);
    assert!(take(&bench, 1).await.is_some(), "it is kept for its time");
    bench.fixture.advance(MILLISECOND);
    assert_eq!(take(&bench, 2).await, None, "it is over");
    bench.fixture.step_back(Duration::from_secs(4));
    assert_eq!(take(&bench, 2).await, None, "it stays over");
}

/// What would be kept too long, or is too large, is refused.
pub async fn a_state_that_is_too_large_or_too_long_is_refused(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let large = |bytes| PutState {
        payload: vec![1; bytes],
        ..state(1, &browser())
    };
    let long = PutState {
        life: PutState::LONGEST + MILLISECOND,
        ..state(2, &browser())
    };
    for refused in [large(PutState::LARGEST + 1), long] {
        let error = bench.store.put_state(refused).await.expect_err("refused");
        assert_eq!(error.kind(), StoreErrorKind::Invalid);
    }
    let largest = bench.store.put_state(large(PutState::LARGEST)).await;
    largest.expect("an answer");
    assert_eq!(take(&bench, 1).await, Some(vec![1; PutState::LARGEST]));
}

/// States are apart.
pub async fn states_are_kept_apart(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    for key in 1..=5 {
        put(&bench, key).await;
    }
    assert_eq!(take(&bench, 9).await, None);
    for key in 1..=5 {
        assert_eq!(take(&bench, key).await, Some(vec![key, 0, 255]));
        assert_eq!(take(&bench, key).await, None);
    }
}
