//! A caller who leaves while the message is with its provider.

use std::time::Duration;

use otp_kit::delivery::{DeliveryErrorKind, DeliveryState, MessageId};
use otp_kit::prelude::*;
use otp_kit::store::ChallengeQuery;
use otp_kit::testing::{Behaviour, Inbox, StandIn, StandInVerification};
use otp_kit::verifier::{Claim, StillSending};
use tokio::time::timeout;

use crate::support::{PHONE, Service, here};

const SOON: Duration = Duration::from_millis(100);
const LATER: Duration = Duration::from_secs(2);

fn phone() -> Destination {
    PhoneNumber::parse(PHONE).unwrap().into()
}

fn start() -> Issue {
    Issue::to(phone()).for_purpose("login").from(here())
}

async fn leave(service: &Service, issue: Issue) {
    let left = timeout(SOON, service.verifier.issue(issue)).await;
    assert!(
        left.is_err(),
        "the caller left before the provider answered"
    );
}

async fn live(service: &Service) -> Vec<otp_kit::challenge::Challenge> {
    let all = ChallengeQuery::default();
    service.verifier.store().list(&all, 10).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_settled_as_sent_and_drained_though_its_caller_hung_up() {
    let inbox = Inbox::new();
    let provider = StandIn::new("primary", &inbox);
    provider.set(Behaviour::Slow(LATER));
    let service =
        Service::with(|builder| builder.route(Channel::Sms, Route::primary(provider.clone())));
    leave(&service, start()).await;
    let drained = service.verifier.drain(SOON).await;
    assert_eq!(drained, Err(StillSending { count: 1 }));
    assert_eq!(service.verifier.drain(LATER).await, Ok(()));
    assert_eq!(inbox.len(), 1);
    let challenge = live(&service).await.remove(0);
    let id = MessageId::new(&format!("{}-1", challenge.id.fingerprint()));
    let delivery = service.verifier.store().delivery(&id).await.unwrap();
    let delivery = delivery.unwrap();
    assert_eq!(delivery.state, DeliveryState::Sent);
    assert_eq!(delivery.provider.as_deref(), Some("primary"));
    let code = inbox.last_code_for(&phone()).unwrap();
    let verified = service
        .verifier
        .verify(&challenge.id, code.expose(), here());
    assert!(verified.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_vendors_code_works_though_the_caller_of_its_start_hung_up() {
    let vendor = StandInVerification::new("acme-verify");
    vendor.set_starts(Behaviour::Slow(LATER));
    let route = Route::managed(vendor.clone());
    let service = Service::with(|builder| builder.route(Channel::Sms, route));
    leave(&service, start()).await;
    service.verifier.drain(LATER).await.unwrap();
    let code = vendor.last_code_for(&phone()).unwrap();
    let claim = Claim::latest_to(&phone(), "login");
    let verified = service.verifier.verify(claim, code.expose(), here()).await;
    assert!(verified.is_ok(), "{verified:?}");
}

#[tokio::test(start_paused = true)]
async fn what_surely_was_not_sent_is_taken_back_though_its_caller_hung_up() {
    let provider = StandIn::new("primary", &Inbox::new());
    provider.set(Behaviour::RefuseAfter(
        LATER,
        DeliveryErrorKind::Unavailable,
    ));
    let service =
        Service::with(|builder| builder.route(Channel::Sms, Route::primary(provider.clone())));
    leave(&service, start().idempotency_key("key-1")).await;
    service.verifier.drain(LATER).await.unwrap();
    assert!(live(&service).await.is_empty());
    provider.set(Behaviour::Accept);
    let again = service.verifier.issue(start().idempotency_key("key-1"));
    assert!(again.await.is_ok(), "the key is free again");
}
