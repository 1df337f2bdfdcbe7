use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use otp_kit::clock::Clock as _;
use otp_kit::event::{Act, EventKind};
use otp_kit::policy::{Exception, OverrideError, Policy, SecondFactor, Vip};
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, Scope};
use otp_kit::request::Operation;
use otp_kit::verifier::{IssueError, PolicyChangeError, VerifyError};

use crate::support::{PHONE, Service, from_anywhere, here, wrong};

fn to(phone: &str) -> Issue {
    Issue::to(PhoneNumber::parse(phone).unwrap())
        .for_purpose("login")
        .from(here())
}

fn why() -> Act {
    Act::new("alice", "an incident").unwrap()
}

fn after(service: &Service, seconds: u64) -> SystemTime {
    SystemTime::from(service.clock.now()) + Duration::from_secs(seconds)
}

/// What the audit log has of policies, as it reads.
async fn audited(service: &Service) -> Vec<(EventKind, String, String)> {
    drop(service.verifier.policy());
    tokio::task::yield_now().await;
    let records = service.verifier.store().outbox(None, 1_000).await.unwrap();
    let kinds = [
        EventKind::PolicyChanged,
        EventKind::OverrideBegan,
        EventKind::OverrideEnded,
    ];
    let ours = records.into_iter().map(|entry| entry.event);
    ours.filter(|event| kinds.contains(&event.kind))
        .map(|event| {
            let act = event.act.expect("every change is somebody's");
            let act = format!("{}: {}", act.operator, act.reason.as_str());
            (
                event.kind,
                event.reason.unwrap_or_default().into_owned(),
                act,
            )
        })
        .collect()
}

#[tokio::test]
async fn every_change_is_recorded_with_its_versions_its_author_and_its_reason() {
    let service = Service::new();
    let policies = service.verifier.policies();
    let policy = Policy::new(Limits::recommended().with_attempts(3));
    assert_eq!(policies.replace(policy, why()).await.unwrap(), 2);
    let off = Exception::ChannelOff(Channel::Sms);
    let id = policies
        .override_until(off, after(&service, 60), why())
        .await
        .unwrap();
    let done = Act::new("bob", "the provider is back").unwrap();
    policies.end_override(id, done.clone()).await.unwrap();
    let again = policies.end_override(id, done).await;
    let Err(PolicyChangeError::Override(OverrideError::Unknown)) = again else {
        panic!("{again:?}");
    };
    assert_eq!(
        audited(&service).await,
        [
            (
                EventKind::PolicyChanged,
                "version 1 to 2".to_owned(),
                "alice: an incident".to_owned()
            ),
            (
                EventKind::OverrideBegan,
                format!("{id} channel_off sms"),
                "alice: an incident".to_owned()
            ),
            (
                EventKind::OverrideEnded,
                format!("{id} channel_off sms"),
                "bob: the provider is back".to_owned()
            ),
        ]
    );
}

#[tokio::test]
async fn a_refused_policy_changes_nothing_and_leaves_no_record() {
    let service = Service::new();
    let broken = Policy::new(Limits::recommended().with_attempts(0));
    let refused = service.verifier.policies().replace(broken, why()).await;
    assert!(
        matches!(refused, Err(PolicyChangeError::Policy(_))),
        "{refused:?}"
    );
    assert_eq!(service.verifier.policies().status().version, 1);
    assert!(audited(&service).await.is_empty());
}

#[tokio::test]
async fn a_channel_that_is_overridden_off_is_on_again_by_itself_and_a_clock_set_back_changes_nothing()
 {
    let service = Service::new();
    let policies = service.verifier.policies();
    let off = Exception::ChannelOff(Channel::Sms);
    policies
        .override_until(off, after(&service, 600), why())
        .await
        .unwrap();
    let refused = service.verifier.issue(to(PHONE)).await;
    assert!(
        matches!(refused, Err(IssueError::NoRoute(Channel::Sms))),
        "{refused:?}"
    );
    let status = service.verifier.status().await;
    assert_eq!(
        (status.channels, status.overrides),
        (vec!["email"], vec!["channel_off"])
    );
    service.advance(600);
    service.verifier.issue(to(PHONE)).await.unwrap();
    let records = audited(&service).await;
    assert_eq!(records.len(), 2, "{records:?}");
    assert_eq!(records[1].0, EventKind::OverrideEnded);
    assert!(
        records[1].1.ends_with("channel_off sms expired"),
        "{records:?}"
    );
    service.clock.step_back(Duration::from_secs(3_600));
    service.advance(60);
    assert!(policies.overrides().is_empty());
    assert!(service.verifier.policy().channels().is_on(Channel::Sms));
}

#[tokio::test]
async fn a_vip_is_sent_more_and_guesses_no_more() {
    let service = Service::new();
    let policies = service.verifier.policies();
    let ceo = SubjectId::new("the-ceo").unwrap();
    let other = SubjectId::new("anybody").unwrap();
    let vip = Exception::Vip(Vip::subject(&ceo, 3).unwrap());
    policies
        .override_until(vip, after(&service, 86_400), why())
        .await
        .unwrap();
    for (subject, phone, sends) in [(&ceo, PHONE, 15), (&other, "+14155550124", 5)] {
        let mut sent = 0;
        for number in 0..20 {
            let issue = to(phone)
                .for_subject(subject.clone())
                .from(from_anywhere(number));
            sent += usize::from(service.verifier.issue(issue).await.is_ok());
        }
        assert_eq!(sent, sends, "{subject}");
    }
    let (mut wrongs, bound) = (
        0,
        service.verifier.policy().limits().budget().windows[0].public,
    );
    for number in 0..21 {
        service.advance(4_000);
        let issue = to(PHONE)
            .for_subject(ceo.clone())
            .from(from_anywhere(100 + number));
        let Ok(issued) = service.verifier.issue(issue).await else {
            continue;
        };
        let code = service.code(PHONE);
        for _ in 0..5 {
            let place = from_anywhere(1_000 + wrongs);
            let tried = service
                .verifier
                .verify(&issued.challenge_id, wrong(&code), place)
                .await;
            wrongs += u32::from(matches!(tried, Err(VerifyError::Rejected)));
        }
    }
    assert!(
        wrongs <= bound,
        "{wrongs} wrong guesses were compared in a day"
    );
    let ended = policies.end_overrides_of(&ceo, why()).await.unwrap();
    assert_eq!((ended, policies.overrides().len()), (1, 0));
}

#[tokio::test]
async fn a_waived_second_factor_is_required_again_after_its_hours() {
    let service = Service::new();
    let policies = service.verifier.policies();
    assert_eq!(
        service.verifier.policy().second_factor(),
        SecondFactor::Required
    );
    let waived = Exception::SecondFactorWaived;
    policies
        .override_until(waived, after(&service, 86_400), why())
        .await
        .unwrap();
    assert_eq!(
        service.verifier.policy().second_factor(),
        SecondFactor::Waived
    );
    service.advance(86_400);
    assert_eq!(
        service.verifier.policy().second_factor(),
        SecondFactor::Required
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn policies_that_are_swapped_under_load_refuse_nobody_wrongly() {
    let service = Arc::new(Service::new());
    let done = Arc::new(AtomicBool::new(false));
    let swaps = {
        let (service, done) = (Arc::clone(&service), Arc::clone(&done));
        tokio::spawn(async move {
            let policies = service.verifier.policies();
            let mut swaps = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let attempts = 3 + swaps % 3;
                let policy = Policy::new(Limits::recommended().with_attempts(attempts));
                policies.replace(policy, why()).await.unwrap();
                let quota = Exception::Quota {
                    operation: Operation::Issue,
                    scope: Scope::Address,
                    quota: Quota::window(40, Duration::from_secs(300)).unwrap(),
                };
                let id = policies
                    .override_until(quota, after(&service, 60), why())
                    .await;
                policies.end_override(id.unwrap(), why()).await.unwrap();
                swaps += 1;
                tokio::task::yield_now().await;
            }
            swaps
        })
    };
    let people = (0..400_u32).map(|number| {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let phone = format!("+1415555{:04}", 1_000 + number);
            let issue = to(&phone).from(from_anywhere(number));
            let issued = service.verifier.issue(issue).await.unwrap();
            let (id, code) = (issued.challenge_id, service.code(&phone));
            let place = from_anywhere(number);
            drop(service.verifier.verify(&id, code, place).await.unwrap());
        })
    });
    for person in people.collect::<Vec<_>>() {
        person.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let swaps = swaps.await.unwrap();
    assert!(swaps > 0);
    assert_eq!(
        service.verifier.policies().status().version,
        u64::from(swaps) + 1
    );
}

#[tokio::test]
async fn an_override_that_is_only_checked_changes_nothing_and_is_on_no_record() {
    let service = Service::new();
    let policies = service.verifier.policies();
    let off = Exception::ChannelOff(Channel::Sms);
    let checked = policies.check_override(off.clone(), after(&service, 60), why());
    checked.unwrap();
    let past = policies.check_override(off, after(&service, 0), why());
    let Err(PolicyChangeError::Override(OverrideError::Over)) = past else {
        panic!("{past:?}");
    };
    assert!(policies.overrides().is_empty());
    assert_eq!(audited(&service).await, []);
}
