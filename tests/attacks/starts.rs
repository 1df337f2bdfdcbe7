//! Asking for one code after the other: what a second start does to the first, and to its person.

use std::time::Duration;

use otp_kit::delivery::DeliveryErrorKind;
use otp_kit::operator::Whom;
use otp_kit::policy::Starts;
use otp_kit::prelude::*;
use otp_kit::verifier::{IssueError, Issued};

use crate::support::{Builder, PHONE, Service, from_anywhere, here};

fn start(context: RequestContext) -> Issue {
    Issue::to(PhoneNumber::parse(PHONE).unwrap())
        .for_purpose("login")
        .from(context)
}

fn spaced(builder: Builder) -> Builder {
    builder.limits(Limits::recommended().with_starts(Starts::Spaced))
}

fn is_held(answer: &Result<Issued, IssueError>) -> bool {
    match answer {
        Err(IssueError::Throttled(wait)) => {
            let wait = wait.retry_after();
            Duration::ZERO < wait && wait <= Duration::from_secs(60)
        }
        _ => false,
    }
}

#[tokio::test]
async fn r12_of_five_codes_for_one_person_the_newest_works_and_no_other() {
    for service in Service::everywhere(|builder| builder).await {
        let mut issued = Vec::new();
        for _ in 0..5 {
            issued.push(service.issue().await);
        }
        let (newest, code) = issued.pop().unwrap();
        for (id, code) in issued {
            let answer = service.verifier.verify(&id, code, here()).await;
            assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
        }
        assert!(service.verifier.verify(&newest, code, here()).await.is_ok());
    }
}

#[tokio::test]
async fn r14_a_start_before_its_time_sends_nothing_and_leaves_the_code_that_is_out() {
    for service in Service::everywhere(spaced).await {
        let (id, code) = service.issue().await;
        service.advance(59);
        for client in 0..20 {
            let early = service.verifier.issue(start(from_anywhere(client))).await;
            assert!(is_held(&early), "{early:?}");
        }
        assert_eq!(service.outbox.len(), 1);
        // What it is for is another code's business.
        let phone = PhoneNumber::parse(PHONE).unwrap();
        let other = Issue::to(phone).for_purpose("sign-up").from(here());
        assert!(service.verifier.issue(other).await.is_ok());
        assert!(service.verifier.verify(&id, code, here()).await.is_ok());
        service.advance(1);
        assert!(service.verifier.issue(start(here())).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_of_starts_that_race_one_sends() {
    for service in Service::everywhere(spaced).await {
        let calls: Vec<_> = (0..50)
            .map(|client| {
                let verifier = service.verifier.clone();
                tokio::spawn(async move { verifier.issue(start(from_anywhere(client))).await })
            })
            .collect();
        let mut sent = 0;
        for call in calls {
            let answer = call.await.unwrap();
            assert!(answer.is_ok() || is_held(&answer), "{answer:?}");
            sent += usize::from(answer.is_ok());
        }
        assert_eq!((sent, service.outbox.len()), (1, 1));
    }
}

#[tokio::test]
async fn r10_a_stranger_who_starts_again_and_again_holds_up_no_known_device() {
    for service in Service::everywhere(spaced).await {
        let (id, code) = service.issue().await;
        let verified = service.verifier.verify(&id, code, here()).await.unwrap();
        let token = service.verifier.remember_device(&verified).await.unwrap();
        let owner = || here().device_token(token.expose());
        service.advance(60);
        let theirs = service.verifier.issue(start(from_anywhere(1))).await;
        assert!(theirs.is_ok());
        let own = service.verifier.issue(start(owner())).await.unwrap();
        let code = service.code(PHONE);
        assert!(is_held(&service.verifier.issue(start(owner())).await));
        let signed_in = service.verifier.verify(&own.challenge_id, code, owner());
        assert!(signed_in.await.is_ok());
    }
}

#[tokio::test]
async fn a_start_that_reached_nobody_or_is_repeated_by_its_key_holds_up_nobody() {
    for service in Service::everywhere(spaced).await {
        service.outbox.fail_next(DeliveryErrorKind::Unauthorized);
        let failed = service.verifier.issue(start(here())).await;
        assert!(matches!(failed, Err(IssueError::NotSent(_))), "{failed:?}");
        let keyed = || start(here()).idempotency_key("one");
        let first = service.verifier.issue(keyed()).await.unwrap();
        let again = service.verifier.issue(keyed()).await.unwrap();
        assert_eq!(first.challenge_id, again.challenge_id);
        assert_eq!(service.outbox.len(), 1);
    }
}

#[tokio::test]
async fn an_operator_who_clears_somebodys_limits_lets_them_start_at_once() {
    for service in Service::everywhere(spaced).await {
        service.issue().await;
        assert!(is_held(&service.verifier.issue(start(here())).await));
        let phone = PhoneNumber::parse(PHONE).unwrap();
        let act = otp_kit::event::Act::new("alice", "a broken phone").unwrap();
        let operator = service.verifier.operator(act);
        operator
            .clear_limits(&Whom::Destination(phone.into()))
            .await
            .unwrap();
        assert!(service.verifier.issue(start(here())).await.is_ok());
    }
}
