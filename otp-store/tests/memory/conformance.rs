use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::ManualClock;
use otp_core::store::{AuditStore, ChainStore, SessionStore, Store};
use otp_core::testing::chain::ChainFixture;
use otp_core::testing::session::SessionFixture;
use otp_core::testing::store::StoreFixture;
use otp_store::MemoryStore;

struct Fixture {
    store: MemoryStore,
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

impl SessionFixture for Fixture {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    fn records(&self) -> Arc<dyn AuditStore> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}

impl ChainFixture for Fixture {
    fn chain(&self) -> Arc<dyn ChainStore> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

async fn fixture() -> Fixture {
    let clock = ManualClock::default();
    Fixture {
        store: MemoryStore::with_clock(Arc::new(clock.clone())),
        clock,
    }
}

otp_core::store_conformance!(fixture);
otp_core::session_conformance!(fixture);
otp_core::chain_conformance!(fixture);
