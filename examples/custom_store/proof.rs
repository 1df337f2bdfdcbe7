//! The proof: one line, one test a promise.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::store::{MemoryStore, Store};
use otp_kit::testing::ManualClock;
use otp_kit::testing::store::StoreFixture;

use crate::counting::Counting;

struct Fixture {
    store: Counting<MemoryStore>,
    clock: ManualClock,
}

impl StoreFixture for Fixture {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}

async fn fixture() -> Fixture {
    let clock = ManualClock::default();
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    Fixture {
        store: Counting::around(memory),
        clock,
    }
}

otp_kit::store_conformance!(fixture);
