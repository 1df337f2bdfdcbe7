use std::sync::Arc;
use std::time::Duration;

use otp_core::store::{AuditStore, SessionStore, Store};
use otp_core::testing::session::SessionFixture;
use otp_core::testing::store::StoreFixture;
use otp_store::RedisStore;

use crate::fixture::Place;

struct OnServer {
    place: Place,
    store: Arc<RedisStore>,
}

impl StoreFixture for OnServer {
    fn store(&self) -> Arc<dyn Store> {
        let store: Arc<RedisStore> = Arc::clone(&self.store);
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
        let store: Arc<RedisStore> = Arc::clone(&self.store);
        store
    }

    fn records(&self) -> Arc<dyn AuditStore> {
        let store: Arc<RedisStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.place.clock.step_back(by);
    }
}

async fn server() -> OnServer {
    let place = Place::new();
    let store = Arc::new(place.open().await);
    OnServer { place, store }
}

async fn cluster() -> OnServer {
    let place = Place::in_cluster();
    let store = Arc::new(place.open().await);
    OnServer { place, store }
}

otp_core::store_conformance!(
    ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS",
    on_a_cluster,
    cluster
);

otp_core::store_conformance!(
    ignore = "needs a Redis: set TEST_REDIS_URL",
    on_a_server,
    server
);

otp_core::session_conformance!(
    ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS",
    sessions_on_a_cluster,
    cluster
);

otp_core::session_conformance!(
    ignore = "needs a Redis: set TEST_REDIS_URL",
    sessions_on_a_server,
    server
);
