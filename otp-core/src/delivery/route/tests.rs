mod silence;

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::breaker::BreakerState;
use crate::challenge::{Code, CodeFormat};
use crate::clock::{Clock as _, ManualClock, Timestamp};
use crate::delivery::{DeliveryErrorKind, DispatchCertainty, Message, MessageId, SenderId};
use crate::destination::{Destination, PhoneNumber};
use crate::testing::{Behaviour, Inbox, StandIn};

const DOWN: Behaviour = Behaviour::Refuse(DeliveryErrorKind::Unavailable);

struct Bench {
    clock: ManualClock,
    inbox: Inbox,
    primary: StandIn,
    backup: StandIn,
}

impl Bench {
    fn new() -> Self {
        let inbox = Inbox::new();
        Self {
            clock: ManualClock::new(Timestamp::from_millis(1_000_000)),
            primary: StandIn::new("primary", &inbox),
            backup: StandIn::new("backup", &inbox),
            inbox,
        }
    }

    fn route(&self) -> Route {
        Route::primary(self.primary.clone()).backup(self.backup.clone())
    }

    async fn send(&self, route: &Route) -> Result<String, RouteFailure> {
        self.send_to(route, "+14155550123").await
    }

    async fn send_to(&self, route: &Route, to: &str) -> Result<String, RouteFailure> {
        let sent = route.send(&message(to), &self.clock).await;
        sent.map(|receipt| receipt.provider().to_owned())
    }

    fn breakers(&self, route: &Route) -> Vec<BreakerState> {
        let now = self.clock.now();
        let health = route.provider_health(now);
        health.iter().map(|health| health.breaker).collect()
    }
}

fn phone(number: &str) -> Destination {
    PhoneNumber::parse(number).expect("a number").into()
}

fn message(to: &str) -> Message {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("c-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let code = Code::normalise(CodeFormat::SIX_DIGITS, "123456").expect("six digits");
    let text = "123456".to_owned();
    Message::builder(MessageId::new(&id), Channel::Sms, phone(to), text, code).build()
}

fn region(code: &str) -> Region {
    Region::parse(code).expect("a region")
}

#[tokio::test]
async fn after_the_threshold_the_backup_is_asked_at_once_and_a_probe_brings_the_primary_back() {
    let bench = Bench::new();
    let route = bench.route();
    bench.primary.set(DOWN);
    for _ in 0..8 {
        assert_eq!(bench.send(&route).await.expect("sent"), "backup");
    }
    assert_eq!(bench.primary.calls(), 5, "the sixth did not ask it");
    assert_eq!(route.health(), RouteHealth::Degraded);
    bench.clock.advance(BreakerRules::REST);
    bench.primary.set(Behaviour::Accept);
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
    assert_eq!(route.health(), RouteHealth::Up);
    let health = route.provider_health(bench.clock.now());
    assert_eq!((health[0].failed, health[0].passed_over), (5, 3));
    assert_eq!((health[0].accepted, health[1].accepted), (1, 8));
    assert_eq!(health[0].last_error, Some(DeliveryErrorKind::Unavailable));
}

#[tokio::test]
async fn e_mail_fails_over_after_three_and_a_threshold_of_the_hosts_after_as_many() {
    assert_eq!(
        Bench::new().route().rules(Channel::Email).threshold().get(),
        3
    );
    let bench = Bench::new();
    let route = bench.route().failover_threshold(NonZeroU32::MIN);
    bench.primary.set(DOWN);
    for _ in 0..3 {
        bench.send(&route).await.expect("sent");
    }
    assert_eq!(bench.primary.calls(), 1);
}

#[tokio::test]
async fn bad_numbers_and_opt_outs_never_open_a_breaker() {
    let bench = Bench::new();
    let route = bench.route();
    for kind in [
        DeliveryErrorKind::Invalid,
        DeliveryErrorKind::Unreachable,
        DeliveryErrorKind::OptedOut,
        DeliveryErrorKind::Protected,
    ] {
        bench.primary.set(Behaviour::Refuse(kind));
        for _ in 0..20 {
            drop(bench.send(&route).await);
        }
    }
    assert_eq!(bench.breakers(&route)[0], BreakerState::Closed);
}

#[tokio::test]
async fn a_refusal_that_protects_never_reaches_the_backup() {
    let bench = Bench::new();
    let route = bench.route().on_unknown(OnUnknown::PreferDelivery);
    for kind in [DeliveryErrorKind::OptedOut, DeliveryErrorKind::Protected] {
        bench.primary.set(Behaviour::Refuse(kind));
        let failure = bench.send(&route).await.expect_err("refused");
        assert!(failure.is_protective());
        assert_eq!(failure.certainty(), DispatchCertainty::NotSent);
    }
    assert_eq!((bench.backup.calls(), bench.inbox.len()), (0, 0));
}

#[tokio::test]
async fn an_unknown_outcome_is_not_sent_again_unless_delivery_is_preferred() {
    let bench = Bench::new();
    bench.primary.set(Behaviour::Cut);
    let failure = bench.send(&bench.route()).await.expect_err("nobody knows");
    assert_eq!(failure.certainty(), DispatchCertainty::Unknown);
    assert_eq!((bench.backup.calls(), bench.inbox.len()), (0, 1));
    let twice = bench.route().on_unknown(OnUnknown::PreferDelivery);
    assert_eq!(bench.send(&twice).await.expect("sent"), "backup");
    let to = phone("+14155550123");
    assert_eq!(bench.inbox.count_for(&to), 3, "one before, and two");
    assert!(
        bench
            .inbox
            .codes_for(&to)
            .iter()
            .all(|code| code == "123456")
    );
}

#[tokio::test]
async fn even_where_delivery_is_preferred_nobody_gets_it_a_third_time() {
    let bench = Bench::new();
    let third = StandIn::new("third", &bench.inbox);
    let route = bench
        .route()
        .backup(third.clone())
        .on_unknown(OnUnknown::PreferDelivery);
    bench.primary.set(Behaviour::Cut);
    bench.backup.set(Behaviour::Cut);
    let failure = bench.send(&route).await.expect_err("nobody knows");
    assert_eq!(failure.errors().len(), 2);
    assert_eq!((third.calls(), bench.inbox.most_for_one()), (0, 2));
    // One that surely did not send does not count.
    bench.backup.set(DOWN);
    assert_eq!(bench.send(&route).await.expect("sent"), "third");
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_hangs_leaves_the_backup_its_time_and_all_of_it_ends_by_the_deadline() {
    let bench = Bench::new();
    let route = bench.route().on_unknown(OnUnknown::PreferDelivery);
    bench.primary.set(Behaviour::Hang);
    let start = tokio::time::Instant::now();
    assert_eq!(bench.send(&route).await.expect("sent"), "backup");
    assert_eq!(start.elapsed(), Duration::from_secs(6));
    bench.backup.set(Behaviour::Hang);
    let start = tokio::time::Instant::now();
    bench.send(&route).await.expect_err("both hang");
    assert_eq!(start.elapsed(), Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn where_the_backup_rests_the_primary_has_all_the_time() {
    let bench = Bench::new();
    let route = bench.route().failover_threshold(NonZeroU32::MIN);
    bench.primary.then(DOWN);
    bench.backup.set(DOWN);
    bench.send(&route).await.expect_err("both are down");
    bench.clock.advance(BreakerRules::REST);
    bench.primary.set(Behaviour::Slow(Duration::from_secs(9)));
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
}

#[tokio::test]
async fn where_everybody_rests_the_longest_rested_is_tried_one_message_at_a_time() {
    let bench = Bench::new();
    let route = bench.route().failover_threshold(NonZeroU32::MIN);
    // Nobody's fault: it says nothing of the provider, and leaves a probe's place free.
    let shrug = Behaviour::Refuse(DeliveryErrorKind::Unreachable);
    bench.primary.then(shrug);
    bench.backup.then(DOWN);
    bench.send(&route).await.expect_err("the backup opens");
    bench.clock.advance(Duration::from_secs(5));
    bench.primary.then(DOWN);
    bench.backup.then(shrug);
    bench.send(&route).await.expect_err("the primary opens");
    assert_eq!(
        bench.breakers(&route),
        [BreakerState::Open, BreakerState::Open]
    );
    assert_eq!(route.health(), RouteHealth::Down);
    assert_eq!((bench.primary.calls(), bench.backup.calls()), (2, 2));
    bench.clock.advance(Duration::from_secs(1));
    assert_eq!(bench.send(&route).await.expect("sent"), "backup");
    assert_eq!((bench.primary.calls(), bench.backup.calls()), (2, 3));
    assert_eq!(route.health(), RouteHealth::Degraded);
}

#[tokio::test(start_paused = true)]
async fn while_a_probe_is_under_way_nobody_else_waits_on_a_dead_provider() {
    let bench = Bench::new();
    let route = Route::primary(bench.primary.clone()).failover_threshold(NonZeroU32::MIN);
    bench.primary.set(Behaviour::Hang);
    bench.send(&route).await.expect_err("it hangs");
    bench.clock.advance(BreakerRules::REST);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (route, clock) = (route.clone(), bench.clock.clone());
        crowd.spawn(async move {
            let start = tokio::time::Instant::now();
            let failure = route.send(&message("+14155550123"), &clock).await;
            (
                failure.expect_err("it is down").certainty(),
                start.elapsed(),
            )
        });
    }
    let waited: Vec<_> = crowd.join_all().await;
    let asked = waited
        .iter()
        .filter(|(certainty, took)| {
            *certainty == DispatchCertainty::Unknown && *took == Duration::from_secs(10)
        })
        .count();
    let turned = waited
        .iter()
        .filter(|(certainty, took)| *certainty == DispatchCertainty::NotSent && took.is_zero())
        .count();
    assert_eq!((asked, turned, bench.primary.calls()), (1, 49, 2));
}

#[tokio::test]
async fn another_channel_is_preferred_to_a_provider_that_rests() {
    let bench = Bench::new();
    let route = Route::primary(bench.primary.clone()).failover_threshold(NonZeroU32::MIN);
    bench.primary.set(DOWN);
    bench.send(&route).await.expect_err("down");
    let calls = bench.primary.calls();
    let message = message("+14155550123");
    let left = Duration::from_secs(10);
    let failure = route
        .send_within(
            &message,
            &Errand::default(),
            &bench.clock,
            left,
            Afterwards::AnotherChannel,
        )
        .await
        .expect_err("it rests");
    assert_eq!(failure.certainty(), DispatchCertainty::NotSent);
    assert_eq!(failure.errors()[0].code(), Some("resting"));
    assert_eq!(failure.errors()[0].retry_after(), Some(BreakerRules::REST));
    assert_eq!(bench.primary.calls(), calls);
}

#[tokio::test]
async fn a_dropped_probe_leaves_its_place_to_the_next_message() {
    let bench = Bench::new();
    let route = bench.route().failover_threshold(NonZeroU32::MIN);
    bench.primary.set(DOWN);
    bench.send(&route).await.expect("the backup takes it");
    bench.clock.advance(BreakerRules::REST);
    bench.primary.set(Behaviour::Hang);
    let mut probe = Box::pin(bench.send(&route));
    let pending = poll_once(probe.as_mut()).await;
    assert!(pending.is_none());
    assert_eq!(bench.breakers(&route)[0], BreakerState::HalfOpen);
    drop(probe);
    bench.primary.set(Behaviour::Accept);
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
}

async fn poll_once<T>(
    mut future: std::pin::Pin<&mut (impl Future<Output = T> + ?Sized)>,
) -> Option<T> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_provider_that_panics_is_a_failure_of_its_own_and_of_nobody_else() {
    let bench = Bench::new();
    let route = bench.route();
    bench.primary.set(Behaviour::Panic);
    let failure = bench.send(&route).await.expect_err("nobody knows");
    assert_eq!(failure.kind(), DeliveryErrorKind::Protocol);
    assert_eq!(failure.certainty(), DispatchCertainty::Unknown);
    assert_eq!(route.provider_health(bench.clock.now())[0].failed, 1);
}

#[tokio::test]
async fn a_country_has_its_own_order_sender_and_breakers() {
    let bench = Bench::new();
    let sender = |name: &str| SenderId::new(name).expect("a sender");
    let rule = CountryRule::new()
        .via("backup")
        .via("primary")
        .sender(sender("Acme"))
        .sender_at("primary", sender("+447700900000"));
    let route = bench
        .route()
        .failover_threshold(NonZeroU32::MIN)
        .in_country(region("GB"), rule);
    route.check(Channel::Sms).expect("a route");
    let (us, gb) = ("+14155550123", "+447400123456");
    assert_eq!(bench.send_to(&route, us).await.expect("sent"), "primary");
    assert_eq!(bench.inbox.last_sender_for(&phone(us)), None);
    assert_eq!(bench.send_to(&route, gb).await.expect("sent"), "backup");
    assert_eq!(
        bench.inbox.last_sender_for(&phone(gb)),
        Some(sender("Acme"))
    );
    bench.backup.then(DOWN);
    assert_eq!(bench.send_to(&route, gb).await.expect("sent"), "primary");
    assert_eq!(
        bench.inbox.last_sender_for(&phone(gb)),
        Some(sender("+447700900000"))
    );
    let health = route.provider_health(bench.clock.now());
    let records: Vec<_> = health
        .iter()
        .map(|health| (health.provider.as_str(), health.country, health.breaker))
        .collect();
    assert_eq!(
        records,
        [
            ("primary", None, BreakerState::Closed),
            ("backup", None, BreakerState::Closed),
            ("backup", Some(region("GB")), BreakerState::Open),
            ("primary", Some(region("GB")), BreakerState::Closed),
        ]
    );
}

#[tokio::test]
async fn a_provider_of_a_countrys_own_serves_nobody_else() {
    let bench = Bench::new();
    let local = StandIn::new("local", &bench.inbox);
    let rule = CountryRule::new().via_own(local.clone()).via("primary");
    let route = bench.route().in_country(region("GB"), rule);
    assert_eq!(
        bench.send_to(&route, "+447400123456").await.expect("sent"),
        "local"
    );
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
    assert_eq!(local.calls(), 1);
}

#[tokio::test]
async fn above_the_ceiling_no_vendor_is_asked_and_a_cheaper_one_is() {
    let bench = Bench::new();
    let price = Price::from_micros;
    let prices = Prices::new()
        .everywhere("primary", price(50_000))
        .everywhere("backup", price(20_000))
        .in_country("backup", region("GB"), price(90_000));
    let route = bench.route().prices(prices).max_price(price(30_000));
    assert_eq!(bench.send(&route).await.expect("sent"), "backup");
    let failure = bench
        .send_to(&route, "+447400123456")
        .await
        .expect_err("too dear");
    assert_eq!(failure.kind(), DeliveryErrorKind::Protected);
    assert_eq!(failure.reason(), "cost_ceiling");
    assert!(failure.is_protective());
    assert_eq!((bench.primary.calls(), bench.backup.calls()), (0, 1));
    // A country's own ceiling stands in place of the route's.
    let rule = CountryRule::new().max_price(price(90_000));
    let route = route.in_country(region("GB"), rule);
    assert_eq!(
        bench.send_to(&route, "+447400123456").await.expect("sent"),
        "primary"
    );
}

#[tokio::test]
async fn a_price_that_nobody_knows_is_above_every_ceiling() {
    let bench = Bench::new();
    let route = bench.route().max_price(Price::from_micros(u64::MAX));
    bench.send(&route).await.expect_err("nobody knows");
    assert_eq!(bench.primary.calls() + bench.backup.calls(), 0);
}

#[test]
fn a_rule_that_names_a_provider_that_is_not_there_is_refused() {
    let bench = Bench::new();
    let sender = SenderId::new("Acme").expect("a sender");
    for rule in [
        CountryRule::new().via("nobody"),
        CountryRule::new().sender_at("nobody", sender),
    ] {
        let route = bench.route().in_country(region("GB"), rule);
        assert_eq!(
            route.check(Channel::Sms),
            Err(InvalidRoute::UnknownProvider {
                provider: "nobody".to_owned(),
                country: region("GB"),
            })
        );
    }
}

#[test]
fn a_rule_that_names_a_provider_twice_is_refused() {
    let bench = Bench::new();
    let rule = CountryRule::new().via("backup").via("backup");
    let route = bench.route().in_country(region("GB"), rule);
    assert_eq!(
        route.check(Channel::Sms),
        Err(InvalidRoute::Repeated {
            provider: "backup".to_owned(),
            country: region("GB"),
        })
    );
}

#[tokio::test]
async fn a_deadline_longer_than_a_clock_counts_is_no_deadline() {
    let bench = Bench::new();
    let route = bench.route().deadline(Duration::MAX);
    assert_eq!(bench.send(&route).await.expect("sent"), "primary");
}
