use proptest::prelude::*;

use super::*;

const T0: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn at(seconds: u64) -> Timestamp {
    T0.saturating_add(Duration::from_secs(seconds))
}

#[test]
fn the_default_budget_bounds_a_year_at_780_guesses_and_totp_at_325() {
    assert_eq!(BudgetRules::out_of_band().guesses_a_year(), 780);
    assert_eq!(BudgetRules::totp().guesses_a_year(), 325);
}

#[test]
fn the_public_lane_runs_dry_without_touching_the_known_devices() {
    let rules = BudgetRules::out_of_band();
    let mut budget = Budget::default();
    for _ in 0..16 {
        budget
            .reserve(&rules, Lane::Public, T0)
            .expect("room for sixteen");
    }
    let refused = budget.reserve(&rules, Lane::Public, at(60));
    assert_eq!(refused, Err(BudgetRefusal::Locked { until: at(86_400) }));
    assert_eq!(budget.reserve(&rules, Lane::KnownDevice, at(60)), Ok(()));
}

#[test]
fn a_success_gives_back_its_own_guess_and_refills_nothing_else() {
    let rules = BudgetRules::out_of_band();
    let mut budget = Budget::default();
    for _ in 0..10 {
        budget.reserve(&rules, Lane::Public, T0).expect("room");
    }
    budget.reserve(&rules, Lane::Public, at(1)).expect("room");
    budget.succeed(Lane::Public);
    assert_eq!(budget.guesses.len(), 10);
    assert_eq!(budget.consecutive, 0);
}

#[test]
fn each_used_up_challenge_doubles_the_pause_up_to_an_hour() {
    let rules = BudgetRules::out_of_band();
    let mut budget = Budget::default();
    for expected in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        budget.strike(&rules, Lane::Public, T0);
        let refused = budget.look(&rules, Lane::Public, T0);
        assert_eq!(
            refused,
            Err(BudgetRefusal::Locked {
                until: at(expected)
            })
        );
        assert_eq!(budget.look(&rules, Lane::KnownDevice, T0), Ok(()));
        assert_eq!(budget.look(&rules, Lane::Public, at(expected)), Ok(()));
    }
}

#[test]
fn a_hundred_failures_in_a_row_disable_for_good_and_time_alone_does_not_help() {
    let rules = BudgetRules::out_of_band();
    let mut budget = Budget::default();
    let (mut now, mut compared) = (T0, 0);
    for _ in 0..10_000 {
        now = now.saturating_add(Duration::from_secs(3_600));
        for lane in Lane::ALL {
            compared += u32::from(budget.reserve(&rules, lane, now).is_ok());
        }
    }
    assert_eq!(compared, 100);
    let later = now.saturating_add(Duration::from_secs(10 * 365 * 86_400));
    let refused = budget.look(&rules, Lane::KnownDevice, later);
    assert_eq!(refused, Err(BudgetRefusal::Disabled));
    budget.unlock();
    assert_eq!(budget.look(&rules, Lane::Public, later), Ok(()));
}

#[test]
fn strangers_alone_never_close_the_lane_of_known_devices() {
    let rules = BudgetRules::out_of_band();
    let mut budget = Budget::default();
    let (mut now, mut compared) = (T0, 0);
    for _ in 0..10_000 {
        now = now.saturating_add(Duration::from_secs(3_600));
        compared += u32::from(budget.reserve(&rules, Lane::Public, now).is_ok());
    }
    assert_eq!(compared, 80);
    assert_eq!(
        budget.look(&rules, Lane::Public, now),
        Err(BudgetRefusal::Disabled)
    );
    assert_eq!(budget.look(&rules, Lane::KnownDevice, now), Ok(()));
    budget.succeed(Lane::KnownDevice);
    assert_eq!(
        budget.look(&rules, Lane::Public, now),
        Ok(()),
        "the owner opens it again"
    );
}

#[test]
fn a_simulated_year_of_greedy_guessing_stays_under_the_stated_bound() {
    let rules = BudgetRules {
        consecutive_limit: u32::MAX,
        ..BudgetRules::out_of_band()
    };
    let mut budget = Budget::default();
    let mut compared = 0_u64;
    for minute in 0..365 * 24 * 60_u64 {
        for lane in Lane::ALL {
            compared += u64::from(budget.reserve(&rules, lane, at(minute * 60)).is_ok());
        }
    }
    assert!(compared <= rules.guesses_a_year(), "{compared} guesses");
    assert!(
        compared >= 700,
        "the simulation guesses greedily: {compared}"
    );
}

proptest! {
    #[test]
    fn no_window_ever_holds_more_than_its_share(
        walk in proptest::collection::vec((0_u64..7_200, any::<bool>(), any::<bool>()), 0..400),
    ) {
        let rules = BudgetRules {
            windows: vec![BudgetWindow { public: 3, known_device: 2, window: Duration::from_secs(3_600) }],
            ..BudgetRules::out_of_band()
        };
        let mut budget = Budget::default();
        let mut now = T0;
        let mut taken: Vec<(Timestamp, Lane)> = Vec::new();
        for (step, known, right) in walk {
            now = now.saturating_add(Duration::from_secs(step));
            let lane = if known { Lane::KnownDevice } else { Lane::Public };
            if budget.reserve(&rules, lane, now).is_ok() {
                if right { budget.succeed(lane); } else { taken.push((now, lane)); }
            }
            for (lane, max) in [(Lane::Public, 3), (Lane::KnownDevice, 2)] {
                let since = now.saturating_sub(Duration::from_secs(3_600));
                let held = taken.iter().filter(|(t, l)| *l == lane && *t > since).count();
                prop_assert!(held <= max);
            }
        }
    }

    #[test]
    fn a_clock_that_walks_back_never_frees_a_window(back in 0_i64..10_000_000) {
        let rules = BudgetRules::out_of_band();
        let mut budget = Budget::default();
        for _ in 0..16 {
            budget.reserve(&rules, Lane::Public, T0).expect("room");
        }
        let earlier = Timestamp::from_millis(T0.as_millis() - back);
        prop_assert!(budget.look(&rules, Lane::Public, earlier).is_err());
    }
}
