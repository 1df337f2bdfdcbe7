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
    let limits = Limits::recommended().with_attempts(10);
    let service = Service::with(|builder| builder.hasher(hasher).limits(limits));
    let service = std::sync::Arc::new(service);
    let (id, code) = service.issue().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..9 {
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
    assert!(busy > 0, "nine at once on one worker with one place");
    let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
    let rejected = answers.len() - busy;
    assert_eq!(usize::try_from(challenge.attempts).unwrap(), rejected);
}

#[tokio::test]
async fn a_code_whose_key_is_retired_is_neither_accepted_nor_consumed_nor_resent_for_nobody() {
    use otp_kit::key::{Key, KeyId};
    use otp_kit::secret::SecretBytes;
    use otp_kit::verifier::ResendError;
    let service = Service::new();
    let (id, _) = service.issue().await;
    let old = *service.keys.snapshot().current().id();
    let secret = SecretBytes::new((0..32).collect());
    service
        .keys
        .rotate(Key::new(KeyId::new("k2").unwrap(), &secret).unwrap())
        .unwrap();
    service.advance(60);
    service.verifier.resend(&id, here()).await.unwrap();
    let code = service.code(PHONE);
    service.keys.retire(&old).unwrap();
    let answer = service.verifier.verify(&id, code, here()).await;
    assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
    let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
    assert_eq!(challenge.state.name(), "live", "nothing was consumed");
    service.advance(120);
    let resend = service.verifier.resend(&id, here()).await;
    assert!(
        matches!(resend, Err(ResendError::Unavailable(_))),
        "{resend:?}"
    );
    assert_eq!(
        service.outbox.len(),
        2,
        "the first message and the one resend"
    );
}

#[tokio::test]
async fn refusals_at_sight_are_limited_too() {
    let service = Service::new();
    let costly = || {
        let phone = PhoneNumber::parse("+19002345678").unwrap();
        Issue::to(phone).for_purpose("login").from(here())
    };
    let mut limited = 0;
    for _ in 0..60 {
        let answer = service.verifier.issue(costly()).await;
        limited += u32::from(matches!(answer, Err(IssueError::Throttled(_))));
    }
    assert_eq!(limited, 10, "fifty in five minutes from one address");
}
