use otp_kit::event::{Event, Observer};
use otp_kit::prelude::*;
use otp_kit::random::{RandomError, SecureRandom};
use otp_kit::verifier::IssueError;

use crate::support::{PHONE, Service, here};

#[tokio::test]
async fn without_randomness_there_is_no_code() {
    #[derive(Debug)]
    struct Dry;
    impl SecureRandom for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError::new())
        }
    }
    let service = Service::with(|builder| builder.random(Dry));
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let issue = Issue::to(phone).for_purpose("login").from(here());
    let answer = service.verifier.issue(issue).await;
    assert!(
        matches!(answer, Err(IssueError::Unavailable(_))),
        "{answer:?}"
    );
    assert!(service.outbox.is_empty());
}

#[tokio::test]
async fn an_observer_that_panics_harms_nobody() {
    #[derive(Debug)]
    struct Panics;
    impl Observer for Panics {
        fn observe(&self, _: &Event) {
            panic!("a host's bug");
        }
    }
    let service = Service::with(|builder| builder.observer(Panics));
    for phone in ["+14155550121", "+14155550122", "+14155550123"] {
        let (id, code) = service.issue_to(phone, "login").await;
        assert!(service.verifier.verify(&id, code, here()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_hashing_pool_sheds_and_costs_no_guess() {
    let one = std::num::NonZeroUsize::MIN;
    let hasher = CodeHasher::argon2id().workers(one).queue(1);
    let service = std::sync::Arc::new(Service::with(|builder| builder.hasher(hasher)));
    let (id, code) = service.issue().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let service = std::sync::Arc::clone(&service);
        let typed = crate::support::wrong(&code);
        tasks.spawn(async move {
            let from = crate::support::from_anywhere(number);
            service.verifier.verify(&id, typed, from).await
        });
    }
    let answers = tasks.join_all().await;
    let busy = answers
        .iter()
        .filter(|a| matches!(a, Err(VerifyError::Busy(_))))
        .count();
    assert!(busy > 0, "forty at once on one worker with one place");
    let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
    let rejected = answers.len() - busy;
    assert!(usize::try_from(challenge.attempts).unwrap() <= rejected);
}
