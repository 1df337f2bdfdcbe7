//! What is on record of a message: before it is sent, after, and when its vendor reports.

use std::time::Duration;

use otp_kit::clock::Timestamp;
use otp_kit::delivery::{DeliveryErrorKind, DeliveryState, MessageId, Report};
use otp_kit::event::{Event, EventKind, Outcome};
use otp_kit::prelude::*;
use otp_kit::store::{Delivery, Insert, NewDelivery};
use otp_kit::testing::Outbox;
use otp_kit::testing::store::kit;
use otp_kit::verifier::{IssueError, ReportOutcome};

use crate::support::{PHONE, Service, here};

const MAIL: &str = "owner@example.org";

fn issue() -> Issue {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    Issue::to(phone).for_purpose("login").from(here())
}

fn first_of(issued: &ChallengeId) -> MessageId {
    MessageId::new(&format!("{}-1", issued.fingerprint()))
}

fn report(id: &MessageId, state: DeliveryState) -> Report {
    let at = Timestamp::from_millis(1_800_000_000_000);
    Report::new("outbox", id.as_str(), state.name(), state, at)
}

impl Service {
    async fn delivery(&self, id: &MessageId) -> Delivery {
        let found = self.verifier.store().delivery(id).await.unwrap();
        found.expect("every message is on record")
    }

    async fn failures(&self) -> Vec<Delivery> {
        let window = Timestamp::UNIX_EPOCH..Timestamp::from_millis(4_000_000_000_000);
        let store = self.verifier.store();
        store.failures(window, 100).await.unwrap()
    }

    async fn records_of(&self, kind: EventKind) -> Vec<Event> {
        let entries = self.verifier.store().outbox(None, 1_000).await.unwrap();
        let events = entries.into_iter().map(|entry| entry.event);
        events.filter(|event| event.kind == kind).collect()
    }
}

#[tokio::test]
async fn a_message_is_on_record_as_sent_and_its_receipts_move_it_forward_once() {
    for service in Service::everywhere(|builder| builder).await {
        let issued = service.verifier.issue(issue()).await.unwrap();
        let id = first_of(&issued.challenge_id);
        let sent = service.delivery(&id).await;
        assert_eq!(sent.state, DeliveryState::Sent);
        assert_eq!(sent.provider.as_deref(), Some("outbox"));
        assert_eq!(sent.challenge, issued.challenge_id);
        let verifier = &service.verifier;
        let delivered = report(&id, DeliveryState::Delivered);
        let moved = ReportOutcome::Moved {
            from: DeliveryState::Sent,
            to: DeliveryState::Delivered,
        };
        assert_eq!(verifier.apply(&delivered).await.unwrap(), moved);
        let again = verifier.apply(&delivered).await.unwrap();
        assert_eq!(again, ReportOutcome::Repeated);
        let late = report(&id, DeliveryState::Sent);
        let late = verifier.apply(&late).await.unwrap();
        assert_eq!(late, ReportOutcome::Unchanged, "it never goes back");
        let records = service.records_of(EventKind::DeliveryReported).await;
        let [record] = &records[..] else {
            panic!("one move, one record: {records:?}");
        };
        assert_eq!(record.outcome, Outcome::Success);
        assert_eq!(record.reason.as_deref(), Some("delivered"));
        assert_eq!(record.challenge, Some(issued.challenge_id.fingerprint()));
        let status = verifier.routes().status();
        let sms = status.iter().find(|route| route.channel == Channel::Sms);
        let receipts = sms.unwrap().providers[0].receipts;
        assert_eq!(receipts.percent_delivered(), Some(100));
    }
}

#[tokio::test]
async fn a_report_of_an_unknown_message_is_kept_until_it_is_known() {
    let service = Service::new();
    let id = MessageId::new("from-nowhere-1");
    let read = report(&id, DeliveryState::Read);
    let kept = service.verifier.apply(&read).await.unwrap();
    assert_eq!(kept, ReportOutcome::Kept);
    let again = service.verifier.apply(&read).await.unwrap();
    assert_eq!(again, ReportOutcome::Repeated);
    let records = service.records_of(EventKind::DeliveryReported).await;
    assert!(records.is_empty(), "nothing happened yet");
}

#[tokio::test]
async fn a_failure_is_listed_masked_with_what_it_takes_to_send_it_again() {
    for service in Service::everywhere(|builder| builder).await {
        service.outbox.fail_next(DeliveryErrorKind::Unreachable);
        let refused = service.verifier.issue(issue()).await.unwrap_err();
        assert!(matches!(refused, IssueError::NotSent(_)), "{refused:?}");
        let failures = service.failures().await;
        let [failure] = &failures[..] else {
            panic!("one failure: {failures:?}");
        };
        let kind = DeliveryErrorKind::Unreachable;
        assert_eq!(failure.state, DeliveryState::Failed(kind));
        assert_eq!(failure.reason.as_deref(), Some("unreachable"));
        assert_eq!(failure.channel, Channel::Sms);
        let shown = format!("{failure:?}");
        assert!(!shown.contains(PHONE), "{shown}");
        assert!(!failure.destination.as_ref().unwrap().masked.contains(PHONE));
        let delivered = report(&failure.id, DeliveryState::Delivered);
        let kept = service.verifier.apply(&delivered).await.unwrap();
        assert_eq!(kept, ReportOutcome::Kept, "nobody accepted it by a name");
    }
}

#[tokio::test]
async fn a_message_that_went_over_the_next_channel_is_no_failure() {
    let service = Service::with(|builder| {
        let meta = Outbox::named("meta");
        meta.fail_next(DeliveryErrorKind::Unreachable);
        builder
            .route(Channel::WhatsApp, Route::primary(meta))
            .channel_order([Channel::WhatsApp, Channel::Sms])
    });
    let issued = service.verifier.issue(issue()).await.unwrap();
    assert_eq!(issued.channel, Channel::Sms);
    assert!(service.failures().await.is_empty());
    let id = first_of(&issued.challenge_id);
    let first = service.delivery(&id).await;
    assert_eq!(first.state, DeliveryState::Cancelled);
    assert_eq!(first.reason.as_deref(), Some("unreachable"));
    let next = MessageId::new(&format!("{}-sms", id.as_str()));
    let next = service.delivery(&next).await;
    assert_eq!(
        (next.state, next.channel),
        (DeliveryState::Sent, Channel::Sms)
    );
    assert_eq!(next.provider.as_deref(), Some("outbox"));
}

#[tokio::test]
async fn a_decoy_has_a_record_too_and_is_no_failure() {
    let service = Service::new();
    let decoy = Issue::decoy(MAIL, Channel::Email)
        .for_purpose("login")
        .from(here());
    let issued = service.verifier.issue(decoy).await.unwrap();
    let decoy = service.delivery(&first_of(&issued.challenge_id)).await;
    assert!(decoy.is_decoy());
    assert_eq!(decoy.state, DeliveryState::Cancelled);
    assert!(service.failures().await.is_empty());
    assert!(service.records_of(EventKind::CodeSent).await.is_empty());
}

#[tokio::test]
async fn a_resent_message_has_a_record_of_its_own() {
    let service = Service::new();
    let (challenge, _) = service.issue().await;
    service.advance(120);
    let resent = service.verifier.resend(&challenge, here()).await.unwrap();
    assert_eq!(resent.challenge_id, challenge);
    for send in [1, 2] {
        let id = MessageId::new(&format!("{}-{send}", challenge.fingerprint()));
        assert_eq!(service.delivery(&id).await.state, DeliveryState::Sent);
    }
}

/// An instance died between the intent and the sending.
#[tokio::test]
async fn what_a_dead_instance_did_not_send_is_ended_and_never_sent_late() {
    for service in Service::everywhere(|builder| builder).await {
        let store = service.verifier.store();
        let challenge = kit::challenge("ann", store.ping().await.unwrap());
        let delivery = kit::delivery(&challenge);
        let id = delivery.id.clone();
        store.insert(begun(challenge, delivery)).await.unwrap();
        let sweep = async || service.verifier.sweep_deliveries().await.unwrap().unsent;
        service.advance(20);
        assert_eq!(sweep().await, 0, "it may still be on its way");
        service.advance(60);
        assert_eq!(sweep().await, 1);
        assert_eq!(sweep().await, 0, "once");
        assert_eq!(service.delivery(&id).await.state, Delivery::UNSENT);
        let records = service.records_of(EventKind::CodeNotSent).await;
        assert_eq!(records.len(), 1);
        assert!(service.outbox.is_empty(), "nothing is sent late");
        assert_eq!(service.failures().await.len(), 1, "an operator is told");
    }
}

fn begun(challenge: otp_kit::challenge::Challenge, delivery: NewDelivery) -> Insert {
    Insert {
        event: kit::event(EventKind::ChallengeIssued).of_challenge(&challenge),
        delivery: Some(delivery),
        challenge,
    }
}

#[tokio::test]
async fn of_two_operators_one_sends_a_failure_again() {
    let service = Service::new();
    service.outbox.fail_next(DeliveryErrorKind::Unavailable);
    drop(service.verifier.issue(issue()).await);
    let ids: Vec<MessageId> = service.failures().await.into_iter().map(|f| f.id).collect();
    let store = service.verifier.store();
    let (one, two) = tokio::join!(store.claim_resend(&ids), store.claim_resend(&ids));
    assert_eq!(one.unwrap().len() + two.unwrap().len(), ids.len());
    tokio::time::timeout(Duration::from_secs(1), store.claim_resend(&[]))
        .await
        .unwrap()
        .unwrap();
}
