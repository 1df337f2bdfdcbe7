//! A try that its client has named, sent many times at once or after its caller has left: one
//! question to the vendor.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::prelude::*;
use otp_kit::request::AttemptId;
use otp_kit::store::MemoryStore;
use otp_kit::testing::{Behaviour, StandInVerification};
use otp_kit::verifier::Attempt;
use tokio::task::JoinSet;

use super::{code, everywhere, from_anywhere, here, issue, phone, wrong};
use crate::support::{PHONE, Service};

const SAME: u32 = 20;

fn named(typed: &str) -> Attempt {
    Attempt::new(typed).with_id(AttemptId::new("the-same").unwrap())
}

/// Sends the same try to each of the verifiers in turn, all at once.
async fn at_once(
    verifiers: &[Verifier],
    id: ChallengeId,
    typed: &str,
) -> Vec<Result<Verified, VerifyError>> {
    let mut tasks = JoinSet::new();
    for (number, verifier) in (0..SAME).zip(verifiers.iter().cycle()) {
        let (verifier, typed) = (verifier.clone(), typed.to_owned());
        tasks.spawn(async move {
            let context = from_anywhere(number);
            verifier.verify(&id, named(&typed), context).await
        });
    }
    tasks.join_all().await
}

fn firsts(answers: &[Result<Verified, VerifyError>]) -> usize {
    let first = |answer: &&Result<Verified, VerifyError>| matches!(answer, Ok(verified) if !verified.is_repeated());
    answers.iter().filter(first).count()
}

async fn attempts(verifier: &Verifier, id: &ChallengeId) -> u32 {
    verifier.store().find(id).await.unwrap().unwrap().attempts
}

/// Waits until the vendor was asked so often.
async fn asked(vendor: &StandInVerification, times: usize) {
    while vendor.checks() < times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_try_twenty_times_at_once_is_one_question_and_one_guess() {
    for (service, vendor) in everywhere().await {
        vendor.set_checks(Behaviour::Slow(Duration::from_millis(50)));
        let id = issue(&service, PHONE, "user-1", "login").await;
        let right = code(&vendor, PHONE);
        let verifiers = [service.verifier.clone()];
        let answers = at_once(&verifiers, id, &right).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!((firsts(&answers), vendor.checks()), (1, 1));
        assert_eq!(attempts(&service.verifier, &id).await, 1);

        let id = issue(&service, "+14155550124", "user-2", "login").await;
        let bad = wrong(&code(&vendor, "+14155550124"));
        let answers = at_once(&verifiers, id, &bad).await;
        let rejected = |answer: &Result<_, _>| matches!(answer, Err(VerifyError::Rejected));
        assert!(answers.iter().all(rejected), "{answers:?}");
        assert_eq!(vendor.checks(), 2);
        assert_eq!(attempts(&service.verifier, &id).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_ask_once_between_them() {
    let (store, keys) = (MemoryStore::new(), KeyRing::generate(&OsRandom).unwrap());
    let vendor = StandInVerification::new("acme-verify").approving_again();
    vendor.set_checks(Behaviour::Slow(Duration::from_millis(50)));
    let instance = || {
        let builder = Verifier::builder(store.clone(), keys.clone());
        let builder = builder.route(Channel::Sms, Route::managed(vendor.clone()));
        let built = builder.limits(Limits::recommended()).build();
        built.unwrap()
    };
    let fleet = [instance(), instance()];
    let start = Issue::to(phone(PHONE)).for_purpose("login").from(here());
    let id = fleet[0].issue(start).await.unwrap().challenge_id;
    let answers = at_once(&fleet, id, &code(&vendor, PHONE)).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!((firsts(&answers), vendor.checks()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_who_leaves_half_way_finds_the_answer_of_the_one_question() {
    for (service, vendor) in everywhere().await {
        vendor.set_checks(Behaviour::Slow(Duration::from_millis(50)));
        let id = issue(&service, PHONE, "user-1", "login").await;
        let right = code(&vendor, PHONE);
        let (gone, typed) = (Arc::clone(&service), named(&right));
        let gone = tokio::spawn(async move { gone.verifier.verify(&id, typed, here()).await });
        asked(&vendor, 1).await;
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let again = service.verifier.verify(&id, named(&right), here()).await;
        assert!(again.unwrap().is_repeated());
        assert_eq!(vendor.checks(), 1);
        assert_eq!(attempts(&service.verifier, &id).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_says_nothing_is_asked_once_by_all_who_wait_and_again_by_who_comes_later() {
    let vendor = StandInVerification::new("acme-verify");
    let route = Route::managed(vendor.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    let id = issue(&service, PHONE, "user-1", "login").await;
    let right = code(&vendor, PHONE);
    vendor.set_checks(Behaviour::Hang);
    let answers = at_once(std::slice::from_ref(&service.verifier), id, &right).await;
    let silent = |answer: &Result<_, _>| matches!(answer, Err(VerifyError::Unavailable(_)));
    assert!(answers.iter().all(silent), "{answers:?}");
    assert_eq!(vendor.checks(), 1);
    vendor.set_checks(Behaviour::Accept);
    let later = service.verifier.verify(&id, named(&right), here()).await;
    assert!(later.is_ok(), "{later:?}");
    assert_eq!(vendor.checks(), 2);
    assert_eq!(attempts(&service.verifier, &id).await, 1);
}
