//! What an operator does by hand, on every store.

mod blocks;
mod failed;
mod looking;
mod revoking;

use otp_kit::event::{Act, Event, EventKind};
use otp_kit::operator::Operator;
use otp_kit::prelude::*;

use crate::support::{Service, wrong};

const WHY: &str = "incident #123";

fn operator(service: &Service) -> Operator {
    service.verifier.operator(Act::new("mike", WHY).unwrap())
}

/// The records of operators, oldest first.
async fn acts(service: &Service) -> Vec<Event> {
    let entries = service.verifier.store().outbox(None, 1_000).await.unwrap();
    let events = entries.into_iter().map(|entry| entry.event);
    events
        .filter(|event| event.kind == EventKind::OperatorAction)
        .collect()
}

/// The reasons of the records of operators, each of which must name who and why.
async fn words(service: &Service) -> Vec<String> {
    let acts = acts(service).await;
    for event in &acts {
        let act = event.act.as_ref().expect("who and why");
        assert_eq!((act.operator.as_str(), act.reason.as_str()), ("mike", WHY));
    }
    acts.into_iter()
        .map(|event| event.reason.unwrap().into_owned())
        .collect()
}

/// Tries a code that is not the one.
async fn guess(service: &Service, challenge: &ChallengeId, code: &str, from: RequestContext) {
    let tried = service.verifier.verify(challenge, &wrong(code), from).await;
    assert!(tried.is_err(), "{tried:?}");
}
