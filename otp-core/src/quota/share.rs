//! One instance's share of a limit, for when every instance has to count by itself.

use std::num::NonZeroU32;

use super::{BudgetRules, BudgetWindow, Quota, QuotaKind};
use crate::challenge::Lane;

impl BudgetRules {
    /// Divides the rules between instances that each count by themselves: together they never take
    /// more guesses than the rules allow, in any window, lane or run of failures.
    ///
    /// Shares are rounded down. A lane whose share is nothing takes no guess; a run of failures
    /// whose share is nothing closes both lanes. Pauses are as long as before.
    #[must_use]
    pub fn divided(&self, instances: NonZeroU32) -> Self {
        let share = |window: &BudgetWindow| BudgetWindow {
            public: window.public / instances,
            known_device: window.known_device / instances,
            window: window.window,
        };
        // The public run is four fifths of the whole, rounded up, and must be a share as well.
        let public = self.run_of(Lane::Public) / instances;
        let run = public.saturating_add(public / 4);
        Self {
            windows: self.windows.iter().map(share).collect(),
            backoff: self.backoff,
            consecutive_limit: run.min(self.consecutive_limit / instances),
        }
    }
}

impl Quota {
    /// Divides the quota between instances that each count by themselves, rounded down, and to no
    /// less than one: of more instances than the quota has hits, each still admits one.
    #[must_use]
    pub fn divided(self, instances: NonZeroU32) -> Self {
        let max = (self.max() / instances).max(1);
        let share = match self.kind() {
            QuotaKind::Window => Self::window(max, self.period()),
            QuotaKind::Rate => Self::rate(max, self.period()),
        };
        // Fewer hits in the same period are always a quota.
        share.unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::quota::{Backoff, Shape};

    fn instances(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).expect("more than none")
    }

    #[test]
    fn a_budget_is_divided_window_by_window_and_lane_by_lane() {
        let share = BudgetRules::out_of_band().divided(instances(3));
        let windows: Vec<(u32, u32)> = share
            .windows
            .iter()
            .map(|window| (window.public, window.known_device))
            .collect();
        assert_eq!(windows, [(5, 1), (16, 4)]);
        assert_eq!(
            (share.consecutive_limit, share.run_of(Lane::Public)),
            (32, 26)
        );
        assert_eq!(share.backoff, BudgetRules::out_of_band().backoff);
    }

    #[test]
    fn one_instance_has_everything_and_a_share_of_nothing_takes_no_guess() {
        let rules = BudgetRules::out_of_band();
        assert_eq!(rules.divided(instances(1)), rules);
        let share = rules.divided(instances(17));
        assert_eq!((share.windows[0].public, share.windows[1].public), (0, 2));
        let mut budget = crate::quota::Budget::default();
        let now = crate::clock::Timestamp::from_millis(1_767_225_600_000);
        assert!(budget.reserve(&share, Lane::Public, now).is_err());
    }

    #[test]
    fn a_quota_keeps_its_period_and_admits_at_least_one() {
        let hour = Duration::from_secs(3_600);
        let window = Quota::window(10, hour).expect("a quota");
        assert_eq!(
            window.divided(instances(3)),
            Quota::window(3, hour).expect("a quota")
        );
        assert_eq!(
            window.divided(instances(11)),
            Quota::window(1, hour).expect("a quota")
        );
        let rate = Quota::rate(10, hour).expect("a quota");
        assert_eq!(
            rate.divided(instances(4)),
            Quota::rate(2, hour).expect("a quota")
        );
    }

    proptest! {
        #[test]
        fn all_shares_together_are_never_more_than_the_whole(
            n in 1_u32..200, public in 0_u32..2_000, known in 0_u32..2_000, run in 0_u32..=100,
        ) {
            let window = Duration::from_secs(86_400);
            let rules = BudgetRules {
                windows: vec![BudgetWindow { public, known_device: known, window }],
                backoff: Backoff { first: Duration::from_secs(1), cap: Duration::from_secs(1) },
                consecutive_limit: run,
            };
            let share = rules.divided(instances(n));
            prop_assert!(share.windows[0].public * n <= public);
            prop_assert!(share.windows[0].known_device * n <= known);
            for lane in Lane::ALL {
                prop_assert!(share.run_of(lane) * n <= rules.run_of(lane), "{:?}", lane);
            }
        }

        #[test]
        fn shares_of_a_quota_with_a_hit_for_each_are_never_more_than_the_whole(
            n in 1_u32..200, each in 1_u32..40, rest in 0_u32..200,
        ) {
            let (max, hour) = (n * each + rest % n, Duration::from_secs(3_600));
            for whole in [Quota::window(max, hour), Quota::rate(max, hour)] {
                let whole = whole.expect("a quota");
                let share = whole.divided(instances(n));
                prop_assert!(share.max() * n <= max);
                if let (Shape::Rate(share), Shape::Rate(whole)) = (share.shape(), whole.shape()) {
                    // All of them together are no faster, but for the rounding of the step.
                    let together = share.step_us() / i64::from(n);
                    prop_assert!(together + 1 >= whole.step_us());
                }
            }
        }
    }
}
