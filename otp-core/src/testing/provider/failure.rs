use std::time::Duration;

use super::fixture::ProviderFixture;
use super::harness::{AMPLE, SHORT, fail, must, run, send, start};
use super::{Behaviour, Vendor};
use crate::delivery::{DeliveryErrorKind, DispatchCertainty};

/// Each reply of the fixture becomes its kind after one request; what a 4xx refused is surely not
/// sent, and what a 5xx or nonsense answered may have been.
///
/// # Panics
/// Where the promise does not hold, or the fixture documents too little.
pub fn every_documented_refusal_maps_to_its_kind(fixture: &ProviderFixture) {
    use DeliveryErrorKind as Kind;
    let documented = |kind| fixture.refusals.iter().any(|refusal| refusal.kind == kind);
    for kind in [
        Kind::Unauthorized,
        Kind::Throttled,
        Kind::Unavailable,
        Kind::Protocol,
    ] {
        assert!(
            documented(kind),
            "the fixture has no refusal that is {kind:?}"
        );
    }
    assert!(
        documented(Kind::Invalid) || documented(Kind::Unreachable),
        "the fixture has no refusal of a request or an address"
    );
    run(async {
        for refusal in &fixture.refusals {
            let label = &refusal.label;
            let vendor = start(Behaviour::Answer(refusal.reply.clone())).await;
            let error = fail(send(fixture, vendor.base_url(), AMPLE).await, label);
            assert_eq!(error.kind(), refusal.kind, "{label}");
            let certainty = match refusal.reply.status() {
                408 => None,
                400..=499 => Some(DispatchCertainty::NotSent),
                500..=599 => Some(DispatchCertainty::Unknown),
                _ if refusal.kind == Kind::Protocol => Some(DispatchCertainty::Unknown),
                _ => None,
            };
            if let Some(certainty) = certainty {
                assert_eq!(error.certainty(), certainty, "{label}");
            }
            assert_eq!(
                vendor.requests().len(),
                1,
                "{label}: a refused request is not repeated"
            );
        }
    });
}

/// Where nobody listens, nothing was sent, and it may be tried again.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_refused_connection_is_surely_not_sent(fixture: &ProviderFixture) {
    run(async {
        let port = must(Vendor::refusing(), "a loopback port");
        let error = fail(
            send(fixture, port.base_url(), AMPLE).await,
            "a refused connection",
        );
        assert_eq!(error.certainty(), DispatchCertainty::NotSent);
        assert!(error.is_transient(), "{:?} is not transient", error.kind());
    });
}

/// Where the vendor says nothing, the call ends by its own deadline, and the message may be sent.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_silent_vendor_times_out_as_unknown(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::Hang).await;
        let call = send(fixture, vendor.base_url(), SHORT);
        let ended = tokio::time::timeout(AMPLE, call).await;
        let error = fail(must(ended, "a deadline of the provider's own"), "silence");
        assert_eq!(error.kind(), DeliveryErrorKind::Timeout);
        assert_eq!(error.certainty(), DispatchCertainty::Unknown);
        assert_eq!(
            vendor.requests().len(),
            1,
            "a request without a reply is not repeated"
        );
    });
}

/// Where the vendor read the request and closed, the message may be sent.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_connection_closed_after_the_request_is_unknown(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::Close).await;
        let error = fail(
            send(fixture, vendor.base_url(), AMPLE).await,
            "a closed connection",
        );
        assert_eq!(error.certainty(), DispatchCertainty::Unknown);
        assert_eq!(
            vendor.requests().len(),
            1,
            "a request without a reply is not repeated"
        );
    });
}

/// Where the reply breaks off, the message is not taken for unsent, and is not sent again.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_reply_cut_short_is_never_surely_unsent(fixture: &ProviderFixture) {
    run(async {
        let vendor = start(Behaviour::CutShort(fixture.accepted.clone())).await;
        if let Err(error) = send(fixture, vendor.base_url(), AMPLE).await {
            assert_eq!(error.certainty(), DispatchCertainty::Unknown);
        }
        assert_eq!(
            vendor.requests().len(),
            1,
            "a request without a reply is not repeated"
        );
    });
}

/// `Retry-After` of a throttled reply reaches the caller, as seconds or as a date, and a value
/// that is absurd or malformed does no harm.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_hint_of_when_to_try_again_is_honoured(fixture: &ProviderFixture) {
    let throttled = fixture
        .refusals
        .iter()
        .find(|refusal| refusal.kind == DeliveryErrorKind::Throttled);
    let Some(throttled) = throttled else {
        // The case of the refusals reports it.
        return;
    };
    let date = ("Date", "Sun, 15 Jun 2025 15:08:00 GMT");
    let hints = [
        ("17", Some(17)),
        ("Sun, 15 Jun 2025 15:08:30 GMT", Some(30)),
        ("Sun, 15 Jun 2025 15:07:30 GMT", Some(0)),
        ("soon", None),
        ("-5", None),
    ];
    run(async {
        for (hint, seconds) in hints {
            let reply = throttled
                .reply
                .clone()
                .header(date.0, date.1)
                .header("Retry-After", hint);
            let vendor = start(Behaviour::Answer(reply)).await;
            let error = fail(send(fixture, vendor.base_url(), AMPLE).await, hint);
            assert_eq!(
                error.retry_after(),
                seconds.map(Duration::from_secs),
                "{hint}"
            );
        }
        let absurd = throttled
            .reply
            .clone()
            .header("Retry-After", "99999999999999999999999");
        let vendor = start(Behaviour::Answer(absurd)).await;
        let error = fail(
            send(fixture, vendor.base_url(), AMPLE).await,
            "an absurd hint",
        );
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(
            error.retry_after().is_none_or(|wait| wait <= day),
            "the hint is not bounded"
        );
    });
}
