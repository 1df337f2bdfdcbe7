//! Where counts and the policy lie, and how long.

use otp_core::event::EventKind;
use otp_core::request::Tenant;
use otp_core::store::{
    PolicyDocument, PolicyStore as _, Published, StatKey, StatName, StatWindow, StatsStore as _,
};
use otp_core::testing::store::kit;

use crate::fixture::Place;

const WEEK: i64 = 7 * 86_400_000;
const HOUR: i64 = 3_600_000;

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
async fn counts_end_by_themselves_and_the_policy_stays_among_what_guards() {
    let place = Place::new();
    let store = place.open().await;
    let key = StatKey::new(StatName::SENT, &Tenant::default(), "+4479").unwrap();
    store.count(&[(key.clone(), 3)]).await.unwrap();
    store.count(&[(key.clone(), 4)]).await.unwrap();
    let document = PolicyDocument::new("limits", "ann", "because").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    let published = store.publish(None, document, event).await;
    assert_eq!(published.unwrap(), Published::As(1));

    let mut raw = Place::raw();
    let mut left: Vec<i64> = place
        .keys(":t:")
        .iter()
        .map(|key| redis::cmd("PTTL").arg(key).query(&mut raw).unwrap())
        .collect();
    left.sort_unstable();
    let [minutes, hours] = left[..] else {
        panic!("a minute and an hour: {left:?}");
    };
    // Each lives as long as it may be asked for, and the sheet that it stands on.
    assert!((HOUR..6 * HOUR).contains(&minutes), "{minutes}");
    assert!((WEEK..WEEK + 28 * HOUR).contains(&hours), "{hours}");

    assert_eq!(place.delete(":"), 2, "nothing else lies there");
    let sums = store.sums(&[key], StatWindow::HOUR).await.unwrap();
    assert_eq!(sums, [0]);
    assert_eq!(store.version().await.unwrap(), 1);
    assert!(store.current().await.unwrap().is_some());
}
