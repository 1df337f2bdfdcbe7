use std::time::Duration;

use super::*;
use crate::destination::{Destination, PhoneNumber};
use crate::guard::{Action, ReasonKind};
use crate::policy::GuardMode;
use crate::quota::ClientAddress;
use crate::request::{SubjectId, SubjectKey, Tenant};

/// A service with a guard, and its time.
struct Service {
    model: GuardModel,
    rules: TollFraud,
    now: Timestamp,
}

impl Service {
    fn new() -> Self {
        Self {
            model: GuardModel::new(),
            rules: TollFraud::new(GuardMode::Enforce),
            now: Timestamp::from_millis(1_800_000_000_000),
        }
    }

    fn with<T>(&mut self, line: &Line, act: impl FnOnce(&mut Self, &Sending<'_>) -> T) -> T {
        let phone = PhoneNumber::parse(&line.0).unwrap();
        let number = SubjectKey::of_destination(&Destination::Phone(phone.clone()));
        let sending = Sending {
            tenant: &Tenant::default(),
            subject: Some(&number),
            phone: &phone,
            number: &number,
            address: line.1.parse().unwrap(),
            lane: line.2,
        };
        act(self, &sending)
    }

    /// Judges, and counts what is allowed.
    fn ask(&mut self, line: &Line) -> Verdict {
        self.with(line, |service, sending| {
            let fleet = FleetFigures::default();
            let verdict = service
                .model
                .judge(&service.rules, sending, &fleet, service.now);
            if verdict.action == Action::Allow {
                service.model.on_sent(sending, service.now);
            }
            verdict
        })
    }

    fn verified(&mut self, line: &Line) {
        self.with(line, |service, sending| {
            service.model.on_verified(sending, service.now);
        });
    }

    fn advance(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
    }
}

/// A number, the client that asks, and the door.
#[derive(Clone)]
struct Line(String, String, Lane);

/// Lines of one range, far from one another, each from a client of its own.
fn line(range: &str, number: u32) -> Line {
    let tail = number.wrapping_mul(101) % 10_000;
    let from = format!("2001:db8:{:x}:{:x}::1", number / 60_000, number % 60_000);
    Line(format!("{range}{tail:04}"), from, Lane::Public)
}

fn words(verdict: &Verdict) -> Vec<&'static str> {
    verdict.reasons.iter().map(|reason| reason.word()).collect()
}

#[test]
fn a_range_gets_twenty_unverified_codes_an_hour_and_every_verified_one_allows_two_more() {
    let mut service = Service::new();
    let allowed = |service: &mut Service, from: u32| {
        (from..from + 90)
            .filter(|number| service.ask(&line("+1415555", *number)).action == Action::Allow)
            .count()
    };
    assert_eq!(allowed(&mut service, 0), 20);
    let refused = service.ask(&line("+1415555", 95));
    assert_eq!(refused.action, Action::Deny);
    assert_eq!(words(&refused), ["range_unverified"]);
    let reason = &refused.reasons[0];
    assert_eq!((reason.found, reason.of, reason.limit), (20, 20, 20));
    service.verified(&line("+1415555", 0));
    // One fewer is out, and two more may be.
    assert_eq!(allowed(&mut service, 0), 3);
    // The others of the country are not concerned.
    assert_eq!(service.ask(&line("+1212555", 1)).action, Action::Allow);
    service.advance(3_600);
    assert_eq!(allowed(&mut service, 0), 20);
}

#[test]
fn a_range_or_country_whose_codes_nobody_types_is_shut_and_opens_by_itself() {
    let mut service = Service::new();
    service.rules = service.rules.clone().with_range_budget(1_000);
    // 60 messages to six ranges of one country, 11 verified: fewer than 20 in a hundred.
    for number in 0..60 {
        let line = line(&format!("+77010{}0", number % 6), number);
        assert_eq!(service.ask(&line).action, Action::Allow, "{number}");
        if number < 11 {
            service.verified(&line);
        }
    }
    let next = line("+7701099", 99);
    assert_eq!(
        service.ask(&next).action,
        Action::Allow,
        "they may be typing"
    );
    service.advance(300);
    let refused = service.ask(&line("+7701098", 98));
    assert_eq!(refused.action, Action::Deny);
    assert_eq!(words(&refused), ["country_conversion"]);
    assert_eq!(refused.reasons[0].limit, 20);
    service.advance(3_600);
    assert_eq!(service.ask(&line("+7701098", 98)).action, Action::Allow);
}

#[test]
fn numbers_that_follow_one_another_need_a_person_and_then_get_nothing() {
    let mut service = Service::new();
    let row = |number: u32| {
        let from = format!("198.51.100.{number}");
        Line(format!("+1415555{:04}", 4_000 + number), from, Lane::Public)
    };
    for number in 0..3 {
        assert_eq!(service.ask(&row(number)).action, Action::Allow);
    }
    let fourth = service.ask(&row(3));
    assert_eq!(fourth.action, Action::StepUp);
    assert_eq!(fourth.reasons[0].kind, ReasonKind::Sequence);
    // Somebody solves the captchas all the same.
    for number in 3..6 {
        service.with(&row(number), |service, sending| {
            service.model.on_sent(sending, service.now);
        });
    }
    assert_eq!(service.ask(&row(6)).action, Action::Deny);
}

#[test]
fn a_companys_row_of_numbers_that_verify_is_no_sequence() {
    let mut service = Service::new();
    for number in 0..200 {
        let from = "198.51.100.7".to_owned();
        let line = Line(format!("+1415555{:04}", 4_000 + number), from, Lane::Public);
        assert_eq!(service.ask(&line), Verdict::default(), "{number}");
        service.advance(5);
        service.verified(&line);
    }
}

#[test]
fn one_client_that_verifies_nothing_needs_a_person_and_then_gets_nothing() {
    let mut service = Service::new();
    let from = |number: u32| {
        let range = format!("+1{}555", 201 + number);
        let line = line(&range, number);
        Line(line.0, "203.0.113.7".to_owned(), line.2)
    };
    let valid: Vec<_> = (0..600)
        .map(from)
        .filter(|line| PhoneNumber::parse(&line.0).is_ok())
        .take(100)
        .collect();
    for line in &valid[..20] {
        assert_eq!(service.ask(line).action, Action::Allow);
    }
    let more = service.ask(&valid[20]);
    assert_eq!(
        (more.action, words(&more)),
        (Action::StepUp, vec!["address_unverified"])
    );
    for line in &valid[20..80] {
        service.with(line, |service, sending| {
            service.model.on_sent(sending, service.now);
        });
    }
    assert_eq!(service.ask(&valid[81]).action, Action::Deny);
}

#[test]
fn who_verified_before_and_a_known_device_get_their_code_in_a_range_that_is_shut() {
    let mut service = Service::new();
    let friend = line("+1415555", 500);
    assert_eq!(service.ask(&friend).action, Action::Allow);
    service.verified(&friend);
    service.advance(86_400);
    for number in 0..60 {
        service.ask(&line("+1415555", number));
    }
    assert_eq!(service.ask(&line("+1415555", 61)).action, Action::Deny);
    let known = service.ask(&friend);
    assert_eq!(known.exemption, Some(Exemption::VerifiedBefore));
    let Line(number, from, _) = line("+1415555", 62);
    let device = service.ask(&Line(number, from, Lane::KnownDevice));
    assert_eq!(device.exemption, Some(Exemption::KnownDevice));
    let account = SubjectKey::of_subject(&SubjectId::new("the-fraudster").unwrap());
    service.with(&line("+1415555", 63), |service, sending| {
        let sending = Sending {
            subject: Some(&account),
            lane: Lane::KnownDevice,
            ..*sending
        };
        let fleet = FleetFigures::default();
        let verdict = service
            .model
            .judge(&service.rules, &sending, &fleet, service.now);
        assert_eq!(verdict.action, Action::Deny, "an account is no number");
    });
    service.advance(30 * 86_400);
    for number in 0..60 {
        service.ask(&line("+1415555", number));
    }
    assert_eq!(service.ask(&friend).action, Action::Deny, "a month later");
}

#[test]
fn what_the_fleet_has_counted_counts_here() {
    let mut service = Service::new();
    let line = line("+1415555", 1);
    service.with(&line, |service, sending| {
        let mut fleet = FleetFigures {
            range: Figures {
                sent: 20,
                ..Figures::default()
            },
            ..FleetFigures::default()
        };
        let judge = |fleet: &FleetFigures| {
            service
                .model
                .judge(&service.rules, sending, fleet, service.now)
        };
        assert_eq!(judge(&fleet).action, Action::Deny);
        fleet.verified_before = true;
        assert_eq!(judge(&fleet).exemption, Some(Exemption::VerifiedBefore));
    });
}

#[test]
fn a_provider_that_is_down_shuts_no_range() {
    let mut service = Service::new();
    for number in 0..200 {
        let line = line("+1415555", number);
        assert_eq!(service.ask(&line).action, Action::Allow);
        service.with(&line, |service, sending| {
            service.model.on_not_sent(sending);
        });
    }
}

#[test]
fn tenants_do_not_spend_one_anothers_budgets() {
    let mut service = Service::new();
    for number in 0..40 {
        service.ask(&line("+1415555", number));
    }
    let phone = PhoneNumber::parse("+14155550042").unwrap();
    let number = SubjectKey::of_destination(&Destination::Phone(phone.clone()));
    let other = Sending {
        tenant: &Tenant::new("other").unwrap(),
        subject: Some(&number),
        phone: &phone,
        number: &number,
        address: ClientAddress::Unknown,
        lane: Lane::Public,
    };
    let fleet = FleetFigures::default();
    let verdict = service
        .model
        .judge(&service.rules, &other, &fleet, service.now);
    assert_eq!(verdict, Verdict::default());
}

#[test]
fn clients_by_the_hundred_thousand_take_bounded_memory() {
    let mut service = Service::new();
    let phone = PhoneNumber::parse("+14155550042").unwrap();
    let number = SubjectKey::of_destination(&Destination::Phone(phone.clone()));
    for client in 0..100_000_u32 {
        let bits = (0x2a00_u128 << 112) | (u128::from(client) << 64);
        let sending = Sending {
            tenant: &Tenant::default(),
            subject: Some(&number),
            phone: &phone,
            number: &number,
            address: std::net::IpAddr::V6(bits.into()).into(),
            lane: Lane::Public,
        };
        service.model.on_sent(&sending, service.now);
    }
    assert!(service.model.places() <= 4 * PLACES);
}
