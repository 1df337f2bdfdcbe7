use std::time::Duration;

use otp_kit::event::Act;
use otp_kit::policy::{AllowList, Allowed, Policy};
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, Scope};
use otp_kit::store::{Block, BlockKind};
use otp_kit::verifier::{IssueError, ResendError};

use crate::support::{PHONE, Service, from_anywhere, here, wrong};

fn to(phone: &str) -> Issue {
    Issue::to(PhoneNumber::parse(phone).unwrap())
        .for_purpose("login")
        .from(here())
}

#[tokio::test]
async fn the_sixth_code_of_an_hour_waits_and_says_how_long() {
    let service = Service::new();
    for _ in 0..5 {
        service.verifier.issue(to(PHONE)).await.unwrap();
        service.advance(60);
    }
    let Err(IssueError::Throttled(throttled)) = service.verifier.issue(to(PHONE)).await else {
        panic!("the sixth is too many");
    };
    assert_eq!(throttled.retry_after(), Duration::from_secs(3_300));
    let subject = throttled
        .readings()
        .iter()
        .find(|r| r.scope() == Scope::Destination);
    assert_eq!(subject.map(|r| (r.limit(), r.remaining())), Some((5, 0)));
    assert_eq!(service.outbox.len(), 5);
    service.advance(3_300);
    assert!(service.verifier.issue(to(PHONE)).await.is_ok());
}

#[tokio::test]
async fn a_refused_request_costs_nothing_elsewhere() {
    let service = Service::new();
    for _ in 0..5 {
        service.verifier.issue(to(PHONE)).await.unwrap();
    }
    for _ in 0..45 {
        assert!(service.verifier.issue(to(PHONE)).await.is_err());
    }
    // The address had 50 starts: 5 were used, and the 45 refusals took none.
    assert!(service.verifier.issue(to("+14155550199")).await.is_ok());
}

#[tokio::test]
async fn a_resend_waits_for_its_cooldown_and_replaces_the_code() {
    let service = Service::new();
    let (id, first) = service.issue().await;
    let early = service.verifier.resend(&id, here()).await;
    let Err(ResendError::TooEarly(wait)) = early else {
        panic!("{early:?}");
    };
    assert_eq!(wait.retry_after(), Duration::from_secs(60));
    service.advance(60);
    service.verifier.resend(&id, here()).await.unwrap();
    let second = service.code(PHONE);
    assert_ne!(first, second);
    assert!(service.verifier.verify(&id, first, here()).await.is_err());
    assert!(service.verifier.verify(&id, second, here()).await.is_ok());
}

#[tokio::test]
async fn who_is_allowed_past_a_blocked_range_is_sent_a_code_again_too() {
    let service = Service::new();
    let operator = service
        .verifier
        .operator(Act::new("mike", "a flood").unwrap());
    let range = Block::new(BlockKind::Prefix, "+1415555").unwrap();
    operator.block(&[range], None).await.unwrap();
    let blocked = service.verifier.issue(to(PHONE)).await;
    assert!(matches!(blocked, Err(IssueError::Blocked)), "{blocked:?}");
    let allowed = Allowed::new(BlockKind::Phone, PHONE).unwrap();
    let limits = Policy::new(Limits::recommended());
    let policy = limits.with_allow_list(AllowList::new().with(allowed));
    let act = Act::new("mike", "our office").unwrap();
    let policies = service.verifier.policies();
    policies.replace(policy, act).await.unwrap();
    let (id, _) = service.issue().await;
    service.advance(60);
    assert!(service.verifier.resend(&id, here()).await.is_ok());
}

#[tokio::test]
async fn limits_change_while_the_service_runs() {
    let service = Service::new();
    let tight = Limits::recommended().on_issue(
        Scope::Address,
        Quota::window(1, Duration::from_secs(60)).unwrap(),
    );
    let policies = service.verifier.policies();
    let why = Act::new("alice", "a flood").unwrap();
    let tight = Policy::new(tight);
    policies.replace(tight, why.clone()).await.unwrap();
    service.verifier.issue(to(PHONE)).await.unwrap();
    assert!(service.verifier.issue(to("+14155550124")).await.is_err());
    let usual = Policy::new(Limits::recommended());
    policies.replace(usual, why.clone()).await.unwrap();
    assert!(service.verifier.issue(to("+14155550124")).await.is_ok());
    let broken = Policy::new(Limits::recommended().with_attempts(0));
    assert!(policies.replace(broken, why).await.is_err());
    assert_eq!(service.verifier.policy().limits().attempts(), 5);
}

#[tokio::test]
async fn after_a_used_up_challenge_the_lane_pauses_and_opens_again_by_itself() {
    let service = Service::new();
    let (id, code) = service.issue().await;
    for _ in 0..5 {
        service
            .verifier
            .verify(&id, wrong(&code), here())
            .await
            .unwrap_err();
    }
    let Err(IssueError::Locked(locked)) = service.verifier.issue(to(PHONE)).await else {
        panic!("the lane pauses");
    };
    assert_eq!(locked.retry_after(), Duration::from_secs(30));
    service.advance(30);
    let (id, code) = service.issue().await;
    assert!(service.verifier.verify(&id, code, here()).await.is_ok());
}

#[tokio::test]
async fn numbers_that_cost_money_are_refused_before_anything_is_spent() {
    let service = Service::new();
    for costly in [
        "+19002345678",
        "+870773111632",
        "+4470123456",
        "+97912345678",
    ] {
        let Ok(phone) = PhoneNumber::parse(costly) else {
            continue;
        };
        let issue = Issue::to(phone).for_purpose("login").from(from_anywhere(1));
        let answer = service.verifier.issue(issue).await;
        assert!(
            matches!(answer, Err(IssueError::Destination(_))),
            "{costly}: {answer:?}"
        );
    }
    assert!(service.outbox.is_empty());
}
