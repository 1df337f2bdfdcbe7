use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use otp_kit::delivery::{
    Catalogue, DeliveryErrorKind, DispatchCertainty, Rendered, ShippedCatalogue, Template,
};
use otp_kit::destination::Channel;
use otp_kit::prelude::*;
use otp_kit::testing::Outbox;
use otp_kit::verifier::{Claim, IssueError};

use crate::support::{PHONE, Service, here};

fn issue() -> Issue {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    Issue::to(phone).for_purpose("login").from(here())
}

#[tokio::test]
async fn what_the_first_provider_surely_did_not_send_goes_to_the_next_with_the_same_code() {
    let (first, second) = (Outbox::named("first"), Outbox::named("second"));
    let route = Route::primary(first.clone()).backup(second.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    first.fail_next(DeliveryErrorKind::Throttled);
    let issued = service.verifier.issue(issue()).await.unwrap();
    let messages = second.take();
    assert_eq!((first.len(), messages.len()), (0, 1));
    let code = messages[0].code().expose();
    assert!(
        service
            .verifier
            .verify(&issued.challenge_id, code, here())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_unknown_outcome_is_not_sent_again_and_the_code_works_if_it_arrives() {
    let (first, second) = (Outbox::named("first"), Outbox::named("second"));
    let route = Route::primary(first.clone()).backup(second.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    first.fail_next(DeliveryErrorKind::Timeout);
    let error = service
        .verifier
        .issue(issue())
        .await
        .expect_err("nobody knows");
    let IssueError::NotSent(not_sent) = error else {
        panic!("{error:?}");
    };
    assert_eq!(not_sent.certainty(), DispatchCertainty::Unknown);
    assert!(second.is_empty());
    let live = service
        .verifier
        .store()
        .find(&not_sent.issued().challenge_id)
        .await
        .unwrap();
    assert_eq!(live.unwrap().state.name(), "live");
}

#[tokio::test]
async fn a_refusal_that_protects_ends_the_route_and_takes_the_challenge_back() {
    let (first, second) = (Outbox::named("first"), Outbox::named("second"));
    let route = Route::primary(first.clone()).backup(second.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    for kind in [DeliveryErrorKind::Protected, DeliveryErrorKind::OptedOut] {
        first.fail_next(kind);
        let error = service.verifier.issue(issue()).await.expect_err("refused");
        let IssueError::NotSent(not_sent) = error else {
            panic!("{error:?}");
        };
        assert_eq!(not_sent.certainty(), DispatchCertainty::NotSent);
        let found = service
            .verifier
            .store()
            .find(&not_sent.issued().challenge_id)
            .await;
        assert_eq!(found.unwrap().unwrap().state.name(), "revoked");
    }
    assert!(second.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_up_at_the_deadline() {
    let outbox = Outbox::new();
    outbox.hang_next();
    let deadline = std::time::Duration::from_secs(2);
    let route = Route::primary(outbox).deadline(deadline);
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    let start = tokio::time::Instant::now();
    let error = service.verifier.issue(issue()).await.expect_err("it hangs");
    assert_eq!(start.elapsed(), deadline);
    let IssueError::NotSent(not_sent) = error else {
        panic!("{error:?}");
    };
    assert_eq!(not_sent.failure().kind(), DeliveryErrorKind::Timeout);
}

#[tokio::test]
async fn a_retried_request_is_one_challenge_and_one_message() {
    let service = Arc::new(Service::new());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let service = Arc::clone(&service);
        tasks.spawn(async move {
            let named = issue().idempotency_key("request-1");
            service.verifier.issue(named).await.unwrap().challenge_id
        });
    }
    let mut ids: Vec<_> = tasks.join_all().await;
    ids.dedup();
    assert_eq!((ids.len(), service.outbox.len()), (1, 1));
    let phone = PhoneNumber::parse("+14155550124").unwrap();
    let other = Issue::to(phone)
        .for_purpose("login")
        .from(here())
        .idempotency_key("request-1");
    let answer = service.verifier.issue(other).await;
    assert!(
        matches!(answer, Err(IssueError::IdempotencyConflict)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_request_that_surely_sent_nothing_may_be_repeated_under_its_name() {
    let service = Service::new();
    service.outbox.fail_next(DeliveryErrorKind::Unauthorized);
    let named = || issue().idempotency_key("request-1");
    assert!(service.verifier.issue(named()).await.is_err());
    assert!(service.verifier.issue(named()).await.is_ok());
    assert_eq!(service.outbox.len(), 1);
}

#[tokio::test]
async fn in_the_background_the_answer_does_not_wait_for_the_provider() {
    let service = Service::new();
    service.outbox.hang_next();
    let answer = service
        .verifier
        .issue(issue().dispatch(Dispatch::Background))
        .await;
    assert!(answer.is_ok());
}

#[tokio::test]
async fn a_client_that_forgot_the_id_verifies_by_address() {
    let service = Service::new();
    let (_, code) = service.issue().await;
    let phone = Destination::parse(PHONE, None).unwrap();
    let claim = Claim::latest_to(&phone, "login");
    assert!(service.verifier.verify(claim, code, here()).await.is_ok());
}

#[tokio::test]
async fn a_catalogue_and_a_provider_that_panic_fail_one_message_and_nothing_else() {
    /// Well until its words were measured at the start.
    #[derive(Debug)]
    struct Panics(Arc<AtomicBool>);
    impl Catalogue for Panics {
        fn render(&self, template: &Template<'_>) -> Rendered {
            assert!(!self.0.load(Ordering::Relaxed), "a host's bug");
            ShippedCatalogue::default().render(template)
        }
    }
    let started = Arc::new(AtomicBool::new(false));
    let catalogue = Panics(Arc::clone(&started));
    let service = Service::with(|builder| builder.catalogue(catalogue));
    started.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let answer = service.verifier.issue(issue()).await;
        assert!(matches!(answer, Err(IssueError::NotSent(_))), "{answer:?}");
    }
}

#[tokio::test]
async fn a_call_that_was_dropped_half_way_may_be_repeated_under_its_name() {
    let service = Service::with(|builder| builder.hasher(CodeHasher::argon2id()));
    let named = || issue().idempotency_key("request-1");
    let mut call = Box::pin(service.verifier.issue(named()));
    // The first poll takes the key and ends in the hashing pool.
    let pending = std::future::poll_fn(|context| {
        std::task::Poll::Ready(call.as_mut().poll(context).is_pending())
    })
    .await;
    assert!(pending);
    drop(call);
    // What was taken is given back by a task of its own.
    let issued = loop {
        let issued = service.verifier.issue(named()).await.unwrap();
        if service
            .verifier
            .store()
            .find(&issued.challenge_id)
            .await
            .unwrap()
            .is_some()
        {
            break issued;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(service.outbox.len(), 1);
    let code = service.code(PHONE);
    assert!(
        service
            .verifier
            .verify(&issued.challenge_id, code, here())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_repeated_answer_is_recorded_as_repeated() {
    use otp_kit::request::AttemptId;
    let service = Service::new();
    let first = service
        .verifier
        .issue(issue().idempotency_key("request-1"))
        .await
        .unwrap();
    let again = service
        .verifier
        .issue(issue().idempotency_key("request-1"))
        .await
        .unwrap();
    assert_eq!(again, first);
    let code = service.code(PHONE);
    for _ in 0..2 {
        let attempt = Attempt::new(&code).with_id(AttemptId::new("try-1").unwrap());
        drop(
            service
                .verifier
                .verify(&first.challenge_id, attempt, here())
                .await
                .unwrap(),
        );
    }
    let records = service.verifier.store().outbox(None, 100).await.unwrap();
    let repeated = records
        .iter()
        .filter(|entry| entry.event.reason.as_deref() == Some("repeated"))
        .count();
    assert_eq!(repeated, 2);
}

#[tokio::test]
async fn a_start_that_a_gate_of_the_hosts_denied_gives_its_key_back() {
    use otp_kit::gate::{Denial, Gate, GateRequest, Wants};
    use otp_kit::store::Admission;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[derive(Debug)]
    struct Once(AtomicBool);
    impl Gate for Once {
        fn name(&self) -> &'static str {
            "once"
        }
        fn plan(&self, _: &GateRequest<'_>, _: &mut Wants) -> Result<(), Denial> {
            Ok(())
        }
        fn judge(&self, _: &GateRequest<'_>, _: &Admission) -> Result<(), Denial> {
            if self.0.swap(false, Ordering::Relaxed) {
                return Err(Denial::Other("not_now".into()));
            }
            Ok(())
        }
    }
    let service = Service::with(|builder| builder.gate(Once(AtomicBool::new(true))));
    let named = || issue().idempotency_key("request-1");
    assert!(service.verifier.issue(named()).await.is_err());
    assert!(service.verifier.issue(named()).await.is_ok());
    assert_eq!(service.outbox.len(), 1);
}
