use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::quota::{QuotaReading, Shape, gcra};

const MINUTE: Duration = Duration::from_secs(60);

/// A rate decides as GCRA does: a burst, then one hit a step, with exact readings.
pub async fn a_rate_decides_as_gcra_does(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let claim = kit::rate("model", 7, MINUTE);
    let Shape::Rate(rate) = claim.quota.shape() else {
        panic!("a rate has the shape of one");
    };
    let (mut tat, mut step) = (None, 3_u64);
    for hit in 0..200 {
        let now_us = bench.now().await.as_millis().saturating_mul(1_000);
        let (kept, level) = match gcra::decide(rate, tat, now_us) {
            gcra::Decision::Admit { tat_us, level } => (Some(tat_us), level),
            gcra::Decision::Refuse { level } => (tat, level),
        };
        tat = kept;
        let peeked = bench.peek(&claim).await;
        let readings = bench.charge(std::slice::from_ref(&claim)).await;
        let expected = QuotaReading::new(&claim, level);
        assert_eq!(
            readings,
            [expected],
            "hit {hit} is decided as GCRA decides it"
        );
        assert_eq!(
            peeked.retry_after(),
            level.retry_after,
            "and a look foretells it"
        );
        step = step * 29 % 37;
        bench.advance(Duration::from_millis(step * 411));
    }
}

/// A lowered rate holds at once: a bucket that has used more than it now may is empty.
pub async fn a_lowered_rate_holds_at_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let wide = kit::rate("lowered", 5, MINUTE);
    for _ in 0..3 {
        bench.charge(std::slice::from_ref(&wide)).await;
    }
    let narrow = kit::rate("lowered", 2, MINUTE);
    let readings = bench.charge(std::slice::from_ref(&narrow)).await;
    let refused = readings.first().and_then(QuotaReading::retry_after);
    assert!(refused.is_some(), "three hits are more than a burst of two");
    bench.advance(2 * MINUTE);
    assert_eq!(
        bench.peek(&narrow).await.remaining(),
        2,
        "and it refills at the rate it has"
    );
}

/// A rate that was not hit for long is whole, and no more than whole.
pub async fn an_idle_rate_fills_up_to_its_burst(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let claim = kit::rate("idle", 3, MINUTE);
    bench.charge(std::slice::from_ref(&claim)).await;
    bench.advance(1_000 * MINUTE);
    assert_eq!(bench.peek(&claim).await.remaining(), 3);
    for left in [2, 1, 0] {
        let readings = bench.charge(std::slice::from_ref(&claim)).await;
        assert_eq!(readings.first().map(QuotaReading::remaining), Some(left));
    }
}
