//! Who is a customer? Asked by somebody who has brought the toll-fraud guard up against a range.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::delivery::DeliveryErrorKind;
use otp_kit::event::Outcome;
use otp_kit::policy::{GuardMode, Told, TollFraud};
use otp_kit::prelude::*;
use otp_kit::providers::SiteVerify;
use otp_kit::providers::captcha::Vendor;
use otp_kit::providers::http::ScriptedTransport;
use otp_kit::testing::{Behaviour, Inbox, StandIn};
use otp_kit::verifier::{Claim, IssueError, Issued, ResendError};
use tokio::time::Instant;

use crate::guarded::{guarded, number, raise_the_guard, start};
use crate::support::{Service, from_anywhere};

const CUSTOMER: u32 = 9_000;
const STRANGER: u32 = 9_100;

/// Signs the customer in once, and then brings the guard up against the range.
async fn attacked(service: &Service) {
    let issued = service.verifier.issue(start(CUSTOMER, 1)).await.unwrap();
    let code = service.code(number(CUSTOMER).e164());
    let verified = service
        .verifier
        .verify(&issued.challenge_id, code, from_anywhere(1));
    drop(verified.await.unwrap());
    // What the fleet counts is counted beside the requests, and of that day.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    service.advance(86_400);
    raise_the_guard(service).await;
}

/// What an outsider sees of a start.
fn seen(issued: &Issued) -> (usize, SystemTimes, Channel) {
    let id = issued.challenge_id.to_string().len();
    (id, (issued.expires_at, issued.resend_at), issued.channel)
}

type SystemTimes = (std::time::SystemTime, std::time::SystemTime);

/// Takes out whom messages went to since the last look.
fn sent(service: &Service) -> Vec<Destination> {
    let messages = service.outbox.take();
    messages
        .iter()
        .map(|one| one.destination().clone())
        .collect()
}

#[tokio::test]
async fn r18_whoever_brings_the_guard_up_learns_no_customer_of_the_range() {
    for service in Service::everywhere(guarded).await {
        attacked(&service).await;
        assert_eq!(sent(&service).len(), 21);
        let verifier = &service.verifier;
        let customer = verifier.issue(start(CUSTOMER, 2)).await.unwrap();
        let stranger = verifier.issue(start(STRANGER, 3)).await.unwrap();
        assert_eq!(seen(&customer), seen(&stranger));
        // The message of one goes, and that is the one difference.
        let reached = [Destination::from(number(CUSTOMER))];
        assert_eq!(sent(&service), reached);
        for issued in [&customer, &stranger] {
            let id = &issued.challenge_id;
            let early = verifier.resend(id, from_anywhere(4)).await;
            assert!(matches!(early, Err(ResendError::TooEarly(_))), "{early:?}");
            let guess = verifier.verify(id, "00000000", from_anywhere(4)).await;
            assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
        }
        service.advance(60);
        for issued in [&customer, &stranger] {
            let again = verifier.resend(&issued.challenge_id, from_anywhere(5));
            let again = again.await.unwrap();
            assert_eq!(again.channel, Channel::Sms);
        }
        assert_eq!(sent(&service), reached, "nor does a resend go");
        // The limits end for both at once.
        let mut taken = [0, 0];
        for (line, taken) in [CUSTOMER, STRANGER].into_iter().zip(&mut taken) {
            while verifier.issue(start(line, 6)).await.is_ok() {
                *taken += 1;
            }
        }
        assert_eq!(taken, [4, 4]);
    }
}

#[tokio::test]
async fn what_is_kept_back_is_on_record_for_the_operator() {
    for service in Service::everywhere(guarded).await {
        attacked(&service).await;
        let issued = service.verifier.issue(start(STRANGER, 3)).await.unwrap();
        let found = service.verifier.store().outbox(None, 10_000).await.unwrap();
        let of_it = found.iter().map(|entry| &entry.event);
        let mut of_it = of_it.filter(|event| {
            event.challenge.as_deref() == Some(issued.challenge_id.fingerprint().as_str())
        });
        let event = of_it.next().unwrap();
        assert_eq!(event.outcome, Outcome::Refused);
        assert_eq!(event.reason.as_deref(), Some("toll_fraud_range_unverified"));
        let masked = number(STRANGER).to_string();
        assert_eq!(event.destination.as_deref(), Some(masked.as_str()));
        assert_eq!(of_it.next(), None, "nothing of it was sent");
        assert!(!service.verifier.suspicions().is_empty());
        // Nobody is in the challenge, so no code of it can be right.
        let claim = Claim::latest_to(&Destination::from(number(STRANGER)), "login");
        let answer = service.verifier.verify(claim, "12345678", from_anywhere(3));
        assert!(matches!(answer.await, Err(VerifyError::Rejected)));
    }
}

#[tokio::test]
async fn r18_a_captcha_is_asked_of_a_customer_as_of_anybody_from_a_suspected_address() {
    let service = Service::with(|builder| {
        let vendor = SiteVerify::builder(Vendor::HCaptcha, "the-secret");
        let vendor = vendor.transport(Arc::new(ScriptedTransport::new()));
        let vendor = vendor.hostname("login.example.com").build().unwrap();
        let rules = TollFraud::new(GuardMode::Enforce).with_address_budget(3);
        builder.captcha(vendor).toll_fraud(rules)
    });
    let issued = service.verifier.issue(start(CUSTOMER, 1)).await.unwrap();
    let code = service.code(number(CUSTOMER).e164());
    let verified = service
        .verifier
        .verify(&issued.challenge_id, code, from_anywhere(1));
    drop(verified.await.unwrap());
    for line in 0..3 {
        assert!(service.verifier.issue(start(line * 101, 7)).await.is_ok());
    }
    for line in [CUSTOMER, STRANGER] {
        let answer = service.verifier.issue(start(line, 7)).await;
        assert!(
            matches!(answer, Err(IssueError::CaptchaRequired)),
            "{line} {answer:?}"
        );
    }
}

const TAKES: Duration = Duration::from_millis(1_500);

#[tokio::test(start_paused = true)]
async fn r18_what_is_kept_back_takes_as_long_as_what_goes_and_fails_while_that_fails() {
    let slow = StandIn::new("slow", &Inbox::new());
    slow.set(Behaviour::Slow(TAKES));
    let service = Service::with(|builder| {
        let route = Route::primary(slow.clone());
        guarded(builder).route(Channel::Sms, route)
    });
    let took = async |line| {
        let begun = Instant::now();
        let answer = service.verifier.issue(start(line, line)).await;
        (answer.is_ok(), begun.elapsed())
    };
    for line in 0..20 {
        assert_eq!(took(line * 101).await, (true, TAKES));
    }
    assert_eq!(took(STRANGER).await, (true, TAKES));
    let down = DeliveryErrorKind::Unavailable;
    slow.set(Behaviour::RefuseAfter(TAKES, down));
    let elsewhere = Issue::to(PhoneNumber::parse("+447400123456").unwrap());
    let elsewhere = elsewhere.for_purpose("login").from(from_anywhere(1));
    assert!(service.verifier.issue(elsewhere).await.is_err());
    assert_eq!(took(STRANGER + 7).await, (false, TAKES));
}

#[tokio::test]
async fn a_host_that_tells_refusals_is_told_them() {
    let rules = || TollFraud::new(GuardMode::Enforce).telling(Told::Refusal);
    for service in Service::everywhere(|builder| builder.toll_fraud(rules())).await {
        for line in 0..20 {
            assert!(
                service
                    .verifier
                    .issue(start(line * 101, line))
                    .await
                    .is_ok()
            );
        }
        let refused = service.verifier.issue(start(STRANGER, 30)).await;
        assert!(matches!(refused, Err(IssueError::Blocked)), "{refused:?}");
    }
}
