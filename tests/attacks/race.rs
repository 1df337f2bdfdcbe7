use std::sync::Arc;

use otp_kit::prelude::*;
use otp_kit::request::AttemptId;
use otp_kit::verifier::Attempt;
use tokio::task::JoinSet;

use crate::support::{PHONE, Service, from_anywhere, wrong};

/// How many at once; `./test.sh --long` asks for more.
fn storm_size() -> u32 {
    crate::support::figure("OTP_STORM", 1_000)
}

async fn storm(
    service: &Arc<Service>,
    attempt: impl Fn(u32) -> (ChallengeId, Attempt),
) -> Vec<Result<Verified, VerifyError>> {
    let mut tasks = JoinSet::new();
    for number in 0..storm_size() {
        let service = Arc::clone(service);
        let (id, attempt) = attempt(number);
        tasks.spawn(async move {
            service
                .verifier
                .verify(&id, attempt, from_anywhere(number))
                .await
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_parallel_right_codes_are_one_sign_in() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let (id, code) = service.issue().await;
        // The guess budget lets five through; each of them is right.
        let answers = storm(&service, |_| (id, Attempt::new(&code))).await;
        let wins = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(wins, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_parallel_wrong_codes_are_five_comparisons() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let (id, code) = service.issue().await;
        let answers = storm(&service, |_| (id, Attempt::new(wrong(&code)))).await;
        assert!(answers.iter().all(Result::is_err));
        let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
        assert_eq!((challenge.attempts, challenge.wrong), (5, 5));
        let late = service
            .verifier
            .verify(&id, &code, from_anywhere(u32::MAX))
            .await;
        assert!(late.is_err(), "the challenge is used up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_that_repeats_one_attempt_id_is_one_guess() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let (id, code) = service.issue().await;
        let named = |_| {
            let attempt = AttemptId::new("the-same").unwrap();
            (id, Attempt::new(wrong(&code)).with_id(attempt))
        };
        storm(&service, named).await;
        let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
        assert_eq!((challenge.attempts, challenge.wrong), (1, 1));
        assert!(
            service
                .verifier
                .verify(&id, &code, from_anywhere(u32::MAX))
                .await
                .is_ok()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lost_answer_is_heard_again_and_wins_once() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        let attempt = || Attempt::new(&code).with_id(AttemptId::new("try-1").unwrap());
        let first = service
            .verifier
            .verify(&id, attempt(), from_anywhere(1))
            .await
            .unwrap();
        let again = service
            .verifier
            .verify(&id, attempt(), from_anywhere(1))
            .await
            .unwrap();
        assert!(!first.is_repeated() && again.is_repeated());
        let other = Attempt::new(&code).with_id(AttemptId::new("try-2").unwrap());
        assert!(
            service
                .verifier
                .verify(&id, other, from_anywhere(1))
                .await
                .is_err()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_resends_is_one_message() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let (id, _) = service.issue().await;
        service.advance(60);
        let mut tasks = JoinSet::new();
        for number in 0..storm_size() {
            let service = Arc::clone(&service);
            tasks.spawn(async move {
                service
                    .verifier
                    .resend(&id, from_anywhere(number))
                    .await
                    .is_ok()
            });
        }
        let sent = tasks
            .join_all()
            .await
            .into_iter()
            .filter(|sent| *sent)
            .count();
        assert_eq!((sent, service.outbox.len()), (1, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_starts_from_a_million_addresses_is_five_messages_to_one_phone() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let mut tasks = JoinSet::new();
        for number in 0..storm_size() {
            let service = Arc::clone(&service);
            tasks.spawn(async move {
                let phone = PhoneNumber::parse(PHONE).unwrap();
                let issue = Issue::to(phone)
                    .for_purpose("login")
                    .from(from_anywhere(number));
                service.verifier.issue(issue).await.is_ok()
            });
        }
        tasks.join_all().await;
        assert_eq!(service.outbox.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cancelled_tries_stay_counted_and_harm_nobody() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let (id, code) = service.issue().await;
        for number in 0..20 {
            let verify = service
                .verifier
                .verify(&id, wrong(&code), from_anywhere(number));
            let mut verify = Box::pin(verify);
            // Polled once and dropped: somewhere between asking and being answered.
            std::future::poll_fn(|context| {
                drop(verify.as_mut().poll(context));
                std::task::Poll::Ready(())
            })
            .await;
            drop(verify);
        }
        let (other, other_code) = service.issue_to("+14155550124", "login").await;
        let fine = service
            .verifier
            .verify(&other, other_code, from_anywhere(99))
            .await;
        assert!(fine.is_ok(), "{fine:?}");
        let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
        assert!(challenge.attempts <= 5 && challenge.wrong <= challenge.attempts);
        let late = service
            .verifier
            .verify(&id, wrong(&code), from_anywhere(100))
            .await;
        assert!(late.is_err());
    }
}

#[tokio::test]
async fn a_try_that_is_dropped_while_its_code_is_hashed_stays_counted() {
    let hasher = CodeHasher::argon2id();
    let service = Service::with(|builder| builder.hasher(hasher));
    let (id, code) = service.issue().await;
    for number in 0..3 {
        let verify = service
            .verifier
            .verify(&id, wrong(&code), from_anywhere(number));
        let mut verify = Box::pin(verify);
        // The memory store answers at once, so the first poll ends in the hashing pool.
        let pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(verify.as_mut().poll(context).is_pending())
        })
        .await;
        assert!(pending);
        drop(verify);
    }
    let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
    assert_eq!(challenge.attempts, 3);
}
