//! The store conformance and race suite: what [`Store`] promises, tried on a real engine.
//!
//! A store's author writes one async function that gives a [`StoreFixture`], a fresh and empty
//! store beside the clock that it reads, and one line,
//! [`store_conformance!`](crate::store_conformance). Every promise is one named test. Races are
//! run by a thousand tasks on four threads; nothing sleeps, the fixture's clock is moved instead.
//!
//! Each case is also an ordinary async function, so that one can be run alone, or behind another
//! harness. A case reports by panicking, with the promise that was broken as its message.
//!
//! [`ReferenceStore`] is the smallest store that keeps the contract, to read before writing one;
//! [`kit`] makes the challenges, plans and events that tests of a store need.
//!
//! # Examples
//! ```
//! use otp_core::testing::store::{ReferenceFixture, one_of_a_thousand_right_codes_wins, run};
//!
//! run(async {
//!     let fixture = ReferenceFixture::new();
//!     one_of_a_thousand_right_codes_wins(&fixture).await;
//! });
//! ```
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a conformance case reports by panicking"
)]

mod attempts;
mod audit;
mod audit_intents;
pub(crate) mod bench;
mod blocks;
mod boards;
mod budget;
pub(crate) mod cancel;
mod clock;
mod consume;
mod decoys;
mod deliveries;
mod devices;
mod enrolled;
mod factors;
mod insert;
mod issue;
pub mod kit;
mod list;
mod locks;
mod macros;
mod named;
mod policies;
mod purge;
mod quotas;
mod rates;
mod recovery;
mod reference;
mod refusals;
mod repeats;
mod resend;
mod revoke;
mod run;
mod seen;
mod stats;

use std::sync::Arc;
use std::time::Duration;

use crate::store::Store;

pub use attempts::{
    a_locked_lane_takes_no_guess, a_reserved_guess_is_counted_before_anything_is_compared,
    a_thousand_copies_of_one_try_count_once, a_thousand_guesses_at_once_reserve_exactly_the_limit,
    a_thousand_guesses_over_many_challenges_stay_within_one_budget,
    the_latest_challenge_is_looked_for_lane_by_lane, the_latest_challenge_is_nobody_elses,
};
pub use audit::{
    a_record_is_added_once, an_appended_record_is_kept_as_it_was,
    an_appended_record_that_bears_a_time_keeps_it,
    records_that_are_added_together_keep_their_order_and_are_added_once,
    the_outbox_is_read_in_order_page_by_page, what_is_not_acknowledged_stays,
};
pub use audit_intents::{
    a_locked_try_is_recorded_as_locked, a_lost_success_is_recorded_with_what_came_first,
    a_refused_plan_is_recorded_with_its_reason, a_revocation_is_recorded_with_its_count,
    an_uncounted_try_is_recorded, every_intent_leaves_its_record_in_order,
    every_loser_of_a_race_is_recorded,
};
pub use blocks::{
    a_blocked_prefix_or_domain_refuses_all_of_it, a_blocked_request_reserves_nothing,
    an_entry_lapses_at_its_end, blocking_again_replaces_the_entry, entries_are_listed_newest_first,
    every_entry_that_refuses_is_found, what_is_blocked_is_refused_and_its_neighbours_are_not,
    what_was_unblocked_is_admitted,
};
pub use boards::{
    a_board_is_not_read_while_the_clock_stands_wrong, a_board_is_read_as_it_was_posted,
    a_post_leaves_all_its_records, boards_and_the_policy_are_apart,
    one_of_a_thousand_posts_over_a_revision_wins,
};
pub use budget::{
    a_budget_is_one_a_tenant_subject_and_class, a_new_challenge_refills_nothing,
    a_repeated_success_gives_back_one_guess, a_resend_refills_nothing,
    a_revocation_refills_nothing, a_success_gives_back_only_its_own_guess,
    an_unused_budget_is_empty, each_lane_has_a_share_of_its_own,
    guesses_that_are_carried_over_count_as_made_now, the_day_of_a_budget_rolls,
    the_month_of_a_budget_rolls,
};
pub use cancel::{
    a_dropped_call_leaves_a_store_that_works, a_dropped_insert_is_whole_or_absent,
    a_dropped_success_happens_once_or_not_at_all, a_dropped_try_is_counted_everywhere_or_nowhere,
};
pub use clock::{
    a_clock_that_caught_up_decides_again, a_clock_that_went_back_stops_every_decision,
    a_sign_of_life_tells_the_time, a_small_step_back_refills_nothing,
    a_small_step_back_revives_nothing, many_small_steps_back_do_not_add_up_unseen,
};
pub use consume::{
    a_code_that_expires_while_it_is_compared_loses, a_nameless_winner_is_not_heard_twice,
    a_repeated_winner_has_won_before, a_replaced_code_never_wins,
    a_success_and_a_revocation_do_not_both_happen, an_unknown_or_ended_challenge_is_not_won,
    one_of_a_thousand_right_codes_wins, racing_successes_give_back_one_guess_each,
    the_code_that_was_sent_last_is_the_one_that_wins,
};
pub use decoys::{
    a_decoy_is_the_latest_where_nobodys_code_is_live, a_decoy_takes_the_place_of_decoys_alone,
};
pub use deliveries::{
    a_late_settlement_lets_receipts_in, a_message_is_on_record_with_its_challenge,
    a_missing_receipt_is_noticed_once, a_purge_leaves_fresh_failures,
    a_report_about_another_message_moves_nothing, a_report_before_its_message_is_kept_and_applied,
    an_unknown_report_waits_for_a_day, failures_are_listed_by_window_without_decoys,
    fifty_shuffled_reports_only_move_a_message_forward,
    one_of_a_thousand_claims_sends_a_failure_again, one_of_a_thousand_copies_of_a_report_moves_it,
    the_first_settlement_stands, the_record_of_an_unknown_message_is_kept,
    what_was_not_sent_in_time_fails_once,
};
pub use devices::{
    a_device_is_its_owners_alone, a_device_lapses_at_its_end, a_forgotten_device_is_not_known,
    every_field_of_a_device_is_kept, racing_devices_stay_within_their_number,
    the_oldest_of_too_many_devices_is_forgotten, what_hangs_on_a_key_is_counted,
};
pub use factors::{
    a_code_at_a_time_confirms_and_burns_its_step, a_factor_is_its_owners_alone,
    a_pending_factor_gives_way_to_one_of_its_name, a_removed_factor_is_gone,
    a_success_keeps_the_secret_that_it_brings,
    an_enrolment_without_a_factor_ends_with_the_first_confirmation,
    every_field_of_a_factor_is_kept, factors_are_read_whatever_the_clock_says,
    no_step_is_accepted_below_the_last, one_of_a_thousand_codes_of_a_step_is_accepted,
    the_first_confirmation_ends_what_was_begun_before_it,
    the_last_place_for_a_factor_is_taken_once,
};
pub use insert::{
    a_challenge_supersedes_its_own_kind_only, a_thousand_inserts_leave_one_live_challenge_a_lane,
    an_ended_challenge_is_not_superseded, every_field_of_a_challenge_is_kept,
    hostile_subject_ids_are_inert_and_apart, the_history_of_a_challenge_is_kept,
    what_was_never_inserted_is_not_found,
};
pub use issue::{
    a_blocked_repeat_is_refused, a_key_lapses_with_its_challenge,
    a_key_of_another_request_is_a_conflict, a_refused_request_keeps_no_key, a_released_key_is_free,
    a_repeated_request_costs_no_quota, a_thousand_copies_of_one_request_issue_once,
    keys_belong_to_their_tenant, keys_that_look_alike_are_apart,
};
pub use list::{
    a_list_is_newest_first_and_bounded, a_list_shows_live_challenges_only,
    a_query_finds_what_fits_every_part, a_span_of_time_is_half_open,
};
pub use locks::{
    a_challenge_pauses_its_lane_once, a_disabled_budget_is_closed_until_it_is_unlocked,
    a_hundred_failures_in_a_row_disable_for_good,
    a_thousand_wrong_answers_at_once_pause_the_lane_once,
    an_exhausted_challenge_pauses_its_lane_alone, an_unlocked_budget_is_a_fresh_one,
    pauses_double_up_to_an_hour_and_a_success_ends_them,
};
pub use named::{
    a_factor_is_renamed_where_the_name_is_free, a_named_try_is_counted_once_for_its_time,
    an_accepted_try_is_its_owners_and_ends_with_what_it_had,
    an_accepted_try_is_kept_with_its_success, racing_tries_of_one_name_are_one_guess,
    the_last_factor_takes_the_recovery_codes_with_it,
};
pub use policies::{
    a_newer_policy_is_adopted_as_it_is, a_policy_is_read_as_it_was_published,
    a_policy_is_read_whatever_the_clock_says, a_publication_leaves_its_record,
    one_of_a_thousand_publishers_of_a_version_wins,
    the_history_of_policies_is_newest_first_and_bounded, versions_have_no_gaps,
};
pub use purge::{
    a_purge_forgets_no_run_of_failures, a_purge_is_bounded_by_its_limit,
    a_purge_leaves_budgets_alone, a_purge_leaves_live_things_alone, a_purge_opens_no_lock,
    an_ended_challenge_is_kept_for_a_day,
};
pub use quotas::{
    a_changed_window_holds_at_once, a_cleared_quota_is_whole_again, a_peek_charges_nothing,
    a_plans_readings_are_those_of_what_it_did,
    a_thousand_requests_at_once_are_admitted_up_to_the_quota,
    a_try_that_is_not_taken_costs_its_quota, a_window_is_exact_wherever_it_is_laid,
    a_windows_reading_is_exact, hostile_quota_keys_are_inert_and_apart, no_claim_is_no_refusal,
    several_quotas_are_charged_together_or_not_at_all,
};
pub use rates::{
    a_lowered_rate_holds_at_once, a_rate_decides_as_gcra_does, an_idle_rate_fills_up_to_its_burst,
};
pub use recovery::{
    a_guess_is_counted_in_its_own_class_before_anything_is_compared, a_locked_class_takes_no_guess,
    a_reset_leaves_nothing, a_steps_success_gives_back_its_own_guess,
    a_used_recovery_code_gives_back_its_own_guess, new_recovery_codes_void_all_old_ones,
    one_of_a_thousand_uses_of_a_recovery_code_wins, too_many_recovery_codes_are_refused,
};
pub use reference::{ReferenceFixture, ReferenceStore};
pub use refusals::{
    a_consumed_challenge_takes_no_guess, a_fully_reserved_challenge_takes_no_guess,
    a_guess_for_another_purpose_is_not_counted, a_guess_is_taken_to_the_last_millisecond,
    a_locked_subjects_dead_challenge_answers_as_any_dead_one, a_revoked_challenge_takes_no_guess,
    a_slip_of_the_finger_is_not_counted, a_superseded_challenge_takes_no_guess,
    an_exhausted_challenge_takes_no_guess, an_unknown_id_is_no_challenge,
    another_browsers_guess_is_not_counted, another_tenants_guess_is_not_counted,
};
pub use repeats::{
    a_try_cannot_be_repeated_with_another_code, a_try_is_known_under_a_rotated_key,
    a_try_of_another_challenge_is_another_try, a_won_try_is_answered_again_for_a_minute,
    a_wrong_try_is_answered_again, a_wrong_try_is_recorded_once, an_unanswered_try_goes_on,
    another_try_does_not_inherit_the_success,
};
pub use resend::{
    a_challenge_without_guesses_is_not_resent, a_locked_lane_is_not_resent,
    a_lowered_limit_of_sends_holds_at_once, a_reissue_replaces_the_code_and_what_belongs_to_it,
    a_resend_prolongs_and_refills_nothing, a_stranger_takes_no_send_away,
    an_early_resend_is_charged_to_whoever_asks, an_ended_challenge_is_neither_resent_nor_revived,
    one_of_a_thousand_resends_is_sent, resends_wait_longer_each_time_and_end,
};
pub use revoke::{
    a_revocation_ends_what_fits_and_counts_it, a_revoked_subject_may_ask_anew,
    an_open_query_revokes_everything_live, racing_revocations_count_each_challenge_once,
};
pub use run::run;
pub use seen::{
    a_thing_that_was_seen_is_forgotten_after_its_time, one_of_a_thousand_sees_a_thing_first,
    things_that_look_alike_are_apart,
};
pub use stats::{
    a_clock_that_went_back_loses_no_count, a_purge_leaves_counts_that_stand,
    a_thousand_adds_at_once_sum_exactly, counters_that_look_alike_are_apart,
    hours_leave_a_long_window, hours_leave_a_week, minutes_leave_a_short_window,
    minutes_leave_a_window_of_two_hours, sums_come_in_the_order_of_their_keys,
    the_largest_counters_come_first, too_many_counters_at_once_are_refused,
    what_was_never_counted_is_nothing,
};

/// One fresh, empty store, and the clock that it reads.
///
/// # Contract
/// - The store holds nothing when the fixture is made, and shares nothing with another fixture.
/// - Its clock stands still between [`advance`](Self::advance) and
///   [`step_back`](Self::step_back), to the millisecond. An engine with a clock of its own offers
///   one for tests.
/// - What the fixture needs, a container, a file, lives as long as the fixture.
pub trait StoreFixture: Send + Sync + 'static {
    /// Gives the store; each call the same one.
    fn store(&self) -> Arc<dyn Store>;

    /// Moves the store's clock forward.
    fn advance(&self, by: Duration);

    /// Moves the store's clock backward, as a corrected or tampered clock does.
    fn step_back(&self, by: Duration);
}

#[cfg(test)]
mod tests;
