//! The suite passes on a store that keeps the contract, and catches each of some that do not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{ChainFixture, ReferenceChain, ReferenceChainFixture};
use crate::clock::ManualClock;
use crate::event::Event;
use crate::event::chain::{ChainedRecord, Head, Record};
use crate::store::{
    AuditStore, ChainStore, KeyUse, Lease, OutboxEntry, SealBatch, SealerId, Sealing, StoreError,
};
use crate::testing::store::run;

async fn reference() -> impl ChainFixture {
    ReferenceChainFixture::new()
}

crate::chain_conformance!(reference_chain, reference);

#[test]
fn every_case_of_the_suite_is_run_by_the_macro() {
    let sources = [
        include_str!("crowd.rs"),
        include_str!("leasing.rs"),
        include_str!("reading.rs"),
        include_str!("sealing.rs"),
    ];
    let run = include_str!("macros.rs");
    let cases = sources.iter().flat_map(|source| {
        let cases = source.split("\npub async fn ").skip(1);
        cases.map(|case| case.split('(').next().expect("a name"))
    });
    let mut found = 0;
    for name in cases {
        assert!(run.contains(&format!(" {name},\n")), "{name} is not run");
        found += 1;
    }
    assert_eq!(found, 19);
}

/// What a [`Broken`] store does wrong; everything else it does right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    SealsBlindly,
    LooksAtThePlaceAlone,
    LeasesToAll,
    LeasesForEver,
    ReadsWithoutItsEnd,
    GivesSealedAgain,
    CountsTheLastKeyAlone,
}

#[derive(Clone, Debug)]
struct Broken {
    right: ReferenceChain,
    fault: Fault,
}

struct Fixture(Broken, ManualClock);

impl Fixture {
    fn new(fault: Fault) -> Self {
        let clock = ManualClock::default();
        let right = ReferenceChain::new(Arc::new(clock.clone()));
        Self(Broken { right, fault }, clock)
    }
}

impl ChainFixture for Fixture {
    fn chain(&self) -> Arc<dyn ChainStore> {
        Arc::new(self.0.clone())
    }

    fn advance(&self, by: Duration) {
        self.1.advance(by);
    }
}

#[async_trait]
impl AuditStore for Broken {
    async fn append(&self, event: Event) -> Result<(), StoreError> {
        self.right.append(event).await
    }

    async fn outbox(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, StoreError> {
        self.right.outbox(after, limit).await
    }

    async fn acknowledge(&self, up_to: u64) -> Result<(), StoreError> {
        self.right.acknowledge(up_to).await
    }
}

#[async_trait]
impl ChainStore for Broken {
    async fn lease(&self, holder: &SealerId, life: Duration) -> Result<Lease, StoreError> {
        match self.fault {
            Fault::LeasesToAll => Ok(Lease::Held(self.right.head().await?)),
            Fault::LeasesForEver => self.right.lease(holder, Duration::from_secs(86_400)).await,
            _ => self.right.lease(holder, life).await,
        }
    }

    async fn unsealed(&self, limit: usize) -> Result<Vec<Record>, StoreError> {
        if self.fault == Fault::GivesSealedAgain {
            let all = self.right.outbox(None, limit).await?;
            let record = |entry: OutboxEntry| Record::new(entry.sequence, entry.event);
            return Ok(all.into_iter().map(record).collect());
        }
        self.right.unsealed(limit).await
    }

    async fn seal(&self, mut batch: SealBatch) -> Result<Sealing, StoreError> {
        let head = self.right.head().await?;
        match self.fault {
            Fault::SealsBlindly => batch.from = head,
            Fault::LooksAtThePlaceAlone if batch.from.place == head.place => batch.from = head,
            _ => {}
        }
        self.right.seal(batch).await
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.right.head().await
    }

    async fn sealed(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<ChainedRecord>, StoreError> {
        let mut sealed = self.right.sealed(after, limit).await?;
        if self.fault == Fault::ReadsWithoutItsEnd && sealed.len() > 6 {
            sealed.pop();
        }
        Ok(sealed)
    }

    async fn sealed_by(&self) -> Result<Vec<KeyUse>, StoreError> {
        let mut uses = self.right.sealed_by().await?;
        if self.fault == Fault::CountsTheLastKeyAlone && uses.len() > 1 {
            uses.remove(0);
        }
        Ok(uses)
    }
}

/// One test a fault: the case named beside it must fail.
macro_rules! caught {
    ($($name:ident: $fault:ident, $case:ident;)+) => {
        $(
            #[test]
            fn $name() {
                let fixture = Fixture::new(Fault::$fault);
                let report = catch_unwind(AssertUnwindSafe(|| run(super::$case(&fixture))));
                assert!(report.is_err(), "the fault goes unseen");
            }
        )+
    };
}

caught! {
    a_batch_that_is_stored_without_a_look_at_the_end_is_caught:
        SealsBlindly, a_sealer_that_lost_its_lease_half_way_changes_nothing;
    a_race_without_a_look_at_the_end_is_caught:
        SealsBlindly, of_a_hundred_who_seal_at_once_exactly_one_does;
    an_end_that_is_compared_by_its_place_alone_is_caught:
        LooksAtThePlaceAlone, a_batch_that_does_not_follow_changes_nothing;
    a_lease_that_everybody_has_is_caught:
        LeasesToAll, one_of_a_thousand_has_the_lease;
    a_lease_that_does_not_lapse_is_caught:
        LeasesForEver, a_lease_lapses_and_is_prolonged;
    a_lease_that_cannot_be_given_back_is_caught:
        LeasesForEver, records_of_several_instances_are_in_one_chain;
    a_record_that_is_missing_at_the_end_is_caught:
        ReadsWithoutItsEnd, records_are_sealed_once_and_the_export_is_verified;
    a_record_that_is_sealed_twice_is_caught:
        GivesSealedAgain, a_record_that_is_inserted_while_sealing_comes_after_it;
    seals_of_an_older_key_that_are_left_out_are_caught:
        CountsTheLastKeyAlone, seals_are_counted_by_their_keys;
}
