use std::sync::Arc;
use std::time::Duration;

use otp_core::store::{AuditStore, ChainStore, SessionStore, Store};
use otp_core::testing::chain::ChainFixture;
use otp_core::testing::session::SessionFixture;
use otp_core::testing::store::StoreFixture;
use otp_store::PostgresStore;

use crate::fixture::Place;

struct OnServer {
    place: Place,
    store: Arc<PostgresStore>,
}

impl StoreFixture for OnServer {
    fn store(&self) -> Arc<dyn Store> {
        let store: Arc<PostgresStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.place.clock.step_back(by);
    }
}

impl SessionFixture for OnServer {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        let store: Arc<PostgresStore> = Arc::clone(&self.store);
        store
    }

    fn records(&self) -> Arc<dyn AuditStore> {
        let store: Arc<PostgresStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.place.clock.step_back(by);
    }
}

impl ChainFixture for OnServer {
    fn chain(&self) -> Arc<dyn ChainStore> {
        let store: Arc<PostgresStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }
}

async fn server() -> OnServer {
    let place = Place::new().await;
    let store = Arc::new(place.open().await);
    OnServer { place, store }
}

otp_core::store_conformance!(
    ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)",
    on_a_server,
    server
);
otp_core::session_conformance!(
    ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)",
    sessions_on_a_server,
    server
);
otp_core::chain_conformance!(
    ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)",
    chain_on_a_server,
    server
);
