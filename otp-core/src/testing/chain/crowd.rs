use std::collections::BTreeSet;
use std::sync::Arc;

use super::ChainFixture;
use super::bench::{ALL, ANSWERS, Bench, sealer};
use crate::audit::{Round, Sealer};
use crate::event::EventKind;
use crate::event::chain::Head;
use crate::store::{SealBatch, Sealing};
use crate::testing::store::bench::{count, race};
use crate::testing::store::kit;

/// Of a hundred that store the same records at once one does; the others are told so.
pub async fn of_a_hundred_who_seal_at_once_exactly_one_does(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let written = bench.write(5).await;
    let records = bench.unsealed(ALL).await;
    let answers = race(100, |racer| {
        let (store, keys) = (Arc::clone(&bench.store), bench.keys.snapshot());
        // Not all of them have read as far.
        let some = records.iter().take(1 + racer % 5).cloned().collect();
        let batch = SealBatch::link(&sealer(), Head::START, some, keys);
        async move { store.seal(batch).await.expect(ANSWERS) }
    })
    .await;
    let done = count(&answers, |answer| *answer == Sealing::Done);
    assert_eq!(done, 1, "exactly one batch is stored");
    bench.seal_all(ALL).await;
    assert_eq!(bench.verified().await.1, written);
}

/// While a hundred write and others seal, no record is passed over and none is sealed twice.
pub async fn a_hundred_writers_and_racing_sealers_leave_one_chain(fixture: &dyn ChainFixture) {
    const WRITERS: usize = 100;
    const EACH: usize = 3;
    let bench = Bench::new(fixture);
    let wrote = race(WRITERS + 4, |racer| {
        let (store, keys) = (Arc::clone(&bench.store), bench.keys.clone());
        async move {
            let mut wrote = Vec::new();
            if racer >= WRITERS {
                for _ in 0..EACH {
                    let sealer = Sealer::named(sealer(), Arc::clone(&store), keys.clone());
                    sealer.seal_now().await.expect(ANSWERS);
                }
                return wrote;
            }
            for _ in 0..EACH {
                let event = kit::event(EventKind::CodeSent);
                wrote.push(event.id);
                store.append(event).await.expect(ANSWERS);
            }
            wrote
        }
    })
    .await;
    bench.seal_all(ALL).await;
    let wrote: BTreeSet<_> = wrote.into_iter().flatten().collect();
    let (verified, names) = bench.verified().await;
    assert_eq!(verified.records, u64::try_from(WRITERS * EACH).unwrap_or(0));
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), wrote);
}

/// Instances that share a store have one chain: whoever has the lease seals the records of all.
pub async fn records_of_several_instances_are_in_one_chain(fixture: &dyn ChainFixture) {
    let bench = Bench::new(fixture);
    let instance = || Sealer::named(sealer(), Arc::clone(&bench.store), bench.keys.clone());
    let (one, two) = (instance(), instance());
    let mut written = bench.write(2).await;
    let sealed = one.seal().await.expect(ANSWERS);
    assert_eq!(sealed, Round::Sealed(2), "it has the lease");
    written.extend(bench.write(3).await);
    let sealed = two.seal().await.expect(ANSWERS);
    assert_eq!(sealed, Round::Elsewhere, "the other one has the lease");
    assert_eq!(one.seal().await.expect(ANSWERS), Round::Sealed(3));
    written.extend(bench.write(1).await);
    one.stop().await.expect(ANSWERS);
    written.extend(bench.write(1).await);
    let sealed = two.seal().await.expect(ANSWERS);
    assert_eq!(
        sealed,
        Round::Sealed(1),
        "the lease was given back, all else was sealed"
    );
    assert_eq!(bench.verified().await.1, written);
}
