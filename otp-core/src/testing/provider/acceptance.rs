use std::sync::Arc;

use super::Behaviour;
use super::fixture::{CODE, ProviderFixture, message};
use super::harness::{
    AMPLE, build, deliver, fail, first_channel, must, run, run_on_threads, start,
};
use crate::delivery::{DeliveryErrorKind, DispatchCertainty};
use crate::destination::{Channel, DestinationKind};

/// The provider has a name fit for events and metrics, and lists at least one channel.
///
/// # Panics
/// Where the promise does not hold, as every case does.
pub fn it_is_named_and_serves_a_channel(fixture: &ProviderFixture) {
    run(async {
        let provider = build(fixture, "http://127.0.0.1:9", AMPLE);
        let name = provider.name();
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        assert!(
            (1..=32).contains(&name.len()) && name.chars().all(slug),
            "a provider's name is 1 to 32 of a-z 0-9 - _"
        );
        assert!(
            !provider.channels().is_empty(),
            "a provider serves at least one channel"
        );
    });
}

/// The vendor's acceptance becomes a receipt with the vendor's reference, after one request.
///
/// # Panics
/// Where the promise does not hold.
pub fn an_accepted_message_gives_a_receipt(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::Answer(fixture.accepted.clone())).await;
        let provider = build(fixture, vendor.base_url(), AMPLE);
        for channel in provider.channels() {
            let receipt = must(deliver(&provider, *channel).await, "the accepted reply");
            assert_eq!(
                receipt.provider(),
                provider.name(),
                "the receipt names the provider"
            );
            if fixture.reference.is_some() {
                assert_eq!(receipt.reference(), fixture.reference.as_deref());
            }
        }
        assert_eq!(
            vendor.requests().len(),
            provider.channels().len(),
            "one message is one request"
        );
    });
}

/// The code is in the body as often as the channel needs it, and in no path, query or header.
///
/// # Panics
/// Where the promise does not hold.
pub fn the_body_carries_the_code_and_nothing_else_does(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::Answer(fixture.accepted.clone())).await;
        let provider = build(fixture, vendor.base_url(), AMPLE);
        for channel in provider.channels() {
            must(deliver(&provider, *channel).await, "the accepted reply");
            let requests = vendor.requests();
            let request = must(requests.last().ok_or("no request"), "a request");
            let expected = fixture.codes.unwrap_or(match channel {
                Channel::Email => 2,
                _ => 1,
            });
            let body = String::from_utf8_lossy(&request.body);
            assert_eq!(body.matches(CODE).count(), expected, "the code in the body");
            assert!(!request.target.contains(CODE), "the code is in the path");
            for (name, value) in &request.headers {
                assert!(!value.contains(CODE), "the code is in the header {name}");
            }
        }
    });
}

/// A message to the wrong kind of address is refused before the vendor is called.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_message_for_another_channel_is_not_sent(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::Answer(fixture.accepted.clone())).await;
        let provider = build(fixture, vendor.base_url(), AMPLE);
        for channel in provider.channels() {
            let other = match channel.destination_kind() {
                DestinationKind::Phone => DestinationKind::Email,
                DestinationKind::Email => DestinationKind::Phone,
            };
            let message = must(message(*channel, other), "a message");
            let error = fail(
                provider.deliver(&message).await,
                "an address of another kind",
            );
            assert_eq!(error.kind(), DeliveryErrorKind::Invalid);
            assert_eq!(error.certainty(), DispatchCertainty::NotSent);
        }
        assert!(vendor.requests().is_empty(), "it was sent all the same");
    });
}

/// The call is `Send`, and calls do not get into each other's way.
///
/// # Panics
/// Where the promise does not hold.
pub fn calls_run_side_by_side_on_other_threads(fixture: &ProviderFixture) {
    run_on_threads(async {
        let vendor = start(Behaviour::Answer(fixture.accepted.clone())).await;
        let provider = build(fixture, vendor.base_url(), AMPLE);
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let provider = Arc::clone(&provider);
            calls.spawn(async move { first_channel(&provider).await });
        }
        while let Some(call) = calls.join_next().await {
            must(must(call, "a call to its end"), "the accepted reply");
        }
        assert_eq!(vendor.requests().len(), 8, "one message is one request");
    });
}

/// A call that is dropped while the vendor thinks leaves the provider as it was.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_dropped_call_leaves_the_next_one_working(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::Hang).await;
        let provider = build(fixture, vendor.base_url(), AMPLE);
        let call = first_channel(&provider);
        tokio::select! {
            outcome = call => {
                fail(outcome, "silence");
            }
            () = vendor.arrival() => {}
        }
        vendor.behave(Behaviour::Answer(fixture.accepted.clone()));
        must(
            first_channel(&provider).await,
            "the call after a dropped one",
        );
        assert_eq!(vendor.requests().len(), 2, "a dropped call is not repeated");
    });
}
