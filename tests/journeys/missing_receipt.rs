//! A message that was accepted and never reported on goes on to the next provider, once.

use std::time::Duration;

use otp_kit::clock::Timestamp;
use otp_kit::delivery::{DeliveryState, MessageId, Report};
use otp_kit::event::EventKind;
use otp_kit::policy::ResendCode;
use otp_kit::prelude::*;
use otp_kit::testing::Outbox;

use crate::support::{PHONE, Service, here};

const WITHIN: Duration = Duration::from_secs(30);

struct Pair {
    service: Service,
    first: Outbox,
    second: Outbox,
}

impl Pair {
    async fn everywhere(code: ResendCode, within: Option<Duration>) -> Vec<Self> {
        let (first, second) = (Outbox::named("first"), Outbox::named("second"));
        let services = Service::everywhere(|builder| {
            let route = Route::primary(first.clone()).backup(second.clone());
            let route = match within {
                Some(within) => route.receipt_within(within),
                None => route,
            };
            builder.route(Channel::Sms, route).resend_code(code)
        });
        let pair = |service| Self {
            service,
            first: first.clone(),
            second: second.clone(),
        };
        services.await.into_iter().map(pair).collect()
    }

    async fn issue(&self) -> ChallengeId {
        let phone = PhoneNumber::parse(PHONE).unwrap();
        let issue = Issue::to(phone).for_purpose("login").from(here());
        self.service
            .verifier
            .issue(issue)
            .await
            .unwrap()
            .challenge_id
    }

    async fn sweep(&self) -> usize {
        let verifier = &self.service.verifier;
        let swept = verifier.sweep_deliveries().await.unwrap();
        verifier.drain(Duration::from_secs(5)).await.unwrap();
        swept.sent_on
    }
}

#[tokio::test]
async fn the_same_code_goes_through_the_next_provider_exactly_once() {
    for pair in Pair::everywhere(ResendCode::Same, Some(WITHIN)).await {
        let challenge = pair.issue().await;
        pair.service.advance(29);
        assert_eq!(pair.sweep().await, 0, "its receipt may still come");
        pair.service.advance(2);
        let (one, two) = tokio::join!(pair.sweep(), pair.sweep());
        assert_eq!(one + two, 1, "of two instances one sends");
        pair.service.advance(60);
        assert_eq!(
            pair.sweep().await,
            0,
            "nor is the second one followed by a third"
        );
        let (first, second) = (pair.first.take(), pair.second.take());
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_eq!(first[0].code().expose(), second[0].code().expose());
        let store = pair.service.verifier.store();
        let entries = store.outbox(None, 100).await.unwrap();
        let records = entries.iter().filter(|entry| {
            entry.event.kind == EventKind::ChallengeResent
                && entry.event.reason.as_deref() == Some("receipt_missing")
        });
        assert_eq!(records.count(), 1);
        let code = second[0].code().expose();
        let verified = pair.service.verifier.verify(&challenge, code, here()).await;
        assert!(verified.is_ok(), "{verified:?}");
    }
}

#[tokio::test]
async fn what_was_reported_on_is_not_sent_again() {
    for pair in Pair::everywhere(ResendCode::Same, Some(WITHIN)).await {
        let challenge = pair.issue().await;
        let id = MessageId::new(&format!("{}-1", challenge.fingerprint()));
        let delivered = DeliveryState::Delivered;
        let at = Timestamp::from_millis(1_800_000_000_000);
        let report = Report::new("first", id.as_str(), "delivered", delivered, at);
        pair.service.verifier.apply(&report).await.unwrap();
        pair.service.advance(40);
        assert_eq!(pair.sweep().await, 0);
        assert_eq!(pair.second.take().len(), 0);
        assert_eq!(pair.first.take().len(), 1);
    }
}

#[tokio::test]
async fn a_challenge_that_is_over_has_nothing_sent_for_it() {
    for pair in Pair::everywhere(ResendCode::Same, Some(WITHIN)).await {
        let challenge = pair.issue().await;
        let verifier = &pair.service.verifier;
        let tenant = Tenant::default();
        let ended = verifier.cancel(&tenant, &challenge, here()).await;
        ended.unwrap();
        pair.service.advance(40);
        assert_eq!(pair.sweep().await, 0);
        assert_eq!(pair.second.take().len(), 0);
        drop(pair.first.take());
    }
}

#[tokio::test]
async fn without_kept_codes_or_where_no_route_asks_for_it_nothing_is_sent_on() {
    for (code, within) in [(ResendCode::Fresh, Some(WITHIN)), (ResendCode::Same, None)] {
        for pair in Pair::everywhere(code, within).await {
            pair.issue().await;
            pair.service.advance(40);
            assert_eq!(pair.sweep().await, 0, "{code:?}");
            assert_eq!(pair.second.take().len(), 0);
            drop(pair.first.take());
        }
    }
}
