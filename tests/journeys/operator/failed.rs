use std::ops::Range;
use std::time::Duration;

use otp_kit::clock::Timestamp;
use otp_kit::delivery::{DeliveryErrorKind, DeliveryState, Locale, MessageId, Report};
use otp_kit::gate::Operation;
use otp_kit::operator::{Count, Resending};
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, Scope};
use otp_kit::request::SessionBinding;
use otp_kit::store::{Block, BlockKind};
use otp_kit::verifier::{Claim, NotAgain};

use super::{operator, words};
use crate::support::{PHONE, Service, from_anywhere, here};

const OTHERS: [&str; 2] = ["+14155550124", "+14155550125"];

fn always() -> Range<Timestamp> {
    Timestamp::UNIX_EPOCH..Timestamp::from_millis(4_000_000_000_000)
}

fn asking(phone: &str) -> Issue {
    let phone = PhoneNumber::parse(phone).unwrap();
    Issue::to(phone).for_purpose("login").from(here())
}

impl Service {
    /// Has one request fail for want of a provider, and time go on.
    async fn fail(&self, issue: Issue) {
        self.outbox.fail_next(DeliveryErrorKind::Unavailable);
        assert!(self.verifier.issue(issue).await.is_err());
        self.advance(70);
    }

    /// Three people fail, one of them twice.
    async fn outage(&self) {
        self.fail(asking(PHONE)).await;
        for phone in OTHERS {
            self.fail(asking(phone)).await;
        }
        self.fail(asking(PHONE)).await;
    }

    async fn resend(&self) -> Resending {
        operator(self).resend_failed(always(), 100).await.unwrap()
    }

    /// Signs in with the newest code that a phone got, without naming a challenge.
    async fn signs_in(&self, phone: &str) {
        let to = Destination::parse(phone, None).unwrap();
        let code = self.code(phone);
        let claim = Claim::latest_to(&to, "login");
        let verified = self.verifier.verify(claim, code.as_str(), here()).await;
        assert!(verified.is_ok(), "{verified:?}");
    }
}

#[tokio::test]
async fn each_person_is_sent_one_fresh_code_that_works_and_nothing_twice() {
    for service in Service::everywhere(|builder| builder).await {
        service.outage().await;
        let listed = operator(&service).failed_deliveries(always(), 100).await;
        let listed = listed.unwrap();
        assert_eq!(listed.len(), 4);
        assert_eq!(listed[0].to, "+1415•••0123");
        assert_eq!(listed[0].kind, DeliveryErrorKind::Unavailable);
        assert_eq!(listed[0].provider.as_deref(), Some("outbox"));
        assert!(listed[0].created_at > listed[1].created_at, "newest first");
        assert!(!format!("{listed:?}").contains(PHONE));

        let desk = operator(&service).preview();
        let preview = desk.resend_failed(always(), 100).await.unwrap();
        assert_eq!(preview.persons, Count::Exactly(3));
        assert_eq!(preview.sample[0], "login sms +1415•••0123");
        assert!(service.outbox.is_empty(), "a preview sends nothing");

        let done = service.resend().await;
        assert_eq!((done.persons, done.messages), (Count::Exactly(3), 3));
        assert!(done.refused.is_empty(), "{done:?}");
        assert_eq!(service.outbox.len(), 3);
        for phone in [PHONE, OTHERS[0], OTHERS[1]] {
            service.signs_in(phone).await;
        }
        let again = service.resend().await;
        assert_eq!((again.persons, again.messages), (Count::Exactly(0), 0));
        let listed = operator(&service).failed_deliveries(always(), 2).await;
        let listed = listed.unwrap();
        assert_eq!(listed.len(), 2);
        assert!(listed.iter().all(|failed| failed.resent_at.is_some()));
        let words = words(&service).await;
        assert!(words.contains(&"preview_resend_failed:3".to_owned()));
        assert!(words.contains(&"resend_failed:3".to_owned()), "{words:?}");
    }
}

#[tokio::test]
async fn of_racing_operators_one_sends_to_each_person() {
    for service in Service::everywhere(|builder| builder).await {
        service.outage().await;
        let (one, two) = tokio::join!(service.resend(), service.resend());
        assert_eq!(one.messages + two.messages, 3, "{one:?} {two:?}");
        assert_eq!(service.outbox.len(), 3);
    }
}

#[tokio::test]
async fn who_got_a_later_message_or_signed_in_since_is_left_alone() {
    let service = Service::new();
    service.outage().await;
    service.issue_to(OTHERS[0], "login").await;
    service.advance(1);
    let done = service.resend().await;
    assert_eq!((done.persons, done.reached), (Count::Exactly(2), 1));
    assert_eq!(service.outbox.take().len(), 3);
}

#[tokio::test]
async fn a_message_that_was_accepted_and_lost_is_sent_again() {
    let service = Service::new();
    let (challenge, _) = service.issue().await;
    service.advance(30);
    let id = MessageId::new(&format!("{}-1", challenge.fingerprint()));
    let lost = DeliveryState::Failed(DeliveryErrorKind::Unreachable);
    let at = Timestamp::from_millis(1_800_000_030_000);
    let report = Report::new("outbox", id.as_str(), "lost", lost, at);
    service.verifier.apply(&report).await.unwrap();
    let old = service.code(PHONE);
    let done = service.resend().await;
    assert_eq!((done.persons, done.messages), (Count::Exactly(1), 1));
    assert_ne!(service.code(PHONE), old, "a fresh code");
    let refused = service.verifier.verify(&challenge, &old, here()).await;
    assert!(refused.is_err(), "the lost code is worth nothing");
}

#[tokio::test]
async fn decoys_are_sent_nothing() {
    let service = Service::new();
    let decoy = Issue::decoy(OTHERS[0], Channel::Sms).for_purpose("login");
    service.verifier.issue(decoy.from(here())).await.unwrap();
    service.advance(3_600);
    service.verifier.sweep_deliveries().await.unwrap();
    let done = service.resend().await;
    assert_eq!(done.persons, Count::Exactly(0));
    assert!(service.outbox.is_empty());
}

#[tokio::test]
async fn every_gate_is_asked_and_what_was_refused_is_listed_and_not_tried_again() {
    for service in Service::everywhere(|builder| builder).await {
        service.outage().await;
        let block = Block::new(BlockKind::Phone, OTHERS[1]).unwrap();
        let desk = operator(&service);
        desk.block(&[block], None).await.unwrap();
        let done = service.resend().await;
        assert_eq!((done.persons, done.messages), (Count::Exactly(3), 2));
        let [refused] = &done.refused[..] else {
            panic!("one refusal: {done:?}");
        };
        assert_eq!(refused.why, NotAgain::Blocked);
        assert_eq!(refused.delivery.to, "+1415•••0125");
        assert_eq!(done.refusals().get("blocked"), Some(&1));
        assert_eq!(service.resend().await.persons, Count::Exactly(0));
    }
}

#[tokio::test]
async fn who_opted_out_or_is_protected_is_left_alone() {
    for service in Service::everywhere(|builder| builder).await {
        let kinds = [DeliveryErrorKind::OptedOut, DeliveryErrorKind::Protected];
        for (phone, kind) in OTHERS.into_iter().zip(kinds) {
            service.outbox.fail_next(kind);
            assert!(service.verifier.issue(asking(phone)).await.is_err());
        }
        service.fail(asking(PHONE)).await;
        let preview = operator(&service).preview();
        let preview = preview.resend_failed(always(), 100).await.unwrap();
        assert_eq!((preview.persons, preview.unwanted), (Count::Exactly(1), 2));
        let done = service.resend().await;
        assert_eq!((done.messages, done.unwanted), (1, 2));
        assert!(done.refused.is_empty());
        assert_eq!(service.outbox.len(), 1);
    }
}

#[tokio::test]
async fn the_blocked_address_of_an_attacker_has_nothing_sent_again() {
    let service = Service::new();
    service.outage().await;
    let address = here().address().unwrap().to_string();
    let block = Block::new(BlockKind::Ip, &address).unwrap();
    operator(&service).block(&[block], None).await.unwrap();
    let done = service.resend().await;
    assert_eq!((done.messages, done.refused.len()), (0, 3));
    assert!(service.outbox.is_empty());
}

#[tokio::test]
async fn what_fails_anew_is_a_new_failure_that_can_be_sent_again() {
    let service = Service::new();
    service.fail(asking(PHONE)).await;
    service.outbox.fail_next(DeliveryErrorKind::Unavailable);
    let failed = service.resend().await;
    assert_eq!(failed.refused[0].why, NotAgain::NotSent);
    service.advance(1);
    let done = service.resend().await;
    assert_eq!((done.persons, done.messages), (Count::Exactly(1), 1));
}

#[tokio::test]
async fn purpose_language_account_and_browser_stay_those_of_the_failure() {
    let service = Service::new();
    let account = SubjectId::new("user-1").unwrap();
    let bound = || here().bound_to(SessionBinding::of(b"session"));
    let issue = Issue::to(PhoneNumber::parse(PHONE).unwrap())
        .for_purpose("mfa")
        .for_subject(account.clone())
        .in_locale(Locale::new("de").unwrap());
    service.fail(issue.from(bound())).await;
    assert_eq!(service.resend().await.messages, 1);
    let code = service.code(PHONE);
    let messages = service.outbox.take();
    assert_eq!(messages[0].locale().as_str(), "de");
    let claim = || Claim::latest_of(&account, "mfa");
    let elsewhere = service.verifier.verify(claim(), code.as_str(), here());
    assert!(elsewhere.await.is_err(), "another browser's");
    let verified = service.verifier.verify(claim(), code.as_str(), bound());
    assert_eq!(verified.await.unwrap().purpose().as_str(), "mfa");
}

#[tokio::test]
async fn a_limit_is_the_most_persons_and_another_call_goes_on() {
    let service = Service::new();
    service.outage().await;
    let first = operator(&service).resend_failed(always(), 2).await;
    let first = first.unwrap();
    assert_eq!((first.persons, first.messages), (Count::AtLeast(2), 2));
    let second = operator(&service).resend_failed(always(), 2).await;
    let second = second.unwrap();
    assert_eq!((second.persons, second.messages), (Count::Exactly(1), 1));
}

/// The challenges of an outage may be gone when it is over; then nobody's address is known.
#[tokio::test]
async fn people_whose_requests_are_forgotten_do_not_share_one_limit() {
    let service = Service::with(|builder| {
        let few = Quota::window(2, Duration::from_secs(300)).unwrap();
        let limits = Limits::recommended();
        builder.limits(limits.with_quota(Operation::Issue, Scope::Address, few))
    });
    for number in 0..5 {
        let phone = format!("+1415555013{number}");
        let issue = Issue::to(PhoneNumber::parse(&phone).unwrap()).for_purpose("login");
        service.fail(issue.from(from_anywhere(number))).await;
    }
    service.advance(3 * 86_400);
    service.verifier.store().purge(1_000).await.unwrap();
    let done = service.resend().await;
    assert_eq!((done.persons, done.messages), (Count::Exactly(5), 5));
}
