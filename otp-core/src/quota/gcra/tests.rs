use std::cell::Cell;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as GovernorQuota, RateLimiter};
use proptest::prelude::*;

use super::{Decision, Rate, decide, look, remembering, used};
use crate::quota::{Quota, Shape};

const START_US: i64 = 1_700_000_000_000_000;

struct Hands(Cell<u64>);

impl Clock for Hands {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.get())
    }
}

fn rate(burst: u32, per: Duration) -> Rate {
    match Quota::rate(burst, per).unwrap().shape() {
        Shape::Rate(rate) => rate,
        Shape::Window(_) => panic!("a rate has the shape of one"),
    }
}

fn admitted(decision: Decision) -> Option<i64> {
    match decision {
        Decision::Admit { tat_us, .. } => Some(tat_us),
        Decision::Refuse { .. } => None,
    }
}

/// Steps of time in microseconds: bursts, single steps, long rests and steps back.
fn steps() -> impl Strategy<Value = Vec<i64>> {
    let step = prop_oneof![
        4 => Just(0_i64),
        4 => 0..5_000_000_i64,
        2 => 0..200_000_000_i64,
        1 => -3_000_000_000..0_i64,
        1 => 0..100_000_000_000_i64,
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn every_decision_is_governors(burst in 1..40_u32, per_ms in 4..4_000_000_u64, steps in steps()) {
        let rate = rate(burst, Duration::from_millis(per_ms));
        let step = Duration::from_micros(u64::try_from(rate.step_us()).unwrap());
        let quota = GovernorQuota::with_period(step).unwrap()
            .allow_burst(NonZeroU32::new(burst).unwrap());
        let governor: RateLimiter<NotKeyed, _, _, StateInformationMiddleware> =
            RateLimiter::new(quota, InMemoryState::default(), Hands(Cell::new(0)));
        let (mut tat, mut now) = (None, START_US);
        for step in steps {
            now += step;
            governor.clock().0.set(u64::try_from(now).unwrap() * 1_000);
            match (governor.check(), decide(rate, tat, now)) {
                (Ok(theirs), Decision::Admit { tat_us, level }) => {
                    prop_assert_eq!(theirs.remaining_burst_capacity(), level.remaining);
                    prop_assert_eq!(level.retry_after, None);
                    tat = Some(tat_us);
                }
                (Err(theirs), Decision::Refuse { level }) => {
                    let wait = theirs.wait_time_from(governor.clock().now());
                    prop_assert_eq!(Some(wait), level.retry_after);
                    prop_assert_eq!(level.remaining, 0);
                }
                (theirs, ours) => prop_assert!(false, "governor {theirs:?}, ours {ours:?}"),
            }
        }
    }

    #[test]
    fn the_long_run_never_exceeds_the_burst_and_what_came_back(
        burst in 1..40_u32, per_ms in 4..4_000_000_u64, steps in steps(),
    ) {
        let rate = rate(burst, Duration::from_millis(per_ms));
        let (mut tat, mut now, mut hits) = (None, START_US, 0_i64);
        let (mut earliest, mut latest) = (i64::MAX, i64::MIN);
        for step in steps {
            now += step;
            (earliest, latest) = (earliest.min(now), latest.max(now));
            if let Some(next) = admitted(decide(rate, tat, now)) {
                tat = Some(next);
                hits += 1;
            }
            prop_assert!(hits <= i64::from(burst) + (latest - earliest) / rate.step_us());
        }
    }

    #[test]
    fn a_wait_is_the_shortest_that_helps(burst in 1..9_u32, per_ms in 4..100_000_u64, extra in 0..9_u32) {
        let rate = rate(burst, Duration::from_millis(per_ms));
        let mut tat = None;
        for _ in 0..burst + extra {
            tat = admitted(decide(rate, tat, START_US)).or(tat);
        }
        let wait = look(rate, tat, START_US).retry_after.unwrap();
        let wait = i64::try_from(wait.as_micros()).unwrap();
        prop_assert_eq!(admitted(decide(rate, tat, START_US + wait - 1)), None);
        prop_assert!(admitted(decide(rate, tat, START_US + wait)).is_some());
    }

    #[test]
    fn a_changed_rate_never_finds_more_left_than_it_allows(
        old in (1..40_u32, 4..4_000_000_u64), new in (1..40_u32, 4..4_000_000_u64), hits in 0..50_u32, later in 0..1_000_000_i64,
    ) {
        let (old, new) = (rate(old.0, Duration::from_millis(old.1)), rate(new.0, Duration::from_millis(new.1)));
        let mut tat = None;
        for _ in 0..hits {
            tat = admitted(decide(old, tat, START_US)).or(tat);
        }
        let now = START_US + later;
        let before = look(old, tat, now);
        let (used, as_of) = used(old, tat.unwrap_or(now), now);
        let after = look(new, Some(remembering(new, used, as_of)), now);
        prop_assert_eq!(used, old.burst() - before.remaining);
        prop_assert_eq!(after.remaining, new.burst().saturating_sub(used));
    }
}

#[test]
fn a_clock_gone_back_refuses_until_it_has_caught_up() {
    let rate = rate(2, Duration::from_secs(60));
    let tat = admitted(decide(rate, None, START_US));
    let tat = admitted(decide(rate, tat, START_US));
    let hour = 3_600_000_000;
    assert_eq!(admitted(decide(rate, tat, START_US - hour)), None);
    assert_eq!(look(rate, tat, START_US - hour).remaining, 0);
    assert!(admitted(decide(rate, tat, START_US + 30_000_000)).is_some());
}

#[test]
fn what_a_broken_store_hands_back_refuses_and_does_not_overflow() {
    let rate = rate(1_000_000, Quota::LONGEST);
    assert_eq!(admitted(decide(rate, Some(i64::MAX), START_US)), None);
    assert!(admitted(decide(rate, Some(i64::MIN), START_US)).is_some());
    assert_eq!(used(rate, i64::MAX, i64::MIN).0, rate.burst());
}
