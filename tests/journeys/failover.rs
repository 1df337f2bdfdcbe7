use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use otp_kit::breaker::BreakerState;
use otp_kit::delivery::{
    DeliveryErrorKind, DispatchCertainty, OnUnknown, Price, Prices, ProviderHealth, RouteHealth,
    VendorState,
};
use otp_kit::prelude::*;
use otp_kit::testing::{Behaviour, Inbox, StandIn};
use otp_kit::verifier::{IssueError, NoSuchProvider, NotSent, ResendError, StillSending};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{PHONE, Service, from_anywhere, here};

const DOWN: Behaviour = Behaviour::Refuse(DeliveryErrorKind::Unavailable);
const CROWD: u32 = 250;

/// A service with two providers for text messages, and what arrives.
struct Pair {
    service: Arc<Service>,
    inbox: Inbox,
    primary: StandIn,
    backup: StandIn,
}

impl Pair {
    fn new() -> Self {
        Self::with(|route| route)
    }

    fn with(configure: impl FnOnce(Route) -> Route) -> Self {
        let inbox = Inbox::new();
        let (primary, backup) = (
            StandIn::new("primary", &inbox),
            StandIn::new("backup", &inbox),
        );
        let route = configure(Route::primary(primary.clone()).backup(backup.clone()));
        let service = Service::with(|builder| builder.route(Channel::Sms, route));
        Self {
            service: Arc::new(service),
            inbox,
            primary,
            backup,
        }
    }

    /// Lets `people` ask for a code, all at once and each from somewhere else.
    async fn crowd(
        &self,
        people: std::ops::Range<u32>,
    ) -> Vec<(Result<Issued, IssueError>, Duration)> {
        let mut tasks = JoinSet::new();
        for person in people {
            let service = Arc::clone(&self.service);
            tasks.spawn(async move {
                let start = Instant::now();
                let answer = service.verifier.issue(start_of(person)).await;
                (answer, start.elapsed())
            });
        }
        tasks.join_all().await
    }

    fn primary_health(&self) -> ProviderHealth {
        let status = self.service.verifier.routes().status();
        let sms = status
            .into_iter()
            .find(|route| route.channel == Channel::Sms);
        sms.unwrap().providers.swap_remove(0)
    }
}

fn number(person: u32) -> Destination {
    let phone = format!("+1415555{person:04}");
    PhoneNumber::parse(&phone).unwrap().into()
}

fn start_of(person: u32) -> Issue {
    Issue::to(number(person))
        .for_purpose("login")
        .from(from_anywhere(person))
}

fn issue() -> Issue {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    Issue::to(phone).for_purpose("login").from(here())
}

fn not_sent(answer: Result<Issued, IssueError>) -> Box<NotSent> {
    match answer {
        Err(IssueError::NotSent(not_sent)) => not_sent,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_that_is_killed_under_a_crowd_loses_nobody_and_doubles_nobody() {
    let pair = Pair::new();
    for _ in 0..100 {
        pair.primary.then(Behaviour::Accept);
    }
    pair.primary.set(DOWN);
    let mut tasks = JoinSet::new();
    for person in 0..CROWD {
        let (service, inbox) = (Arc::clone(&pair.service), pair.inbox.clone());
        tasks.spawn(async move {
            let issued = service.verifier.issue(start_of(person)).await.unwrap();
            let code = inbox.last_code_for(&number(person)).unwrap();
            let context = from_anywhere(person);
            let verifier = &service.verifier;
            verifier
                .verify(&issued.challenge_id, code.expose(), context)
                .await
                .unwrap()
                .challenge_id()
        });
    }
    let signed_in = tasks.join_all().await;
    assert_eq!(signed_in.len(), 250);
    assert_eq!((pair.inbox.people(), pair.inbox.len()), (250, 250));
    assert_eq!(pair.backup.calls(), 150);
    // Five failures open it; a few more may have been under way when the fifth came back.
    let asked = pair.primary.calls();
    assert!((105..=109).contains(&asked), "{asked}");
    assert_eq!(pair.primary_health().breaker, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_hangs_under_a_crowd_is_answered_by_the_deadline_and_then_passed_over() {
    let pair = Pair::new();
    pair.primary.set(Behaviour::Hang);
    for (answer, took) in pair.crowd(0..CROWD).await {
        let failure = not_sent(answer);
        assert_eq!(failure.certainty(), DispatchCertainty::Unknown);
        assert!(took <= Duration::from_secs(10), "{took:?}");
    }
    // Nobody knows whether the first may still arrive, so nobody is sent a second.
    assert_eq!((pair.backup.calls(), pair.inbox.len()), (0, 0));
    assert_eq!(pair.primary.under_way(), 0);
    for (answer, took) in pair.crowd(CROWD..2 * CROWD).await {
        assert!(answer.is_ok(), "{answer:?}");
        assert_eq!(took, Duration::ZERO);
    }
    assert_eq!((pair.inbox.people(), pair.inbox.most_for_one()), (250, 1));
}

#[tokio::test(start_paused = true)]
async fn where_delivery_is_preferred_a_cut_is_two_messages_with_one_code_and_never_three() {
    let pair = Pair::with(|route| {
        let third = StandIn::new("third", &Inbox::new());
        route.backup(third).on_unknown(OnUnknown::PreferDelivery)
    });
    pair.primary.set(Behaviour::Cut);
    pair.backup.set(Behaviour::Cut);
    // The first of them are enough: after five the primary is passed over.
    for (answer, _) in pair.crowd(0..5).await {
        assert_eq!(not_sent(answer).certainty(), DispatchCertainty::Unknown);
    }
    for person in 0..5 {
        let to = number(person);
        assert_eq!(pair.inbox.senders_for(&to), ["primary", "backup"]);
        let codes = pair.inbox.codes_for(&to);
        assert_eq!(codes[0], codes[1]);
        assert_eq!(pair.inbox.ids_for(&to)[0], pair.inbox.ids_for(&to)[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_half_open_breaker_lets_exactly_one_of_a_crowd_through() {
    let pair = Pair::new();
    pair.primary.set(DOWN);
    for person in 0..6 {
        let answer = pair.service.verifier.issue(start_of(person)).await;
        assert!(answer.is_ok());
    }
    assert_eq!(pair.primary.calls(), 5);
    pair.service.advance(30);
    pair.primary.set(Behaviour::Slow(Duration::from_secs(1)));
    let answers = pair.crowd(100..100 + CROWD).await;
    assert!(answers.iter().all(|(answer, _)| answer.is_ok()));
    assert_eq!(
        (pair.primary.calls(), pair.primary.most_under_way()),
        (6, 1)
    );
    assert_eq!(pair.inbox.most_for_one(), 1);
    assert_eq!(pair.primary_health().breaker, BreakerState::Closed);
}

/// What the breaker should do, in the plainest words.
#[derive(Default)]
struct Model {
    failures: u32,
    opened: Option<Duration>,
    asked: usize,
}

impl Model {
    fn message(&mut self, now: Duration, works: bool) {
        let rested = self
            .opened
            .is_none_or(|at| now - at >= Duration::from_secs(30));
        if !rested {
            return;
        }
        self.asked += 1;
        match (works, self.opened) {
            (true, _) => {
                *self = Self {
                    asked: self.asked,
                    ..Self::default()
                }
            }
            (false, Some(_)) => self.opened = Some(now),
            (false, None) => {
                self.failures += 1;
                if self.failures == 5 {
                    self.opened = Some(now);
                }
            }
        }
    }
}

#[tokio::test]
async fn over_a_long_and_rough_day_the_breakers_trace_is_the_models() {
    let pair = Pair::new();
    let (mut model, mut now, mut dice) = (Model::default(), Duration::ZERO, 42_u64);
    for person in 0..2_000 {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Good hours and bad ones, and within each a few exceptions.
        let bad_hour = (person / 100) % 2 == 1;
        let works = ((dice >> 33) % 10 == 0) == bad_hour;
        let step = Duration::from_secs((dice >> 40) % 6);
        now += step;
        pair.service.clock.advance(step);
        pair.primary
            .set(if works { Behaviour::Accept } else { DOWN });
        let answer = pair.service.verifier.issue(start_of(person)).await;
        assert!(answer.is_ok(), "{answer:?}");
        model.message(now, works);
        let open = pair.primary_health().breaker == BreakerState::Open;
        assert_eq!(open, model.opened.is_some(), "message {person}");
        assert_eq!(pair.primary.calls(), model.asked, "message {person}");
    }
    assert_eq!((pair.inbox.people(), pair.inbox.most_for_one()), (2_000, 1));
}

#[tokio::test]
async fn a_refusal_that_protects_is_the_end_for_the_backup_too() {
    let pair = Pair::with(|route| route.on_unknown(OnUnknown::PreferDelivery));
    for kind in [DeliveryErrorKind::OptedOut, DeliveryErrorKind::Protected] {
        pair.primary.then(Behaviour::Refuse(kind));
        let failure = not_sent(pair.service.verifier.issue(issue()).await);
        assert!(failure.failure().is_protective());
    }
    assert_eq!((pair.backup.calls(), pair.inbox.len()), (0, 0));
}

#[tokio::test]
async fn a_resend_goes_along_the_route_as_well() {
    let pair = Pair::new();
    let issued = pair.service.verifier.issue(issue()).await.unwrap();
    pair.service.advance(60);
    pair.primary.set(DOWN);
    let resent = pair.service.verifier.resend(&issued.challenge_id, here());
    resent.await.unwrap();
    let to = Destination::parse(PHONE, None).unwrap();
    assert_eq!(pair.inbox.senders_for(&to), ["primary", "backup"]);
    let code = pair.inbox.last_code_for(&to).unwrap();
    let verifier = &pair.service.verifier;
    let verified = verifier
        .verify(&issued.challenge_id, code.expose(), here())
        .await;
    assert!(verified.is_ok(), "{verified:?}");
}

#[tokio::test]
async fn what_a_vendor_says_of_itself_is_shown_and_routes_nothing() {
    let pair = Pair::new();
    let routes = pair.service.verifier.routes();
    let told = routes.vendor_says("nobody", VendorState::Critical);
    assert_eq!(told, Err(NoSuchProvider));
    routes
        .vendor_says("primary", VendorState::Critical)
        .unwrap();
    pair.service.verifier.issue(issue()).await.unwrap();
    let to = Destination::parse(PHONE, None).unwrap();
    assert_eq!(pair.inbox.senders_for(&to), ["primary"]);
    let said = pair.primary_health().vendor.map(|notice| notice.state);
    assert_eq!(said, Some(VendorState::Critical));
}

#[tokio::test]
async fn a_channel_is_switched_off_and_its_route_replaced_while_the_service_runs() {
    let pair = Pair::new();
    let verifier = &pair.service.verifier;
    let routes = verifier.routes();
    let issued = verifier.issue(issue()).await.unwrap();
    routes.disable(Channel::Sms).unwrap();
    let refused = verifier.issue(issue()).await;
    assert!(
        matches!(refused, Err(IssueError::NoRoute(Channel::Sms))),
        "{refused:?}"
    );
    pair.service.advance(60);
    let refused = verifier.resend(&issued.challenge_id, here()).await;
    assert!(
        matches!(refused, Err(ResendError::NoRoute(Channel::Sms))),
        "{refused:?}"
    );
    let status = verifier.status().await;
    assert_eq!(status.channels, ["email"]);
    assert!(status.delivery.contains(&(Channel::Sms, RouteHealth::Off)));
    // The code that was sent before still works, and the refusals cost nothing.
    routes
        .replace(Channel::Sms, Route::primary(pair.backup.clone()))
        .unwrap();
    assert!(verifier.issue(issue()).await.is_err(), "still off");
    routes.enable(Channel::Sms).unwrap();
    verifier.resend(&issued.challenge_id, here()).await.unwrap();
    let to = Destination::parse(PHONE, None).unwrap();
    assert_eq!(pair.inbox.senders_for(&to), ["primary", "backup"]);
    assert!(routes.disable(Channel::Voice).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_full_background_is_busy_for_decoys_too_and_costs_nothing() {
    let inbox = Inbox::new();
    let provider = StandIn::new("primary", &inbox);
    provider.set(Behaviour::Hang);
    let service = Service::with(|builder| {
        builder
            .route(Channel::Sms, Route::primary(provider.clone()))
            .background_limit(NonZeroU32::new(2).unwrap())
    });
    let verifier = &service.verifier;
    for person in 0..2 {
        let waiting = start_of(person).dispatch(Dispatch::Background);
        verifier.issue(waiting).await.unwrap();
    }
    let real = || issue().dispatch(Dispatch::Background);
    let decoy = || {
        Issue::decoy(PHONE, Channel::Sms)
            .for_purpose("login")
            .dispatch(Dispatch::Background)
            .from(here())
    };
    for _ in 0..20 {
        for asked in [real(), decoy()] {
            let answer = verifier.issue(asked).await;
            assert!(matches!(answer, Err(IssueError::Busy(_))), "{answer:?}");
        }
    }
    let waited = Instant::now();
    let still = verifier.drain(Duration::from_secs(5)).await;
    assert_eq!(still, Err(StillSending { count: 2 }));
    assert_eq!(waited.elapsed(), Duration::from_secs(5));
    assert_eq!(verifier.drain(Duration::from_secs(60)).await, Ok(()));
    assert_eq!(waited.elapsed(), Duration::from_secs(10));
    // Of the five starts of an hour none was used.
    provider.set(Behaviour::Accept);
    for _ in 0..5 {
        verifier.issue(real()).await.unwrap();
        verifier.drain(Duration::from_secs(1)).await.unwrap();
    }
    assert_eq!(inbox.len(), 5);
}

#[tokio::test]
async fn toll_fraud_a_number_above_the_ceiling_costs_nothing_and_is_seen_in_the_events() {
    let (us, gb) = ("US".parse().unwrap(), "GB".parse().unwrap());
    let cheap = Price::from_micros(7_900);
    let pair = Pair::with(|route| {
        let prices = Prices::new().in_country("primary", us, cheap).in_country(
            "primary",
            gb,
            Price::from_micros(400_000),
        );
        route.prices(prices).max_price(cheap)
    });
    let verifier = &pair.service.verifier;
    assert!(verifier.issue(issue()).await.is_ok());
    let dear = PhoneNumber::parse("+447400123456").unwrap();
    let dear = Issue::to(dear).for_purpose("login").from(here());
    let failure = not_sent(verifier.issue(dear).await);
    assert_eq!(failure.failure().kind(), DeliveryErrorKind::Protected);
    assert_eq!((pair.primary.calls(), pair.backup.calls()), (1, 0));
    let records = verifier.store().outbox(None, 100).await.unwrap();
    let told = records
        .iter()
        .filter(|entry| entry.event.reason.as_deref() == Some("cost_ceiling"));
    assert_eq!(told.count(), 1);
}
