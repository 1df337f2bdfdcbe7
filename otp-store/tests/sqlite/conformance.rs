use std::sync::Arc;
use std::time::Duration;

use otp_core::store::{AuditStore, ChainStore, SessionStore, Store};
use otp_core::testing::chain::ChainFixture;
use otp_core::testing::session::SessionFixture;
use otp_core::testing::store::StoreFixture;
use otp_store::SqliteStore;
use otp_store::sqlite::SqliteOptions;

use crate::fixture::Place;

struct OnDisk {
    place: Place,
    store: Arc<SqliteStore>,
}

impl OnDisk {
    async fn with(place: Place, options: SqliteOptions) -> Self {
        let options = options.deadline(Duration::from_secs(60));
        let store = SqliteStore::with_options(options).await.expect("it opens");
        Self {
            place,
            store: Arc::new(store),
        }
    }
}

impl StoreFixture for OnDisk {
    fn store(&self) -> Arc<dyn Store> {
        let store: Arc<SqliteStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.place.clock.step_back(by);
    }
}

impl SessionFixture for OnDisk {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        let store: Arc<SqliteStore> = Arc::clone(&self.store);
        store
    }

    fn records(&self) -> Arc<dyn AuditStore> {
        let store: Arc<SqliteStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.place.clock.step_back(by);
    }
}

impl ChainFixture for OnDisk {
    fn chain(&self) -> Arc<dyn ChainStore> {
        let store: Arc<SqliteStore> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.place.clock.advance(by);
    }
}

async fn file() -> OnDisk {
    let place = Place::new();
    let options = place.options();
    OnDisk::with(place, options).await
}

async fn memory() -> OnDisk {
    let place = Place::new();
    let clock = Arc::new(place.clock.clone());
    OnDisk::with(place, SqliteOptions::in_memory().clock(clock)).await
}

otp_core::store_conformance!(in_a_file, file);
otp_core::store_conformance!(in_memory, memory);
otp_core::session_conformance!(sessions_in_a_file, file);
otp_core::session_conformance!(sessions_in_memory, memory);
otp_core::chain_conformance!(chain_in_a_file, file);
otp_core::chain_conformance!(chain_in_memory, memory);
