//! The provider conformance suite: what [`DeliveryProvider`](crate::delivery::DeliveryProvider)
//! promises, tried over a real socket.
//!
//! A provider's author writes one function that gives a [`ProviderFixture`] and one line,
//! [`provider_conformance!`](crate::provider_conformance). The suite starts a vendor of its own on
//! loopback, lets it answer as the fixture documents or misbehave, and reads what arrived there.
//! It is for providers that speak HTTP/1.1 to a base URL.

mod acceptance;
mod failure;
mod fixture;
mod harness;
mod leak;
mod reply;
mod safety;
mod vendor;

pub use acceptance::{
    a_dropped_call_leaves_the_next_one_working, a_message_for_another_channel_is_not_sent,
    an_accepted_message_gives_a_receipt, calls_run_side_by_side_on_other_threads,
    it_is_named_and_serves_a_channel, the_body_carries_the_code_and_nothing_else_does,
};
pub use failure::{
    a_connection_closed_after_the_request_is_unknown, a_hint_of_when_to_try_again_is_honoured,
    a_refused_connection_is_surely_not_sent, a_reply_cut_short_is_never_surely_unsent,
    a_silent_vendor_times_out_as_unknown, every_documented_refusal_maps_to_its_kind,
};
pub use fixture::{CODE, EMAIL, PHONE, ProviderFixture, Setup};
pub use reply::Reply;
pub use safety::{
    a_redirect_is_not_followed, a_reply_without_end_is_bounded, nothing_shown_holds_a_secret,
    plain_http_to_another_machine_does_not_build,
};
pub use vendor::{Behaviour, ReceivedRequest, RefusingPort, Vendor};

/// Proves a provider: expands to one named test per promise.
///
/// The argument names a function without parameters that returns a [`ProviderFixture`]. Put the
/// line into a module of its own where two providers are proved in one file. The expanded tests
/// need no crate but this one, with the feature `testing`.
///
/// # Examples
/// ```ignore
/// fn fixture() -> ProviderFixture {
///     ProviderFixture::new(build, Reply::new(202).header("X-Message-Id", "m-1"))
///         .secret("the-api-key")
///         .refusal("a bad key", Reply::new(401), DeliveryErrorKind::Unauthorized)
///         .refusal("too fast", Reply::new(429), DeliveryErrorKind::Throttled)
///         .refusal("down", Reply::new(503), DeliveryErrorKind::Unavailable)
///         .refusal("a bad address", Reply::new(400), DeliveryErrorKind::Invalid)
///         .refusal("no answer of theirs", Reply::new(200), DeliveryErrorKind::Protocol)
/// }
///
/// otp_core::provider_conformance!(fixture);
/// ```
#[macro_export]
macro_rules! provider_conformance {
    ($fixture:path) => {
        $crate::provider_conformance!(@cases $fixture;
            it_is_named_and_serves_a_channel,
            an_accepted_message_gives_a_receipt,
            every_documented_refusal_maps_to_its_kind,
            a_refused_connection_is_surely_not_sent,
            a_silent_vendor_times_out_as_unknown,
            a_connection_closed_after_the_request_is_unknown,
            a_reply_cut_short_is_never_surely_unsent,
            a_hint_of_when_to_try_again_is_honoured,
            a_redirect_is_not_followed,
            a_reply_without_end_is_bounded,
            the_body_carries_the_code_and_nothing_else_does,
            a_message_for_another_channel_is_not_sent,
            plain_http_to_another_machine_does_not_build,
            nothing_shown_holds_a_secret,
            calls_run_side_by_side_on_other_threads,
            a_dropped_call_leaves_the_next_one_working,
        );
    };
    (@cases $fixture:path; $($case:ident,)+) => {
        $(
            #[test]
            fn $case() {
                $crate::testing::provider::$case(&$fixture());
            }
        )+
    };
}

#[cfg(test)]
mod tests;
