/// Proves a store of sessions: expands to a module with one named test per promise, as
/// [`store_conformance!`](crate::store_conformance) does.
///
/// # Examples
/// ```
/// use otp_core::testing::session::{ReferenceSessionsFixture, SessionFixture};
///
/// async fn fixture() -> impl SessionFixture {
///     ReferenceSessionsFixture::new()
/// }
///
/// otp_core::session_conformance!(fixture);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! session_conformance {
    ($fixture:ident) => {
        $crate::session_conformance!(session_conformance, $fixture);
    };
    ($module:ident, $fixture:ident) => {
        $crate::session_conformance!(@list [] $module $fixture);
    };
    (ignore = $reason:literal, $module:ident, $fixture:ident) => {
        $crate::session_conformance!(@list [#[ignore = $reason]] $module $fixture);
    };
    (@list $attributes:tt $module:ident $fixture:ident) => {
        $crate::conformance_cases!(session $attributes $module $fixture
            one_of_a_thousand_opens_a_session,
            a_session_is_kept_as_it_was_opened,
            a_session_lapses_to_the_millisecond,
            an_ended_session_is_not_opened_again,
            a_clock_that_went_back_revives_no_session,
            hostile_subjects_are_inert_and_apart,
            a_thousand_rotations_of_one_token_make_one_successor,
            a_spent_token_is_answered_again_within_the_grace,
            a_spent_token_ends_the_session_after_the_grace,
            a_token_before_the_last_ends_the_session,
            a_token_of_an_ended_session_turns_nothing_over,
            a_refresh_prolongs_up_to_the_end_of_the_session,
            a_rotation_leaves_its_record,
            an_ended_session_is_over_for_everybody,
            ending_a_subject_ends_all_of_its_sessions_and_no_others,
            ending_a_tenant_ends_all_of_its_sessions_and_no_others,
            ending_everything_ends_the_sessions_of_every_tenant,
            what_is_opened_after_an_ending_lives,
            live_sessions_are_counted_by_their_keys,
            sessions_are_listed_newest_first,
            one_of_a_thousand_takes_a_state,
            a_state_of_another_browser_is_not_taken,
            a_state_lapses_after_its_time,
            a_state_that_is_too_large_or_too_long_is_refused,
            states_are_kept_apart,
        );
    };
}
