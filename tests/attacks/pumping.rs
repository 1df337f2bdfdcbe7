//! Toll fraud: codes asked for to numbers that pay the attacker.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::delivery::DeliveryErrorKind;
use otp_kit::destination::Region;
use otp_kit::event::EventKind;
use otp_kit::guard::{Action, Exemption};
use otp_kit::policy::{Geography, GuardMode, Told, TollFraud};
use otp_kit::prelude::*;
use otp_kit::providers::SiteVerify;
use otp_kit::providers::captcha::Vendor;
use otp_kit::providers::http::ScriptedTransport;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;
use otp_kit::verifier::IssueError;

use crate::support::{Service, figure, from_anywhere};

/// Tells its refusals, so that a test hears them.
fn enforcing() -> TollFraud {
    TollFraud::new(GuardMode::Enforce).telling(Told::Refusal)
}

fn guarded() -> Service {
    Service::with(|builder| builder.toll_fraud(enforcing()))
}

fn number(line: u32) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1415555{line:04}")).unwrap()
}

/// A number of the same range that is no neighbour of the others.
fn apart(line: u32) -> PhoneNumber {
    number(line.wrapping_mul(101) % 10_000)
}

fn start(phone: PhoneNumber, client: u32) -> Issue {
    Issue::to(phone)
        .for_purpose("sign-up")
        .from(from_anywhere(client))
}

/// Signs somebody up, and answers whether that went.
async fn sign_up(service: &Service, phone: PhoneNumber, client: u32) -> bool {
    let Ok(issued) = service.verifier.issue(start(phone.clone(), client)).await else {
        return false;
    };
    let code = service.code(phone.e164());
    let from = from_anywhere(client);
    let verified = service.verifier.verify(&issued.challenge_id, code, from);
    verified.await.is_ok()
}

async fn events(verifier: &Verifier, kind: EventKind) -> Vec<String> {
    let found = verifier.store().outbox(None, 100_000).await.unwrap();
    let of_kind = found.into_iter().filter(|entry| entry.event.kind == kind);
    let reasons = of_kind.filter_map(|entry| entry.event.reason);
    reasons.map(|reason| reason.into_owned()).collect()
}

#[tokio::test]
async fn ten_thousand_numbers_in_a_row_get_twenty_messages_an_hour_at_most() {
    let service = guarded();
    let numbers = figure("PUMPED_NUMBERS", 10_000);
    for line in 0..numbers {
        drop(service.verifier.issue(start(number(line), line)).await);
    }
    let sent = service.outbox.len();
    assert!((1..=20).contains(&sent), "{sent} were sent");
    // Not in a row, and an hour later, with the five minutes that the fleet counts in: the budget
    // of the range.
    service.advance(3_900);
    for line in 0..numbers.min(2_000) {
        drop(service.verifier.issue(start(apart(line), line)).await);
    }
    let more = service.outbox.len() - sent;
    assert!((1..=20).contains(&more), "{more} were sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_that_are_asked_for_all_at_once_get_no_more_than_one_after_the_other() {
    for service in Service::everywhere(|builder| builder.toll_fraud(enforcing())).await {
        let calls: Vec<_> = (0..200)
            .map(|line| {
                let verifier = service.verifier.clone();
                tokio::spawn(async move { verifier.issue(start(apart(line), line)).await.is_ok() })
            })
            .collect();
        let mut sent = 0;
        for call in calls {
            sent += u32::from(call.await.unwrap());
        }
        assert_eq!(sent, 20);
    }
}

#[tokio::test]
async fn shadow_mode_refuses_nobody_and_reports_whom_it_would_have() {
    let shadow = TollFraud::new(GuardMode::Shadow);
    for service in Service::everywhere(|builder| builder.toll_fraud(shadow.clone())).await {
        for line in 0..60 {
            let issued = service.verifier.issue(start(apart(line), line)).await;
            assert!(issued.is_ok(), "{issued:?}");
        }
        assert_eq!(service.outbox.len(), 60);
        // Nobody who asked for a code waited for the reports.
        service
            .verifier
            .drain(Duration::from_secs(60))
            .await
            .unwrap();
        let reported = events(&service.verifier, EventKind::TollFraudSuspected).await;
        assert_eq!(reported.len(), 40);
        assert!(
            reported
                .iter()
                .all(|reason| reason == "shadow_deny_range_unverified"),
            "{reported:?}"
        );
        let suspicions = service.verifier.suspicions();
        assert_eq!(suspicions.len(), 40);
        assert!(suspicions.iter().all(|one| one.mode == GuardMode::Shadow));
    }
}

#[tokio::test]
async fn a_guard_that_is_off_neither_refuses_nor_reports() {
    let service = Service::new();
    for line in 0..60 {
        assert!(
            service
                .verifier
                .issue(start(number(line), line))
                .await
                .is_ok()
        );
    }
    assert!(service.verifier.suspicions().is_empty());
}

#[tokio::test]
async fn who_verified_before_gets_a_code_in_the_midst_of_the_attack() {
    for service in Service::everywhere(|builder| builder.toll_fraud(enforcing())).await {
        let friend = apart(9_000);
        assert!(sign_up(&service, friend.clone(), 1).await);
        service.advance(86_400);
        for line in 0..60 {
            drop(service.verifier.issue(start(apart(line), line)).await);
        }
        let stranger = service.verifier.issue(start(apart(61), 61)).await;
        assert!(matches!(stranger, Err(IssueError::Blocked)), "{stranger:?}");
        assert!(sign_up(&service, friend.clone(), 2).await);
        let verdict =
            service
                .verifier
                .explain_toll_fraud(&Tenant::default(), &friend, &from_anywhere(2));
        assert_eq!(verdict.exemption, Some(Exemption::VerifiedBefore));
    }
}

#[tokio::test]
async fn an_account_with_a_known_device_pumps_no_more_than_one_without() {
    for service in Service::everywhere(|builder| builder.toll_fraud(enforcing())).await {
        let account = || SubjectId::new("the-fraudster").unwrap();
        let own = PhoneNumber::parse("+447400123456").unwrap();
        let first = start(own.clone(), 1).for_subject(account());
        let issued = service.verifier.issue(first).await.unwrap();
        let code = service.code(own.e164());
        let verified = service
            .verifier
            .verify(&issued.challenge_id, code, from_anywhere(1));
        let verified = verified.await.unwrap();
        let token = service.verifier.remember_device(&verified).await.unwrap();
        let ask = async |phone| {
            let context = from_anywhere(1).device_token(token.expose());
            let issue = Issue::to(phone)
                .for_purpose("sign-up")
                .for_subject(account());
            service.verifier.issue(issue.from(context)).await
        };
        for line in 0..20 {
            drop(service.verifier.issue(start(apart(line), line)).await);
        }
        let pumped = ask(apart(20)).await;
        assert!(matches!(pumped, Err(IssueError::Blocked)), "{pumped:?}");
        // Its own number verified before, and is exempt by that.
        assert!(ask(own).await.is_ok());
    }
}

#[tokio::test]
async fn a_client_that_is_suspected_goes_on_by_a_captcha_that_its_vendor_says_is_solved() {
    let script = ScriptedTransport::new()
        .then(
            200,
            r#"{"success":false,"error-codes":["invalid-input-response"]}"#,
        )
        .then(200, r#"{"success":true,"hostname":"login.example.com"}"#);
    let service = Service::with(|builder| {
        let vendor = SiteVerify::builder(Vendor::HCaptcha, "the-secret");
        let vendor = vendor.hostname("login.example.com");
        let vendor = vendor.transport(Arc::new(script.clone())).build().unwrap();
        let rules = enforcing().with_address_budget(3);
        builder.captcha(vendor).toll_fraud(rules)
    });
    let ask = async |line, token: &str| {
        let from = from_anywhere(1).captcha_token(token);
        let issue = Issue::to(apart(line)).for_purpose("sign-up").from(from);
        service.verifier.issue(issue).await.map(drop)
    };
    for line in 0..3 {
        ask(line, "").await.unwrap();
    }
    let bare = ask(3, "").await;
    assert!(matches!(bare, Err(IssueError::CaptchaRequired)), "{bare:?}");
    let unsolved = ask(3, "token-1").await;
    assert!(
        matches!(unsolved, Err(IssueError::CaptchaFailed)),
        "{unsolved:?}"
    );
    assert_eq!(service.outbox.len(), 3);
    ask(3, "token-2").await.unwrap();
    assert_eq!((service.outbox.len(), script.requests().len()), (4, 2));
}

#[tokio::test]
async fn a_denial_says_why_with_figures_to_the_operator_and_nothing_to_the_claimant() {
    let service = guarded();
    for line in 0..20 {
        assert!(
            service
                .verifier
                .issue(start(apart(line), line))
                .await
                .is_ok()
        );
    }
    let refused = service.verifier.issue(start(apart(20), 20)).await;
    assert_eq!(refused.unwrap_err().to_string(), "refused");
    let suspicions = service.verifier.suspicions();
    let verdict = &suspicions.last().unwrap().verdict;
    assert_eq!(verdict.action, Action::Deny);
    assert_eq!(
        verdict.to_string(),
        "deny: range +1415•••: 20 of 20 codes of the last hour are unverified, 20 may be"
    );
    let explained =
        service
            .verifier
            .explain_toll_fraud(&Tenant::default(), &apart(21), &from_anywhere(21));
    assert_eq!(&explained, verdict);
    let refusals = events(&service.verifier, EventKind::ChallengeIssued).await;
    assert_eq!(
        refusals.last().map(String::as_str),
        Some("toll_fraud_range_unverified")
    );
}

#[tokio::test]
async fn a_launch_that_people_sign_up_in_is_no_attack() {
    let service = guarded();
    for person in 0..300 {
        assert!(sign_up(&service, apart(person), person).await, "{person}");
        service.advance(2);
    }
    assert!(service.verifier.suspicions().is_empty());
}

#[tokio::test]
async fn a_provider_that_is_down_does_not_shut_the_range() {
    let service = guarded();
    for line in 0..60 {
        service.outbox.fail_next(DeliveryErrorKind::Unauthorized);
        let failed = service.verifier.issue(start(apart(line), line)).await;
        assert!(matches!(failed, Err(IssueError::NotSent(_))), "{failed:?}");
        service.advance(60);
    }
    assert!(sign_up(&service, apart(61), 61).await);
}

#[tokio::test]
async fn an_attack_on_one_instance_is_known_to_the_others() {
    let clock = otp_kit::testing::ManualClock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let outbox = Outbox::new();
    let instance = || {
        Verifier::builder(store.clone(), KeyRing::generate(&OsRandom).unwrap())
            .route(Channel::Sms, Route::primary(outbox.clone()))
            .limits(Limits::recommended())
            .hasher(CodeHasher::keyed())
            .clock(clock.clone())
            .toll_fraud(enforcing())
            .build()
            .unwrap()
    };
    let (one, other) = (instance(), instance());
    for line in 0..20 {
        assert!(one.issue(start(apart(line), line)).await.is_ok());
    }
    // The counts are written behind the answers.
    let mut refused = false;
    for line in 20..120 {
        tokio::task::yield_now().await;
        refused |= other.issue(start(apart(line), line)).await.is_err();
    }
    assert!(refused);
    let sent = outbox.len();
    assert!(sent <= 25, "{sent} were sent by the two");
    clock.advance(Duration::from_secs(3_700));
    assert!(other.issue(start(apart(9_000), 9_000)).await.is_ok());
}

#[tokio::test]
async fn a_country_that_policy_does_not_send_to_costs_nothing() {
    let us = || Geography::only([Region::parse("US").unwrap()]);
    let limits = || Limits::recommended().with_geography(us());
    for service in Service::everywhere(|builder| builder.limits(limits())).await {
        let jamaica = PhoneNumber::parse("+18765550123").unwrap();
        let refused = service.verifier.issue(start(jamaica, 1)).await;
        let country = "country_not_allowed";
        assert!(
            matches!(refused, Err(IssueError::Destination(reason)) if reason == country),
            "{refused:?}"
        );
        assert!(service.outbox.is_empty());
        assert!(sign_up(&service, number(1), 1).await);
    }
}

#[tokio::test]
async fn a_48_full_of_addresses_has_ten_times_what_a_64_has() {
    let service = Service::new();
    let client = |number: u32| {
        let bits = (0x2a00_0001_0001_u128 << 80) | (u128::from(number) << 64) | 1;
        RequestContext::from_address(std::net::Ipv6Addr::from_bits(bits).into())
    };
    let mut sent = 0;
    for line in 0..800_u32 {
        let issue = Issue::to(number(line))
            .for_purpose("sign-up")
            .from(client(line));
        sent += u32::from(service.verifier.issue(issue).await.is_ok());
    }
    assert_eq!(sent, 500);
}
