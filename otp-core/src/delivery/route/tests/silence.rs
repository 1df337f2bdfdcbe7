use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;

const USUAL: Duration = Duration::from_millis(20);
/// How long the first of five starts at once are waited for before they tell on a provider.
const SOON: Duration = Duration::from_millis(500);

/// Starts so many at once.
fn crowd(bench: &Bench, route: &Route, people: u32) -> JoinSet<(String, Duration)> {
    let mut crowd = JoinSet::new();
    for _ in 0..people {
        let (route, clock) = (route.clone(), bench.clock.clone());
        crowd.spawn(async move {
            let begun = Instant::now();
            let sent = route.send(&message("+14155550123"), &clock).await;
            let by = sent.map_or_else(
                |failure| failure.kind().name().to_owned(),
                |receipt| receipt.provider().to_owned(),
            );
            (by, begun.elapsed())
        });
    }
    crowd
}

/// Lets time pass for whoever waits by now.
async fn pass(time: Duration) {
    settle().await;
    tokio::time::advance(time).await;
    settle().await;
}

async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn ended(crowd: JoinSet<(String, Duration)>) -> Vec<(String, Duration)> {
    let mut ended = crowd.join_all().await;
    ended.sort();
    ended
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_keeps_those_waiting_who_came_within_half_a_second() {
    let bench = Bench::new();
    let route = bench.route();
    bench.primary.set(Behaviour::Hang);
    let first = crowd(&bench, &route, 5);
    pass(SOON - Duration::from_millis(10)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Closed);
    pass(Duration::from_millis(20)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Open);
    let later = ended(crowd(&bench, &route, 50)).await;
    assert!(
        later
            .iter()
            .all(|(by, took)| by == "backup" && took.is_zero()),
        "{later:?}"
    );
    let first = ended(first).await;
    let whole = Duration::from_secs(6);
    assert!(
        first
            .iter()
            .all(|(by, took)| by == "timeout" && *took >= whole),
        "{first:?}"
    );
    assert_eq!(bench.primary.calls(), 5);
    assert_eq!(
        bench.inbox.len(),
        50,
        "none of the first five was sent a second time"
    );
    let health = route.provider_health(bench.clock.now());
    assert_eq!((health[0].failed, health[0].unknown), (5, 5));
}

#[tokio::test(start_paused = true)]
async fn one_that_was_only_slow_is_back_with_its_first_answer() {
    let bench = Bench::new();
    let route = bench.route();
    bench
        .primary
        .set(Behaviour::Slow(Duration::from_millis(700)));
    let first = crowd(&bench, &route, 5);
    pass(SOON + Duration::from_millis(10)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Open);
    let first = ended(first).await;
    assert!(first.iter().all(|(by, _)| by == "primary"), "{first:?}");
    assert_eq!(bench.breakers(&route)[0], BreakerState::Closed);
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
}

#[tokio::test(start_paused = true)]
async fn what_is_usual_for_a_provider_is_no_silence() {
    let bench = Bench::new();
    let route = bench.route();
    bench.primary.set(Behaviour::Slow(Duration::from_secs(1)));
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
    bench.primary.set(Behaviour::Hang);
    let waiting = crowd(&bench, &route, 5);
    pass(Duration::from_millis(3_990)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Closed);
    pass(Duration::from_millis(20)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Open);
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn failures_that_take_long_do_not_make_long_silences_usual() {
    let bench = Bench::new();
    let route = bench.route();
    bench.primary.set(Behaviour::Slow(USUAL));
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
    bench.primary.set(Behaviour::Hang);
    for _ in 0..2 {
        bench.send(&route).await.expect_err("six seconds each");
    }
    let waiting = crowd(&bench, &route, 3);
    pass(SOON + Duration::from_millis(10)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Open);
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_else_could_take_them_a_slow_provider_is_waited_for() {
    let bench = Bench::new();
    let route = Route::primary(bench.primary.clone());
    bench.primary.set(Behaviour::Slow(Duration::from_secs(8)));
    let sent = ended(crowd(&bench, &route, 20)).await;
    assert!(sent.iter().all(|(by, _)| by == "primary"), "{sent:?}");
    assert_eq!(bench.primary.calls(), 20);
}

#[tokio::test(start_paused = true)]
async fn another_channel_is_preferred_to_one_that_hangs_once_it_is_known_how_long_it_takes() {
    let bench = Bench::new();
    let route = Route::primary(bench.primary.clone());
    let over = |route: Route| {
        let clock = bench.clock.clone();
        async move {
            let message = message("+14155550123");
            let errand = Errand::default();
            let left = Duration::from_secs(10);
            let another = Afterwards::AnotherChannel;
            let sent = route.send_within(&message, &errand, &clock, left, another);
            sent.await.map(drop).map_err(|failure| failure.certainty())
        }
    };
    let many = |route: &Route| {
        let mut many = JoinSet::new();
        for _ in 0..5 {
            many.spawn(over(route.clone()));
        }
        many
    };
    bench
        .primary
        .set(Behaviour::Slow(Duration::from_millis(700)));
    let unknown = many(&route);
    pass(Duration::from_millis(690)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Closed);
    assert!(unknown.join_all().await.iter().all(Result::is_ok));
    bench.primary.set(Behaviour::Hang);
    let waiting = many(&route);
    pass(Duration::from_secs(3)).await;
    assert_eq!(bench.breakers(&route)[0], BreakerState::Open);
    assert_eq!(over(route.clone()).await, Err(DispatchCertainty::NotSent));
    drop(waiting);
}

#[tokio::test(start_paused = true)]
async fn bad_numbers_that_a_provider_is_slow_to_refuse_never_open_its_breaker_for_long() {
    let bench = Bench::new();
    let route = bench.route();
    let slowly = Duration::from_millis(700);
    let refusal = DeliveryErrorKind::Unreachable;
    bench.primary.set(Behaviour::RefuseAfter(slowly, refusal));
    let refused = ended(crowd(&bench, &route, 20)).await;
    assert!(refused.iter().all(|(by, _)| by == "backup"), "{refused:?}");
    assert_eq!(bench.breakers(&route)[0], BreakerState::Closed);
}
