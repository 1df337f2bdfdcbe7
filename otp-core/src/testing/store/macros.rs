/// Proves a store: expands to a module with one named test per promise.
///
/// The argument names an async function without parameters that returns a
/// [`StoreFixture`](crate::testing::store::StoreFixture). Where several stores are proved in one
/// place, name the module before it. The expanded tests need no crate but this one, with the
/// feature `testing`. An engine that is not there on every machine is proved by
/// `store_conformance!(ignore = "why", module, fixture)`: then every case is ignored for that reason.
///
/// # Examples
/// ```
/// use otp_core::testing::store::{ReferenceFixture, StoreFixture};
///
/// async fn fixture() -> impl StoreFixture {
///     ReferenceFixture::new()
/// }
///
/// otp_core::store_conformance!(fixture);
/// otp_core::store_conformance!(a_second_store, fixture);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($fixture:ident) => {
        $crate::store_conformance!(store_conformance, $fixture);
    };
    ($module:ident, $fixture:ident) => {
        $crate::store_conformance!(@list [] $module $fixture);
    };
    (ignore = $reason:literal, $module:ident, $fixture:ident) => {
        $crate::store_conformance!(@list [#[ignore = $reason]] $module $fixture);
    };
    (@list $attributes:tt $module:ident $fixture:ident) => {
        $crate::store_conformance!(@cases $attributes $module $fixture
            a_thousand_guesses_at_once_reserve_exactly_the_limit,
            a_thousand_copies_of_one_try_count_once,
            a_thousand_guesses_over_many_challenges_stay_within_one_budget,
            a_reserved_guess_is_counted_before_anything_is_compared,
            the_latest_challenge_is_looked_for_lane_by_lane,
            the_latest_challenge_is_nobody_elses,
            a_locked_lane_takes_no_guess,
            a_guess_is_taken_to_the_last_millisecond,
            a_consumed_challenge_takes_no_guess,
            an_exhausted_challenge_takes_no_guess,
            a_fully_reserved_challenge_takes_no_guess,
            a_superseded_challenge_takes_no_guess,
            a_revoked_challenge_takes_no_guess,
            an_unknown_id_is_no_challenge,
            another_tenants_guess_is_not_counted,
            a_guess_for_another_purpose_is_not_counted,
            another_browsers_guess_is_not_counted,
            a_slip_of_the_finger_is_not_counted,
            a_locked_subjects_dead_challenge_answers_as_any_dead_one,
            a_won_try_is_answered_again_for_a_minute,
            another_try_does_not_inherit_the_success,
            a_wrong_try_is_answered_again,
            an_unanswered_try_goes_on,
            a_try_cannot_be_repeated_with_another_code,
            a_try_is_known_under_a_rotated_key,
            a_wrong_try_is_recorded_once,
            a_try_of_another_challenge_is_another_try,
            one_of_a_thousand_right_codes_wins,
            a_success_and_a_revocation_do_not_both_happen,
            a_replaced_code_never_wins,
            the_code_that_was_sent_last_is_the_one_that_wins,
            a_repeated_winner_has_won_before,
            a_nameless_winner_is_not_heard_twice,
            racing_successes_give_back_one_guess_each,
            a_code_that_expires_while_it_is_compared_loses,
            an_unknown_or_ended_challenge_is_not_won,
            an_unused_budget_is_empty,
            guesses_that_are_carried_over_count_as_made_now,
            the_day_of_a_budget_rolls,
            the_month_of_a_budget_rolls,
            a_success_gives_back_only_its_own_guess,
            a_repeated_success_gives_back_one_guess,
            a_new_challenge_refills_nothing,
            a_resend_refills_nothing,
            a_revocation_refills_nothing,
            each_lane_has_a_share_of_its_own,
            a_budget_is_one_a_tenant_subject_and_class,
            an_exhausted_challenge_pauses_its_lane_alone,
            a_challenge_pauses_its_lane_once,
            a_thousand_wrong_answers_at_once_pause_the_lane_once,
            pauses_double_up_to_an_hour_and_a_success_ends_them,
            a_hundred_failures_in_a_row_disable_for_good,
            a_disabled_budget_is_closed_until_it_is_unlocked,
            an_unlocked_budget_is_a_fresh_one,
            a_thousand_requests_at_once_are_admitted_up_to_the_quota,
            several_quotas_are_charged_together_or_not_at_all,
            a_window_is_exact_wherever_it_is_laid,
            a_windows_reading_is_exact,
            a_peek_charges_nothing,
            a_cleared_quota_is_whole_again,
            a_changed_window_holds_at_once,
            a_plans_readings_are_those_of_what_it_did,
            a_try_that_is_not_taken_costs_its_quota,
            hostile_quota_keys_are_inert_and_apart,
            no_claim_is_no_refusal,
            a_rate_decides_as_gcra_does,
            a_lowered_rate_holds_at_once,
            an_idle_rate_fills_up_to_its_burst,
            a_thousand_copies_of_one_request_issue_once,
            a_key_of_another_request_is_a_conflict,
            a_key_lapses_with_its_challenge,
            a_released_key_is_free,
            keys_belong_to_their_tenant,
            a_refused_request_keeps_no_key,
            a_repeated_request_costs_no_quota,
            a_blocked_repeat_is_refused,
            keys_that_look_alike_are_apart,
            a_thousand_inserts_leave_one_live_challenge_a_lane,
            a_challenge_supersedes_its_own_kind_only,
            an_ended_challenge_is_not_superseded,
            every_field_of_a_challenge_is_kept,
            the_history_of_a_challenge_is_kept,
            hostile_subject_ids_are_inert_and_apart,
            what_was_never_inserted_is_not_found,
            a_list_is_newest_first_and_bounded,
            a_list_shows_live_challenges_only,
            a_query_finds_what_fits_every_part,
            a_span_of_time_is_half_open,
            a_revocation_ends_what_fits_and_counts_it,
            an_open_query_revokes_everything_live,
            racing_revocations_count_each_challenge_once,
            a_revoked_subject_may_ask_anew,
            an_early_resend_is_charged_to_whoever_asks,
            one_of_a_thousand_resends_is_sent,
            resends_wait_longer_each_time_and_end,
            a_resend_prolongs_and_refills_nothing,
            a_reissue_replaces_the_code_and_what_belongs_to_it,
            an_ended_challenge_is_neither_resent_nor_revived,
            a_challenge_without_guesses_is_not_resent,
            a_stranger_takes_no_send_away,
            a_locked_lane_is_not_resent,
            a_lowered_limit_of_sends_holds_at_once,
            what_is_blocked_is_refused_and_its_neighbours_are_not,
            a_blocked_prefix_or_domain_refuses_all_of_it,
            every_entry_that_refuses_is_found,
            a_blocked_request_reserves_nothing,
            an_entry_lapses_at_its_end,
            blocking_again_replaces_the_entry,
            what_was_unblocked_is_admitted,
            entries_are_listed_newest_first,
            one_of_a_thousand_sees_a_thing_first,
            a_thing_that_was_seen_is_forgotten_after_its_time,
            things_that_look_alike_are_apart,
            a_thousand_adds_at_once_sum_exactly,
            minutes_leave_a_short_window,
            minutes_leave_a_window_of_two_hours,
            hours_leave_a_long_window,
            hours_leave_a_week,
            what_was_never_counted_is_nothing,
            sums_come_in_the_order_of_their_keys,
            counters_that_look_alike_are_apart,
            the_largest_counters_come_first,
            a_purge_leaves_counts_that_stand,
            a_clock_that_went_back_loses_no_count,
            too_many_counters_at_once_are_refused,
            one_of_a_thousand_publishers_of_a_version_wins,
            versions_have_no_gaps,
            a_policy_is_read_as_it_was_published,
            a_publication_leaves_its_record,
            the_history_of_policies_is_newest_first_and_bounded,
            a_newer_policy_is_adopted_as_it_is,
            a_policy_is_read_whatever_the_clock_says,
            every_field_of_a_device_is_kept,
            a_device_is_its_owners_alone,
            a_forgotten_device_is_not_known,
            a_device_lapses_at_its_end,
            the_oldest_of_too_many_devices_is_forgotten,
            racing_devices_stay_within_their_number,
            what_hangs_on_a_key_is_counted,
            a_code_at_a_time_confirms_and_burns_its_step,
            a_factor_is_its_owners_alone,
            a_guess_is_counted_in_its_own_class_before_anything_is_compared,
            a_locked_class_takes_no_guess,
            a_pending_factor_gives_way_to_one_of_its_name,
            a_removed_factor_is_gone,
            a_reset_leaves_nothing,
            a_steps_success_gives_back_its_own_guess,
            a_success_keeps_the_secret_that_it_brings,
            a_used_recovery_code_gives_back_its_own_guess,
            every_field_of_a_factor_is_kept,
            factors_are_read_whatever_the_clock_says,
            new_recovery_codes_void_all_old_ones,
            no_step_is_accepted_below_the_last,
            one_of_a_thousand_codes_of_a_step_is_accepted,
            one_of_a_thousand_uses_of_a_recovery_code_wins,
            the_last_place_for_a_factor_is_taken_once,
            too_many_recovery_codes_are_refused,
            an_appended_record_is_kept_as_it_was,
            an_appended_record_that_bears_a_time_keeps_it,
            a_record_is_added_once,
            the_outbox_is_read_in_order_page_by_page,
            what_is_not_acknowledged_stays,
            every_intent_leaves_its_record_in_order,
            a_refused_plan_is_recorded_with_its_reason,
            a_locked_try_is_recorded_as_locked,
            every_loser_of_a_race_is_recorded,
            a_lost_success_is_recorded_with_what_came_first,
            an_uncounted_try_is_recorded,
            a_revocation_is_recorded_with_its_count,
            a_sign_of_life_tells_the_time,
            a_clock_that_went_back_stops_every_decision,
            a_clock_that_caught_up_decides_again,
            a_small_step_back_revives_nothing,
            a_small_step_back_refills_nothing,
            many_small_steps_back_do_not_add_up_unseen,
            an_ended_challenge_is_kept_for_a_day,
            a_purge_is_bounded_by_its_limit,
            a_purge_leaves_live_things_alone,
            a_purge_leaves_budgets_alone,
            a_purge_forgets_no_run_of_failures,
            a_purge_opens_no_lock,
            a_dropped_try_is_counted_everywhere_or_nowhere,
            a_dropped_success_happens_once_or_not_at_all,
            a_dropped_insert_is_whole_or_absent,
            a_dropped_call_leaves_a_store_that_works,
            a_message_is_on_record_with_its_challenge,
            the_first_settlement_stands,
            the_record_of_an_unknown_message_is_kept,
            fifty_shuffled_reports_only_move_a_message_forward,
            one_of_a_thousand_copies_of_a_report_moves_it,
            a_report_before_its_message_is_kept_and_applied,
            an_unknown_report_waits_for_a_day,
            a_report_about_another_message_moves_nothing,
            failures_are_listed_by_window_without_decoys,
            one_of_a_thousand_claims_sends_a_failure_again,
            what_was_not_sent_in_time_fails_once,
            a_late_settlement_lets_receipts_in,
            a_missing_receipt_is_noticed_once,
            a_purge_leaves_fresh_failures,
        );
    };
    (@cases $attributes:tt $module:ident $fixture:ident $($case:ident,)+) => {
        mod $module {
            $($crate::store_conformance!(@case $attributes $fixture $case);)+
        }
    };
    (@case [$($attribute:tt)*] $fixture:ident $case:ident) => {
        $($attribute)*
        #[test]
        fn $case() {
            $crate::testing::store::run(async {
                let fixture = super::$fixture().await;
                $crate::testing::store::$case(&fixture).await;
            });
        }
    };
}
