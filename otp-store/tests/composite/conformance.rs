//! Every wrapper keeps the whole contract while its parts are in good order.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::ManualClock;
use otp_core::policy::OutagePolicy;
use otp_core::store::{AuditStore, ChainStore, SessionStore, Store};
use otp_core::testing::chain::ChainFixture;
use otp_core::testing::session::SessionFixture;
use otp_core::testing::store::StoreFixture;
use otp_store::composite::degrading::DegradingOptions;
use otp_store::composite::read_only::ReadOnlyOptions;
use otp_store::{Degrading, MemoryStore, ReadOnlyFallback, Split};

use crate::fixture::Place;

struct Fixture<S> {
    store: Arc<S>,
    clock: ManualClock,
    /// What the store's server holds for this test goes with it.
    _place: Option<Place>,
}

impl<S: Store> StoreFixture for Fixture<S> {
    fn store(&self) -> Arc<dyn Store> {
        let store: Arc<S> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}

impl<S: ChainStore> ChainFixture for Fixture<S> {
    fn chain(&self) -> Arc<dyn ChainStore> {
        let store: Arc<S> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

impl<S: Store + SessionStore> SessionFixture for Fixture<S> {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        let store: Arc<S> = Arc::clone(&self.store);
        store
    }

    fn records(&self) -> Arc<dyn AuditStore> {
        let store: Arc<S> = Arc::clone(&self.store);
        store
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}

fn fixture<S: Store>(make: impl FnOnce(&ManualClock) -> S) -> Fixture<S> {
    let clock = ManualClock::default();
    Fixture {
        store: Arc::new(make(&clock)),
        clock,
        _place: None,
    }
}

fn memory(clock: &ManualClock) -> MemoryStore {
    MemoryStore::with_clock(Arc::new(clock.clone()))
}

fn degrading<P: Store>(primary: P, clock: &ManualClock) -> Degrading<P> {
    let three = NonZeroU32::new(3).expect("more than none");
    let options = DegradingOptions::new(OutagePolicy::memory(), three);
    Degrading::with_options(primary, options.clock(Arc::new(clock.clone())))
}

async fn degrading_memory() -> impl StoreFixture + SessionFixture + ChainFixture {
    fixture(|clock| degrading(memory(clock), clock))
}

async fn degrading_redis() -> impl StoreFixture + SessionFixture {
    let place = Place::new();
    let clock = place.clock.clone();
    let store = Arc::new(degrading(place.open().await, &clock));
    Fixture {
        store,
        clock,
        _place: Some(place),
    }
}

async fn read_only_fallback() -> impl StoreFixture + SessionFixture + ChainFixture {
    fixture(|clock| {
        let options = ReadOnlyOptions::new().clock(Arc::new(clock.clone()));
        ReadOnlyFallback::with_options(memory(clock), memory(clock), options)
    })
}

async fn split() -> impl StoreFixture + SessionFixture + ChainFixture {
    fixture(|clock| Split::new(memory(clock), memory(clock), "memory"))
}

otp_core::store_conformance!(degrading_over_memory, degrading_memory);
otp_core::store_conformance!(
    ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)",
    degrading_over_redis,
    degrading_redis
);
otp_core::store_conformance!(memory_that_is_read_only_when_away, read_only_fallback);
otp_core::store_conformance!(split_in_two, split);
otp_core::chain_conformance!(chain_of_degrading, degrading_memory);
otp_core::chain_conformance!(chain_of_read_only, read_only_fallback);
otp_core::chain_conformance!(chain_of_split, split);

otp_core::session_conformance!(sessions_degrading_over_memory, degrading_memory);
otp_core::session_conformance!(
    ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)",
    sessions_degrading_over_redis,
    degrading_redis
);
otp_core::session_conformance!(sessions_that_are_refused_when_away, read_only_fallback);
otp_core::session_conformance!(sessions_split_in_two, split);
