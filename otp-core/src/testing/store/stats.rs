use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, race};
use super::{StoreFixture, kit};
use crate::request::Tenant;
use crate::store::{StatGrain, StatKey, StatName, StatWindow, StoreErrorKind};

const ANSWERS: &str = "an answer";
const ONE_MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// However many add at once, and to however many counters, every add is in the sum once.
pub async fn a_thousand_adds_at_once_sum_exactly(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let keys = [key("GB"), key("DE"), key("FR")];
    race(RACERS, |racer| {
        let store = Arc::clone(&bench.store);
        // Some name the keys in another order: nobody waits for anybody in a circle.
        let mut counts: Vec<_> = keys.iter().cloned().zip(1..).collect();
        counts.rotate_left(racer % 3);
        async move { store.count(&counts).await.expect(ANSWERS) }
    })
    .await;
    for window in [StatWindow::HOUR, StatWindow::DAY] {
        let sums = sums(&bench, &keys, window).await;
        assert_eq!(sums, [1_000, 2_000, 3_000], "every add is counted once");
    }
}

/// What was counted is in a window for its whole length, and up to one minute longer.
pub async fn minutes_leave_a_short_window(fixture: &dyn StoreFixture) {
    leaves(
        fixture,
        StatGrain::Minute,
        StatWindow::last(Duration::from_secs(600)),
    )
    .await;
}

/// The longest window that is summed by the minute has every minute of it.
pub async fn minutes_leave_a_window_of_two_hours(fixture: &dyn StoreFixture) {
    leaves(
        fixture,
        StatGrain::Minute,
        StatWindow::last(Duration::from_secs(7_200)),
    )
    .await;
}

/// What was counted is in a window of days for its whole length, and up to one hour longer.
pub async fn hours_leave_a_long_window(fixture: &dyn StoreFixture) {
    leaves(fixture, StatGrain::Hour, StatWindow::DAY).await;
}

/// The longest window has every hour of its week.
pub async fn hours_leave_a_week(fixture: &dyn StoreFixture) {
    leaves(fixture, StatGrain::Hour, StatWindow::WEEK).await;
}

async fn leaves(fixture: &dyn StoreFixture, grain: StatGrain, window: StatWindow) {
    let bench = Bench::new(fixture);
    // The last moment of a minute or hour, and the first one of the next.
    let now = bench.now().await;
    let next = grain.begin(now).saturating_add(grain.length());
    bench.advance(next.since(now) - ONE_MS);
    let keys = [key("GB")];
    add(&bench, &keys, 2).await;
    bench.advance(ONE_MS);
    add(&bench, &keys, 3).await;
    assert_eq!(sums(&bench, &keys, window).await, [5]);
    bench.advance(window.length() - ONE_MS);
    bench.store.purge(1_000).await.expect(ANSWERS);
    assert_eq!(
        sums(&bench, &keys, window).await,
        [5],
        "what was counted within the window is in its sum, after a purge too"
    );
    bench.advance(ONE_MS);
    assert_eq!(sums(&bench, &keys, window).await, [3], "a grain has left");
    assert_eq!(top(&bench, window, 9).await, [("GB".to_owned(), 3)]);
    bench.advance(grain.length() - ONE_MS);
    assert_eq!(sums(&bench, &keys, window).await, [3], "to the end of it");
    bench.advance(ONE_MS);
    assert_eq!(sums(&bench, &keys, window).await, [0], "nothing is left");
    assert!(top(&bench, window, 9).await.is_empty());
}

/// What was never counted is 0, and of no keys there are no sums.
pub async fn what_was_never_counted_is_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    add(&bench, &[key("GB")], 0).await;
    bench.store.count(&[]).await.expect(ANSWERS);
    let total = StatKey::total(StatName::SENT, &Tenant::default());
    let asked = [key("GB"), total];
    assert_eq!(sums(&bench, &asked, StatWindow::HOUR).await, [0, 0]);
    assert!(sums(&bench, &[], StatWindow::WEEK).await.is_empty());
    assert!(top(&bench, StatWindow::WEEK, 9).await.is_empty());
}

/// Sums come in the order of their keys; a key that is named twice counts and answers twice.
pub async fn sums_come_in_the_order_of_their_keys(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let (gb, de) = (key("GB"), key("DE"));
    let counts = [(gb.clone(), 1), (de.clone(), 10), (gb.clone(), 2)];
    bench.store.count(&counts).await.expect(ANSWERS);
    let asked = [gb.clone(), key("FR"), de, gb];
    for window in [StatWindow::HOUR, StatWindow::WEEK] {
        assert_eq!(sums(&bench, &asked, window).await, [3, 0, 10, 3]);
    }
}

/// Tenants, names and values are apart, whatever the values look like.
pub async fn counters_that_look_alike_are_apart(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let (one, two) = (kit::tenant("a"), kit::tenant("a.b"));
    let mut keys = Vec::new();
    for value in [
        "a", "A", "a:b", "{a}", "%", "_", "';--", "\\", "\"", "0", "[]",
    ] {
        for name in [StatName::SENT, StatName::VERIFIED] {
            for tenant in [&one, &two] {
                keys.extend(StatKey::new(name, tenant, value));
            }
        }
    }
    keys.extend([&one, &two].map(|tenant| StatKey::total(StatName::SENT, tenant)));
    let counts: Vec<_> = keys.iter().cloned().zip(1_u32..).collect();
    bench.store.count(&counts).await.expect(ANSWERS);
    let expected: Vec<u64> = counts.iter().map(|(_, count)| u64::from(*count)).collect();
    assert_eq!(expected.len(), 46, "every value is one");
    assert_eq!(sums(&bench, &keys, StatWindow::HOUR).await, expected);
    let listed = bench
        .store
        .top(StatName::SENT, &two, StatWindow::DAY, 99)
        .await
        .expect(ANSWERS);
    let mut own: Vec<(String, u64)> = counts
        .iter()
        .filter(|(key, _)| key.name() == StatName::SENT && *key.tenant() == two)
        .filter(|(key, _)| !key.value().is_empty())
        .map(|(key, count)| (key.value().to_owned(), u64::from(*count)))
        .collect();
    own.reverse();
    assert_eq!(listed, own, "one tenant's values of one name, and no total");
}

/// The largest come first, of equal ones in the order of their values, and no more than asked for.
pub async fn the_largest_counters_come_first(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let counts = [("DE", 7), ("GB", 90), ("FR", 7), ("a", 7), ("US", 1)];
    let counts = counts.map(|(value, count)| (key(value), count));
    bench.store.count(&counts).await.expect(ANSWERS);
    bench.advance(MINUTE);
    bench.store.count(&[(key("US"), 20)]).await.expect(ANSWERS);
    for window in [StatWindow::HOUR, StatWindow::WEEK] {
        let expected = [("GB", 90), ("US", 21), ("DE", 7), ("FR", 7), ("a", 7)];
        let expected = expected.map(|(value, sum)| (value.to_owned(), sum));
        assert_eq!(top(&bench, window, 9).await, expected);
        assert_eq!(top(&bench, window, 4).await, expected[..4]);
        assert!(top(&bench, window, 0).await.is_empty());
    }
}

/// A purge takes what no window has, so many at the most, and nothing else.
pub async fn a_purge_leaves_counts_that_stand(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let old: Vec<StatKey> = (0..20).map(|n| key(&format!("+44{n}"))).collect();
    let both = [key("DE"), key("+440")];
    add(&bench, &old, 1).await;
    let removed = bench.store.purge(1_000).await.expect(ANSWERS);
    assert_eq!(removed, 0, "nothing is over");
    bench.advance(8 * 24 * HOUR);
    add(&bench, &both, 5).await;
    let removed = bench.store.purge(7).await.expect(ANSWERS);
    assert!(removed <= 7, "a purge of at most seven removed {removed}");
    while bench.store.purge(7).await.expect(ANSWERS) > 0 {}
    assert_eq!(sums(&bench, &both, StatWindow::WEEK).await, [5, 5]);
    let sum: u64 = sums(&bench, &old, StatWindow::WEEK).await.iter().sum();
    assert_eq!(sum, 5, "what was over is gone");
}

/// A clock that goes back loses no count and doubles none: nothing is counted until it has caught
/// up, and then everything is as if it had stood still.
pub async fn a_clock_that_went_back_loses_no_count(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let keys = [key("GB")];
    add(&bench, &keys, 3).await;
    bench.step_back(HOUR);
    let counted = bench.store.count(&[(key("GB"), 100)]).await;
    let kind = counted.expect_err("nothing is counted").kind();
    assert_eq!(kind, StoreErrorKind::ClockAnomaly);
    bench.advance(HOUR);
    for window in [StatWindow::HOUR, StatWindow::DAY] {
        assert_eq!(sums(&bench, &keys, window).await, [3]);
    }
    bench.step_back(Duration::from_secs(4));
    add(&bench, &keys, 1).await;
    assert_eq!(
        sums(&bench, &keys, StatWindow::last(Duration::ZERO)).await,
        [4],
        "a small step back moves nothing into another minute"
    );
}

/// More keys than a call may have are refused, and none of them is counted.
pub async fn too_many_counters_at_once_are_refused(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let keys: Vec<StatKey> = (0..=StatKey::MOST).map(|n| key(&n.to_string())).collect();
    let counts: Vec<_> = keys.iter().map(|key| (key.clone(), 1)).collect();
    let counted = bench.store.count(&counts).await;
    assert_eq!(
        counted.expect_err("too many").kind(),
        StoreErrorKind::Invalid
    );
    let summed = bench.store.sums(&keys, StatWindow::HOUR).await;
    assert_eq!(
        summed.expect_err("too many").kind(),
        StoreErrorKind::Invalid
    );
    let (most, _) = keys.split_at(StatKey::MOST);
    let sum: u64 = sums(&bench, most, StatWindow::HOUR).await.iter().sum();
    assert_eq!(sum, 0);
    add(&bench, most, 1).await;
    let sum: u64 = sums(&bench, most, StatWindow::HOUR).await.iter().sum();
    assert_eq!(sum, 1_000, "as many as a call may have");
}

fn key(value: &str) -> StatKey {
    StatKey::new(StatName::SENT, &Tenant::default(), value).expect("a key")
}

async fn add(bench: &Bench<'_>, keys: &[StatKey], count: u32) {
    let counts: Vec<_> = keys.iter().map(|key| (key.clone(), count)).collect();
    bench.store.count(&counts).await.expect(ANSWERS);
}

async fn sums(bench: &Bench<'_>, keys: &[StatKey], window: StatWindow) -> Vec<u64> {
    bench.store.sums(keys, window).await.expect(ANSWERS)
}

async fn top(bench: &Bench<'_>, window: StatWindow, limit: usize) -> Vec<(String, u64)> {
    let (name, tenant) = (StatName::SENT, Tenant::default());
    let listed = bench.store.top(name, &tenant, window, limit).await;
    listed.expect(ANSWERS)
}
