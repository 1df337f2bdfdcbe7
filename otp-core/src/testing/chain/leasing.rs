use std::sync::Arc;
use std::time::Duration;

use super::ChainFixture;
use super::bench::{ALL, ANSWERS, Bench, LIFE, sealer};
use crate::store::{Lease, Sealing};
use crate::testing::store::bench::{RACERS, count, race};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Of a thousand that want the lease at once one has it.
pub async fn one_of_a_thousand_has_the_lease(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&bench.store);
        async move { store.lease(&sealer(), LIFE).await.expect(ANSWERS) }
    })
    .await;
    let held = count(&answers, |answer| matches!(answer, Lease::Held(_)));
    assert_eq!(held, 1, "exactly one has the lease");
}

/// A lease is its holder's until its last millisecond, and longer where the holder takes it anew.
pub async fn a_lease_lapses_and_is_prolonged(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let (ann, bob) = (sealer(), sealer());
    assert!(bench.lease(&ann, LIFE).await.is_some());
    bench.advance(LIFE / 2);
    assert!(bench.lease(&bob, LIFE).await.is_none(), "it is taken");
    assert!(bench.lease(&ann, LIFE).await.is_some(), "it is prolonged");
    bench.advance(LIFE - MILLISECOND);
    assert!(bench.lease(&bob, LIFE).await.is_none(), "it is still taken");
    bench.advance(MILLISECOND);
    assert!(bench.lease(&bob, LIFE).await.is_some(), "it has lapsed");
    assert!(bench.lease(&ann, LIFE).await.is_none(), "it is another's");
}

/// A lease that its holder takes anew for no time is free.
pub async fn a_lease_that_is_given_back_is_free(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let (ann, bob) = (sealer(), sealer());
    assert!(bench.lease(&ann, LIFE).await.is_some());
    assert!(bench.lease(&ann, Duration::ZERO).await.is_some());
    assert!(
        bench.lease(&bob, LIFE).await.is_some(),
        "nobody waits for it"
    );
}

/// Whoever lost the lease half-way, and does not know, changes nothing: the chain has gone on.
pub async fn a_sealer_that_lost_its_lease_half_way_changes_nothing(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let (slow, quick) = (sealer(), sealer());
    let written = bench.write(5).await;
    let from = bench.lease(&slow, LIFE).await.expect("it is free");
    let late = bench.batch(&slow, from, 3).await;
    bench.advance(LIFE);
    let from = bench.lease(&quick, LIFE).await.expect("it has lapsed");
    let batch = bench.batch(&quick, from, ALL).await;
    let end = batch.to;
    assert_eq!(bench.seal(batch).await, Sealing::Done);
    assert_eq!(bench.seal(late).await, Sealing::Overtaken);
    assert_eq!(bench.head().await, end, "the end stays where it was");
    let (verified, names) = bench.verified().await;
    assert_eq!((verified.records, names), (5, written));
}
