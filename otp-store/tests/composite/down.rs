//! Memory decides alone: the cases of the suite that a degrading store promises to keep with a
//! primary that was never there, declared as the only instance, so that its share is the whole.
//!
//! Left out are those that ask what is closed in every outage: budgets as they stand, unlocking
//! and disabling, blocking, lists and revocations, the outbox, replay memory, clearing quotas.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::ManualClock;
use otp_core::policy::OutagePolicy;
use otp_core::store::{ChallengeStore as _, Store};
use otp_core::testing::store::StoreFixture;
use otp_store::composite::degrading::DegradingOptions;
use otp_store::{Degrading, MemoryStore};

use crate::fixture::{Over, settled};
use crate::switch::{DOWN, Switched};

struct Down {
    store: Over,
    clock: ManualClock,
}

impl StoreFixture for Down {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn step_back(&self, by: Duration) {
        self.clock.step_back(by);
    }
}

async fn down() -> Down {
    let clock = ManualClock::default();
    let primary = Switched::around(MemoryStore::with_clock(Arc::new(clock.clone())));
    primary.turn(DOWN);
    let options = DegradingOptions::new(OutagePolicy::memory(), NonZeroU32::MIN);
    let options = options.clock(Arc::new(clock.clone()));
    let store = Degrading::with_options(primary, options);
    while store.ping().await.is_err() {
        settled().await;
    }
    Down { store, clock }
}

macro_rules! kept_beneath {
    ($($case:ident),+ $(,)?) => {$(
        #[test]
        fn $case() {
            otp_core::testing::store::run(async {
                otp_core::testing::store::$case(&down().await).await;
            });
        }
    )+};
}

kept_beneath!(
    a_challenge_supersedes_its_own_kind_only,
    a_challenge_without_guesses_is_not_resent,
    a_changed_window_holds_at_once,
    a_code_that_expires_while_it_is_compared_loses,
    a_dropped_call_leaves_a_store_that_works,
    a_key_lapses_with_its_challenge,
    a_key_of_another_request_is_a_conflict,
    a_locked_lane_is_not_resent,
    a_locked_subjects_dead_challenge_answers_as_any_dead_one,
    a_lowered_limit_of_sends_holds_at_once,
    a_lowered_rate_holds_at_once,
    a_nameless_winner_is_not_heard_twice,
    a_peek_charges_nothing,
    a_plans_readings_are_those_of_what_it_did,
    a_rate_decides_as_gcra_does,
    a_reissue_replaces_the_code_and_what_belongs_to_it,
    a_repeated_request_costs_no_quota,
    a_repeated_winner_has_won_before,
    a_replaced_code_never_wins,
    a_resend_prolongs_and_refills_nothing,
    a_sign_of_life_tells_the_time,
    a_small_step_back_revives_nothing,
    a_success_and_a_revocation_do_not_both_happen,
    a_thousand_copies_of_one_request_issue_once,
    a_thousand_requests_at_once_are_admitted_up_to_the_quota,
    a_try_cannot_be_repeated_with_another_code,
    a_try_is_known_under_a_rotated_key,
    a_try_of_another_challenge_is_another_try,
    a_window_is_exact_wherever_it_is_laid,
    a_windows_reading_is_exact,
    a_won_try_is_answered_again_for_a_minute,
    a_wrong_try_is_recorded_once,
    an_early_resend_is_charged_to_whoever_asks,
    an_ended_challenge_is_neither_resent_nor_revived,
    an_ended_challenge_is_not_superseded,
    an_idle_rate_fills_up_to_its_burst,
    another_browsers_guess_is_not_counted,
    another_try_does_not_inherit_the_success,
    hostile_quota_keys_are_inert_and_apart,
    keys_belong_to_their_tenant,
    keys_that_look_alike_are_apart,
    many_small_steps_back_do_not_add_up_unseen,
    no_claim_is_no_refusal,
    one_of_a_thousand_resends_is_sent,
    one_of_a_thousand_right_codes_wins,
    resends_wait_longer_each_time_and_end,
    several_quotas_are_charged_together_or_not_at_all,
    the_code_that_was_sent_last_is_the_one_that_wins,
    the_history_of_a_challenge_is_kept,
);
