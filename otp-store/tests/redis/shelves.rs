use std::num::NonZeroU16;

use otp_core::store::StoreErrorKind;
use otp_store::RedisStore;

use crate::fixture::Place;

async fn opened(place: &Place, shelves: u16) -> Result<(), StoreErrorKind> {
    let count = NonZeroU16::new(shelves).expect("some");
    let store = RedisStore::with_options(place.options().shelves(count)).await;
    store.map(drop).map_err(|error| error.kind())
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn another_number_of_shelves_than_the_store_was_made_with_is_refused() {
    for (made, other) in [(8, 64), (64, 8), (64, 1), (1, 64), (1, 2)] {
        let place = Place::in_cluster();
        opened(&place, made).await.unwrap();
        let refused = opened(&place, other).await;
        assert_eq!(refused, Err(StoreErrorKind::Invalid), "{made} and {other}");
        opened(&place, made).await.unwrap();
    }
    let odd = Place::in_cluster().options().prefix("otp{s1}");
    let refused = RedisStore::with_options(odd).await.unwrap_err();
    assert_eq!(
        refused.kind(),
        StoreErrorKind::Invalid,
        "a tag of its own would be the only one"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn of_two_numbers_of_shelves_that_race_one_makes_the_store() {
    for round in 0..10 {
        let place = Place::in_cluster();
        let raced = tokio::join!(opened(&place, 64), opened(&place, 32));
        let after = (opened(&place, 64).await, opened(&place, 32).await);
        assert_eq!(raced, after, "round {round}");
        assert_ne!(raced.0.is_ok(), raced.1.is_ok(), "round {round}");
    }
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn a_store_in_a_form_that_is_not_known_is_refused_and_left_as_it_is() {
    let place = Place::new();
    place.open().await;
    let key = format!("{}guard:version", place.prefix);
    let form = |form: &str| {
        let mut set = redis::cmd("SET");
        let _: () = set.arg(&key).arg(form).query(&mut Place::raw()).unwrap();
    };
    form("2");
    let refused = RedisStore::with_options(place.options()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
    let kept: String = redis::cmd("GET")
        .arg(&key)
        .query(&mut Place::raw())
        .unwrap();
    assert_eq!(kept, "2");
    form("1");
    place.open().await;
}
