//! Sessions of several instances.

use std::sync::Arc;

use crate::fixture::Place;
use crate::instances::see_what_another_ended;

#[tokio::test]
async fn what_one_instance_ends_another_one_sees_within_a_second() {
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    see_what_another_ended(Arc::new(one), Arc::new(other), &place.clock).await;
}
