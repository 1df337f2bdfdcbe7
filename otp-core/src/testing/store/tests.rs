//! The suite passes on a store that keeps the contract, and catches each of many that do not.

mod broken;

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{ReferenceFixture, StoreFixture, run};
use broken::{BrokenFixture, Fault};

async fn reference() -> impl StoreFixture {
    ReferenceFixture::new()
}

crate::store_conformance!(reference_store, reference);

#[test]
fn every_case_of_the_suite_is_run_by_the_macro() {
    let sources = [
        include_str!("attempts.rs"),
        include_str!("audit.rs"),
        include_str!("audit_intents.rs"),
        include_str!("blocks.rs"),
        include_str!("budget.rs"),
        include_str!("cancel.rs"),
        include_str!("clock.rs"),
        include_str!("consume.rs"),
        include_str!("devices.rs"),
        include_str!("factors.rs"),
        include_str!("insert.rs"),
        include_str!("issue.rs"),
        include_str!("list.rs"),
        include_str!("locks.rs"),
        include_str!("named.rs"),
        include_str!("policies.rs"),
        include_str!("purge.rs"),
        include_str!("quotas.rs"),
        include_str!("rates.rs"),
        include_str!("recovery.rs"),
        include_str!("refusals.rs"),
        include_str!("repeats.rs"),
        include_str!("resend.rs"),
        include_str!("revoke.rs"),
        include_str!("seen.rs"),
        include_str!("stats.rs"),
    ];
    let run = include_str!("macros.rs");
    let mut cases = 0;
    for source in sources {
        for case in source.split("\npub async fn ").skip(1) {
            let name = case.split('(').next().expect("a name");
            assert!(run.contains(&format!(" {name},\n")), "{name} is not run");
            cases += 1;
        }
    }
    assert!(cases > 130, "only {cases} cases were found");
}

/// One test a fault: the case named beside it must fail, with these words of its promise.
macro_rules! caught {
    ($($name:ident: $fault:ident, $case:ident, $promise:literal;)+) => {
        $(
            #[test]
            fn $name() {
                let fixture = BrokenFixture::new(Fault::$fault);
                let report = catch_unwind(AssertUnwindSafe(|| run(super::$case(&fixture))));
                let report = report.expect_err("the fault goes unseen");
                let words = report.downcast_ref::<String>().map(String::as_str);
                let words = words.or(report.downcast_ref::<&str>().copied()).unwrap_or_default();
                assert!(words.contains($promise), "another report than expected: {words}");
            }
        )+
    };
}

caught! {
    a_guess_that_is_counted_after_it_was_compared_is_caught:
        CountsAfterComparing, a_thousand_guesses_at_once_reserve_exactly_the_limit,
        "exactly the limit of guesses is reserved";
    a_guess_that_misses_the_budget_is_caught:
        MissesTheBudget, a_thousand_guesses_over_many_challenges_stay_within_one_budget,
        "the public share of a day is compared";
    a_success_that_is_read_and_then_written_is_caught:
        ReadsThenWrites, one_of_a_thousand_right_codes_wins,
        "exactly one racing right code wins";
    a_refill_by_a_new_challenge_is_caught:
        RefillsOnInsert, a_new_challenge_refills_nothing, "a new challenge has no new budget";
    a_refill_by_a_resend_is_caught:
        RefillsOnReissue, a_resend_prolongs_and_refills_nothing, "guesses stay spent";
    a_reissue_that_revives_is_caught:
        RevivesOnReissue, an_ended_challenge_is_neither_resent_nor_revived, "it stays ended";
    a_code_that_outlives_its_reissue_is_caught:
        KeepsTheOldCode, the_code_that_was_sent_last_is_the_one_that_wins,
        "left: Won";
    a_refused_request_that_costs_a_quota_is_caught:
        ChargesOnRefusal, a_thousand_requests_at_once_are_admitted_up_to_the_quota,
        "a refused request costs nothing";
    quotas_that_are_charged_one_by_one_are_caught:
        ChargesOneByOne, several_quotas_are_charged_together_or_not_at_all,
        "a refusal is free elsewhere";
    a_success_that_clears_the_windows_is_caught:
        SuccessClearsWindows, a_success_gives_back_only_its_own_guess,
        "a success refills no window";
    a_clock_that_may_go_back_is_caught:
        TrustsTheClock, a_clock_that_went_back_stops_every_decision, "waits for the clock";
    a_clock_that_revives_what_expired_is_caught:
        TrustsTheClock, a_small_step_back_revives_nothing, "time stands still";
    a_success_without_a_record_is_caught:
        LosesTheRecord, every_intent_leaves_its_record_in_order, "every intent leaves its record";
    a_loser_without_a_record_is_caught:
        LosesLosers, every_loser_of_a_race_is_recorded, "one record a caller";
    a_forgotten_idempotency_key_is_caught:
        ForgetsKeys, a_thousand_copies_of_one_request_issue_once, "of a thousand copies issue";
    a_lane_that_supersedes_the_other_is_caught:
        SupersedesBothLanes, a_challenge_supersedes_its_own_kind_only, "a place of its own lane only";
    a_decoy_that_ends_a_code_is_caught:
        DecoysTakeAnyPlace, a_decoy_takes_the_place_of_decoys_alone, "a decoy ends no code";
    an_insert_that_supersedes_nothing_is_caught:
        SupersedesNothing, a_thousand_inserts_leave_one_live_challenge_a_lane,
        "one live challenge a lane";
    a_missing_pause_is_caught:
        ForgetsStrikes, an_exhausted_challenge_pauses_its_lane_alone, "the lane pauses";
    a_disablement_that_lapses_is_caught:
        PurgesBudgets, a_hundred_failures_in_a_row_disable_for_good,
        "a disabled authenticator takes no guess";
    a_purge_of_budgets_is_caught:
        PurgesBudgets, a_purge_leaves_budgets_alone, "no guess leaves before its window does";
    a_purge_without_a_bound_is_caught:
        PurgesWithoutBound, a_purge_is_bounded_by_its_limit, "a purge of at most four";
    an_answer_that_is_kept_for_ever_is_caught:
        ReplaysForEver, a_won_try_is_answered_again_for_a_minute, "a success is not kept for long";
    a_memory_that_is_prolonged_is_caught:
        ProlongsMemory, a_thing_that_was_seen_is_forgotten_after_its_time,
        "seeing it again prolonged nothing";
    a_block_that_never_lapses_is_caught:
        BlocksForEver, an_entry_lapses_at_its_end, "its hour is over";
    a_revocation_without_its_count_is_caught:
        LosesTheCount, a_revocation_is_recorded_with_its_count, "revoked:3";
    a_half_done_admission_is_caught:
        CountsInTwoSteps, a_dropped_try_is_counted_everywhere_or_nowhere, "half done for good";
    a_lock_that_shows_through_a_dead_challenge_is_caught:
        ShowsLocks, a_locked_subjects_dead_challenge_answers_as_any_dead_one,
        "a dead challenge asks no budget";
    a_stranger_whose_guess_is_counted_is_caught:
        IgnoresTenants, another_tenants_guess_is_not_counted, "a stranger is turned away";
    a_record_that_is_added_twice_is_caught:
        AppendsTwice, a_record_is_added_once, "a duplicate carries the same id";
    an_acknowledgement_of_too_much_is_caught:
        AcknowledgesAll, what_is_not_acknowledged_stays, "no record goes before it is kept";
    lanes_in_another_order_are_caught:
        ReversesLanes, the_latest_challenge_is_looked_for_lane_by_lane, "in the claim's order";
    a_resend_that_is_not_reserved_is_caught:
        ReservesNoSend, one_of_a_thousand_resends_is_sent, "exactly one send is reserved";
    counts_that_are_added_twice_are_caught:
        CountsTwice, a_thousand_adds_at_once_sum_exactly, "every add is counted once";
    minutes_that_never_leave_are_caught:
        SumsForEver, minutes_leave_a_short_window, "a grain has left";
    a_policy_that_is_overwritten_unseen_is_caught:
        PublishesBlindly, one_of_a_thousand_publishers_of_a_version_wins, "exactly one publishes";
    a_board_that_is_overwritten_unseen_is_caught:
        PostsBlindly, one_of_a_thousand_posts_over_a_revision_wins, "exactly one posts";
    a_board_that_does_not_keep_its_text_is_caught:
        ForgetsPosts, a_board_is_read_as_it_was_posted, "it reads the same";
    a_step_that_is_read_and_then_burned_is_caught:
        ReadsThenAdvances, one_of_a_thousand_codes_of_a_step_is_accepted,
        "exactly one code of a step is accepted";
    a_try_that_is_not_kept_is_caught:
        LosesTries, an_accepted_try_is_kept_with_its_success, "a success keeps its answer";
    a_named_try_that_is_counted_again_is_caught:
        CountsRepeats, a_named_try_is_counted_once_for_its_time, "a named try is counted once";
    a_name_that_two_factors_have_is_caught:
        RenamesToTaken, a_factor_is_renamed_where_the_name_is_free, "another one's name";
    a_recovery_code_that_nobody_compared_is_caught:
        UsesWhatIsThere, new_recovery_codes_void_all_old_ones, "an old code is void";
    a_device_that_is_not_forgotten_is_caught:
        ForgetsNoDevice, a_forgotten_device_is_not_known, "it is not known any more";
    a_list_in_another_order_is_caught:
        ListsOldestFirst, a_list_is_newest_first_and_bounded, "the newest come first";
    a_settlement_that_does_not_stand_is_caught:
        SettlesAnew, the_first_settlement_stands, "who sent it is written once";
    a_report_that_is_not_kept_is_caught:
        LosesEarlyReports, a_report_before_its_message_is_kept_and_applied,
        "the highest of what was kept is applied";
    a_message_that_goes_back_is_caught:
        GoesBackwards, fifty_shuffled_reports_only_move_a_message_forward, "never back";
    a_decoy_among_the_failures_is_caught:
        ListsDecoys, failures_are_listed_by_window_without_decoys, "newest first";
    a_failure_that_many_send_again_is_caught:
        ClaimsForAll, one_of_a_thousand_claims_sends_a_failure_again, "has one winner";
    an_unsent_message_without_a_record_is_caught:
        LosesTheRecord, what_was_not_sent_in_time_fails_once, "one failure, one record";
    a_missing_receipt_that_is_noticed_twice_is_caught:
        NoticesForEver, a_missing_receipt_is_noticed_once, "one of those who look notices it";
}
