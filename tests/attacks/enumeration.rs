use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use otp_kit::async_trait;
use otp_kit::check::{CheckError, SimSwap, SimSwapCheck, SimSwapSource};
use otp_kit::destination::Region;
use otp_kit::event::Act;
use otp_kit::policy::{Geography, GuardMode, TollFraud};
use otp_kit::prelude::*;
use otp_kit::verifier::{Claim, IssueError, ResendError};

use crate::support::{PHONE, Service, here};

#[tokio::test]
async fn a_decoy_is_answered_limited_resent_and_refused_like_a_real_code() {
    for service in Service::everywhere(|builder| builder).await {
        let decoy = || {
            Issue::decoy("nobody@example.org", Channel::Email)
                .for_purpose("login")
                .dispatch(Dispatch::Background)
                .from(here())
        };
        let real = || {
            let subject = SubjectId::new("somebody").unwrap();
            Issue::to(EmailAddress::parse("somebody@example.org").unwrap())
                .for_purpose("login")
                .for_subject(subject)
                .dispatch(Dispatch::Background)
                .from(here())
        };
        let (false_one, true_one) = (
            service.verifier.issue(decoy()).await.unwrap(),
            service.verifier.issue(real()).await.unwrap(),
        );
        assert_eq!(false_one.expires_at, true_one.expires_at);
        assert_eq!(false_one.resend_at, true_one.resend_at);
        assert_eq!(false_one.channel, true_one.channel);
        let lengths = [&false_one, &true_one].map(|i| i.challenge_id.to_string().len());
        assert_eq!(lengths[0], lengths[1]);
        for issued in [&false_one, &true_one] {
            let early = service.verifier.resend(&issued.challenge_id, here()).await;
            assert!(matches!(early, Err(ResendError::TooEarly(_))), "{early:?}");
            let guess = service
                .verifier
                .verify(&issued.challenge_id, "00000000", here())
                .await;
            assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
        }
        for answers in [decoy as fn() -> Issue, real] {
            let mut taken = 1;
            while service.verifier.issue(answers()).await.is_ok() {
                taken += 1;
            }
            assert_eq!(taken, 5);
        }
    }
}

#[tokio::test]
async fn no_code_fits_a_decoy() {
    let service = Service::new();
    let decoy = Issue::decoy("nobody", Channel::Sms)
        .for_purpose("login")
        .from(here());
    let issued = service.verifier.issue(decoy).await.unwrap();
    assert!(service.outbox.is_empty());
    for typed in ["no code", "nocode", "", "00000000"] {
        let answer = service
            .verifier
            .verify(&issued.challenge_id, typed, here())
            .await;
        assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
    }
}

#[tokio::test]
async fn unknown_expired_consumed_cancelled_and_wrong_are_one_answer() {
    for service in Service::everywhere(|builder| builder).await {
        let mut answers = Vec::new();
        let unknown = Claim::from_text(&"A".repeat(36));
        answers.push(service.verifier.verify(unknown, "12345678", here()).await);
        let no_id = Claim::from_text("no id at all");
        answers.push(service.verifier.verify(no_id, "12345678", here()).await);
        let (id, code) = service.issue_to("+14155550121", "login").await;
        drop(service.verifier.verify(&id, &code, here()).await.unwrap());
        answers.push(service.verifier.verify(&id, &code, here()).await);
        let (id, code) = service.issue_to("+14155550122", "login").await;
        service
            .verifier
            .cancel(&Tenant::default(), &id, here())
            .await
            .unwrap();
        answers.push(service.verifier.verify(&id, &code, here()).await);
        let (id, code) = service.issue_to(PHONE, "login").await;
        answers.push(
            service
                .verifier
                .verify(&id, crate::support::wrong(&code), here())
                .await,
        );
        answers.push(service.verifier.verify(&id, "abc", here()).await);
        service.advance(300);
        answers.push(service.verifier.verify(&id, &code, here()).await);
        for answer in answers {
            let error = answer.expect_err("refused");
            assert_eq!(format!("{error} {error:?}"), "invalid code Rejected");
        }
    }
}

fn known(address: &str) -> Issue {
    let subject = SubjectId::new("somebody").unwrap();
    Issue::to(Destination::parse(address, None).unwrap())
        .for_purpose("login")
        .for_subject(subject)
        .dispatch(Dispatch::Background)
        .from(here())
}

fn unknown(address: &str) -> Issue {
    Issue::decoy(address, Channel::Sms)
        .for_purpose("login")
        .dispatch(Dispatch::Background)
        .from(here())
}

/// What an answer shows: its kind, and the limits that come with it.
fn shown<T>(answer: &Result<T, IssueError>) -> String {
    match answer {
        Ok(_) => "ok".to_owned(),
        Err(IssueError::Throttled(throttled)) => {
            let readings: Vec<_> = throttled
                .readings()
                .iter()
                .map(|r| (r.scope().name(), r.limit(), r.remaining()))
                .collect();
            format!("throttled {readings:?}")
        }
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn limits_blocks_and_line_types_answer_a_decoy_as_they_answer_a_real_address() {
    for service in Service::everywhere(|builder| builder).await {
        // Spelled otherwise the second time: one address, one count.
        let spellings = ["+14155550121", "+1 (415) 555-0121"];
        let real = "+14155550122";
        for round in 0..7 {
            let a = service.verifier.issue(unknown(spellings[round % 2])).await;
            let b = service.verifier.issue(known(real)).await;
            assert_eq!(shown(&a), shown(&b), "round {round}");
        }
        for costly in ["+19002345678", "+870773111632"] {
            let a = service.verifier.issue(unknown(costly)).await;
            let b = service.verifier.issue(known(costly)).await;
            assert_eq!(shown(&a), shown(&b), "{costly}");
            assert!(matches!(a, Err(IssueError::Destination(_))), "{a:?}");
        }
        let store = service.verifier.store();
        let prefix = otp_kit::store::Block::new(otp_kit::store::BlockKind::Prefix, "+4479");
        let event = otp_kit::event::Event::new(
            otp_kit::event::EventKind::OperatorAction,
            &Tenant::default(),
        );
        store
            .block(&prefix.unwrap(), "pumping", "ops", None, event)
            .await
            .unwrap();
        let a = service.verifier.issue(unknown("+447911123456")).await;
        let b = service.verifier.issue(known("+447911123457")).await;
        assert_eq!(shown(&a), shown(&b));
        assert!(matches!(a, Err(IssueError::Blocked)), "{a:?}");
    }
}

#[tokio::test]
async fn guesses_lock_a_decoy_as_they_lock_a_real_address() {
    for service in Service::everywhere(|builder| builder).await {
        let phone = |text| Destination::parse(text, None).unwrap();
        let real = phone("+14155550122");
        let issue = Issue::to(real.clone()).for_purpose("login").from(here());
        service.verifier.issue(issue).await.unwrap();
        service
            .verifier
            .issue(unknown("+14155550121"))
            .await
            .unwrap();
        for attempt in 0..7 {
            let mut answers = Vec::new();
            for destination in [&real, &phone("+14155550121")] {
                let claim = Claim::latest_to(destination, "login");
                let answer = service.verifier.verify(claim, "00000000", here()).await;
                answers.push(answer.map(drop).map_err(|error| error.to_string()));
            }
            assert_eq!(answers[0], answers[1], "attempt {attempt}");
        }
        let again = [
            service.verifier.issue(unknown("+14155550121")).await,
            service
                .verifier
                .issue(Issue::to(real).for_purpose("login").from(here()))
                .await,
        ];
        assert_eq!(shown(&again[0]), shown(&again[1]));
        assert!(matches!(again[0], Err(IssueError::Locked(_))), "{again:?}");
    }
}

/// Says of every number that its SIM was changed, once it is told to.
#[derive(Clone, Debug, Default)]
struct Swapped(Arc<AtomicBool>);

#[async_trait]
impl SimSwapSource for Swapped {
    async fn last_swap(&self, _: &PhoneNumber) -> Result<SimSwap, CheckError> {
        Ok(match self.0.load(Ordering::Relaxed) {
            true => SimSwap::Ago(Duration::from_secs(60)),
            false => SimSwap::None,
        })
    }
}

#[tokio::test]
async fn a_resend_is_judged_by_nothing_that_a_decoy_has_not_got() {
    let swapped = Swapped::default();
    let service = Service::with(|builder| {
        builder
            .check(SimSwapCheck::new(swapped.clone()))
            .toll_fraud(TollFraud::new(GuardMode::Enforce))
    });
    let verifier = &service.verifier;
    let decoy = Issue::decoy("nobody", Channel::Sms)
        .for_purpose("login")
        .dispatch(Dispatch::Background)
        .from(here());
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let real = Issue::to(phone)
        .for_purpose("login")
        .dispatch(Dispatch::Background)
        .from(here());
    let (false_one, true_one) = (
        verifier.issue(decoy).await.unwrap(),
        verifier.issue(real).await.unwrap(),
    );
    // What stands against the number by now: its country, its SIM, and others of its range.
    let limits = Limits::recommended()
        .with_geography(Geography::everywhere().deny(Region::parse("US").unwrap()));
    let operator = Act::new("alice", "fraud").unwrap();
    let policy = verifier.policy().as_ref().clone().with_limits(limits);
    verifier.policies().replace(policy, operator).await.unwrap();
    swapped.0.store(true, Ordering::Relaxed);
    service.advance(60);
    for issued in [&false_one, &true_one] {
        let answer = verifier.resend(&issued.challenge_id, here()).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}
