use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;

use super::LocalQuotas;
use super::cell::Cell;
use super::fingerprint::Fingerprint;
use crate::quota::{Quota, QuotaClaim, QuotaKey, Scope, Shape};

const NOW: i64 = 1_700_000_000_000;

fn claim(value: &str, quota: Quota) -> QuotaClaim {
    QuotaClaim::new(QuotaKey::new("issue", Scope::Subject, "acme", value), quota)
}

fn window(max: u32, ms: u64) -> Quota {
    Quota::window(max, Duration::from_millis(ms)).unwrap()
}

fn rate(burst: u32, ms: u64) -> Quota {
    Quota::rate(burst, Duration::from_millis(ms)).unwrap()
}

fn small(capacity: usize) -> LocalQuotas {
    LocalQuotas::with_capacity(NonZeroUsize::new(capacity).unwrap())
}

/// Counts how often a claim is admitted at one moment.
fn left(quotas: &LocalQuotas, claim: &QuotaClaim, now_ms: i64) -> u32 {
    (0..1_000)
        .map(|_| u32::from(quotas.check(claim, now_ms).is_ok()))
        .sum()
}

/// The same promises in the plainest way: every hit of a window in a list, every rate a bucket
/// that leaks.
#[derive(Default)]
struct Naive {
    hits: HashMap<String, Vec<i64>>,
    leaks: HashMap<String, (i64, i64)>,
}

impl Naive {
    fn admits(&self, claim: &QuotaClaim, now_ms: i64) -> bool {
        let key = claim.key.as_str();
        match claim.quota.shape() {
            Shape::Window(window) => {
                let hits = self.hits.get(key).cloned().unwrap_or_default();
                let now = hits.iter().copied().max().unwrap_or(now_ms).max(now_ms);
                let inside = hits
                    .iter()
                    .filter(|hit| now - **hit < window.length_ms())
                    .count();
                inside < window.max() as usize
            }
            Shape::Rate(rate) => {
                self.filled(key, now_ms) + rate.step_us()
                    <= rate.step_us() * i64::from(rate.burst())
            }
        }
    }

    fn filled(&self, key: &str, now_ms: i64) -> i64 {
        self.leaks
            .get(key)
            .map_or(0, |(filled, at)| (filled - (now_ms - at) * 1_000).max(0))
    }

    fn take(&mut self, claim: &QuotaClaim, now_ms: i64) {
        let key = claim.key.as_str().to_owned();
        match claim.quota.shape() {
            Shape::Window(_) => {
                let hits = self.hits.entry(key).or_default();
                hits.push(hits.iter().copied().max().unwrap_or(now_ms).max(now_ms));
            }
            Shape::Rate(rate) => {
                let filled = self.filled(&key, now_ms) + rate.step_us();
                self.leaks.insert(key, (filled, now_ms));
            }
        }
    }
}

fn steps() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(0_i64),
        4 => 0..400_i64,
        // The lengths of the windows below, and a millisecond to either side.
        4 => prop::sample::select(vec![99_i64, 100, 101, 999, 1_000, 1_001]),
        1 => 0..5_000_i64,
        1 => -2_000..0_i64,
    ]
}

proptest! {
    #[test]
    fn the_limiter_says_what_the_plainest_model_says(
        calls in prop::collection::vec((steps(), prop::collection::vec(0..5_usize, 1..4), any::<bool>()), 1..150),
    ) {
        let claims = [
            claim("a", window(1, 100)),
            claim("b", window(3, 1_000)),
            claim("c", rate(3, 1_000)),
            claim("d", rate(1, 100)),
            claim("e", window(7, 1_000)),
        ];
        let (quotas, mut naive, mut now) = (LocalQuotas::new(), Naive::default(), NOW);
        for (step, mut chosen, single) in calls {
            now += step;
            if single {
                chosen.truncate(1);
            }
            let asked: Vec<QuotaClaim> = chosen.iter().map(|i| claims[*i].clone()).collect();
            for claim in &asked {
                prop_assert_eq!(quotas.peek(claim, now).retry_after().is_none(), naive.admits(claim, now));
            }
            let expected = asked.iter().all(|claim| naive.admits(claim, now));
            let said = if single {
                quotas.check(&asked[0], now).map(|_| ())
            } else {
                quotas.check_all(&asked, now).map(|_| ())
            };
            prop_assert_eq!(said.is_ok(), expected, "{:?} at {}", asked, now - NOW);
            if expected {
                let mut taken = Vec::new();
                for claim in &asked {
                    if !taken.contains(&claim.key) {
                        naive.take(claim, now);
                        taken.push(claim.key.clone());
                    }
                }
            } else {
                let refused = said.unwrap_err();
                for (reading, claim) in refused.readings().iter().zip(&asked) {
                    prop_assert_eq!(reading.retry_after().is_none(), naive.admits(claim, now));
                }
            }
        }
    }

    #[test]
    fn no_window_ever_holds_more_than_its_maximum_however_bursts_straddle_its_ends(
        max in 1..6_u32, steps in prop::collection::vec(steps(), 1..300),
    ) {
        let quotas = LocalQuotas::new();
        let claim = claim("a", window(max, 1_000));
        let (mut now, mut latest, mut admitted) = (NOW, i64::MIN, Vec::new());
        for step in steps {
            now += step;
            latest = latest.max(now);
            if quotas.check(&claim, now).is_ok() {
                admitted.push(latest);
            }
        }
        for from in &admitted {
            let inside = admitted.iter().filter(|hit| (*from..*from + 1_000).contains(*hit)).count();
            prop_assert!(inside <= max as usize, "{inside} of {max} from {}", from - NOW);
        }
    }

    #[test]
    fn a_changed_quota_never_frees_more_than_it_allows(
        quotas in prop::collection::vec((any::<bool>(), 1..9_u32, 10..2_000_u64), 2..6), hits in 0..12_u32,
    ) {
        let local = LocalQuotas::new();
        let mut last: Option<(u32, u32)> = None;
        for (is_rate, max, ms) in quotas {
            let quota = if is_rate { rate(max, ms) } else { window(max, ms) };
            let claim = claim("a", quota);
            let free = local.peek(&claim, NOW).remaining();
            prop_assert!(free <= max);
            if let Some((used, old_max)) = last {
                prop_assert_eq!(free, max.saturating_sub(used), "used {} of {}", used, old_max);
            }
            for _ in 0..hits {
                let _ = local.check(&claim, NOW);
            }
            // A window keeps more hits than a lower one allows; every other change forgets them.
            let used = max - local.peek(&claim, NOW).remaining();
            if used == max && hits > 0 && !is_rate {
                break;
            }
            last = Some((used, max));
        }
    }
}

#[test]
fn a_refusal_counts_nothing_anywhere() {
    let quotas = LocalQuotas::new();
    let claims = [
        claim("a", rate(5, 1_000)),
        claim("b", window(1, 1_000)),
        claim("c", window(5, 1_000)),
    ];
    quotas.check_all(&claims, NOW).unwrap();
    for _ in 0..20 {
        let refused = quotas.check_all(&claims, NOW).unwrap_err();
        let left: Vec<u32> = refused
            .readings()
            .iter()
            .map(|reading| reading.remaining())
            .collect();
        assert_eq!(left, [4, 0, 4]);
        assert_eq!(refused.retry_after(), Duration::from_secs(1));
    }
    assert_eq!(quotas.len(), 3);
}

#[test]
fn a_key_named_twice_is_hit_once_and_two_windows_on_it_are_both_exact() {
    let quotas = LocalQuotas::new();
    let claims = [claim("a", window(2, 100)), claim("a", window(3, 1_000))];
    assert_eq!(quotas.check_all(&claims, NOW).unwrap()[0].remaining(), 1);
    assert!(quotas.check_all(&claims, NOW).is_ok());
    assert!(quotas.check_all(&claims, NOW + 99).is_err());
    assert!(quotas.check_all(&claims, NOW + 100).is_ok());
    let refused = quotas.check_all(&claims, NOW + 300).unwrap_err();
    assert_eq!(refused.readings()[0].retry_after(), None);
    assert_eq!(
        refused.readings()[1].retry_after(),
        Some(Duration::from_millis(700))
    );
    assert!(quotas.check_all(&[], NOW).unwrap().is_empty());
}

#[test]
fn a_lowered_quota_applies_at_once_and_a_raised_one_frees_only_the_difference() {
    let quotas = LocalQuotas::new();
    assert_eq!(left(&quotas, &claim("w", window(5, 1_000)), NOW), 5);
    assert_eq!(left(&quotas, &claim("w", window(3, 1_000)), NOW), 0);
    assert_eq!(left(&quotas, &claim("w", window(7, 1_000)), NOW), 2);
    assert_eq!(left(&quotas, &claim("r", rate(5, 1_000)), NOW), 5);
    assert_eq!(left(&quotas, &claim("r", rate(7, 1_000)), NOW), 2);
    assert_eq!(left(&quotas, &claim("r", window(8, 1_000)), NOW), 1);
    assert_eq!(left(&quotas, &claim("r", rate(8, 1_000)), NOW), 0);
}

#[test]
fn a_rate_made_slower_is_not_drained_at_its_old_speed_by_waiting_through_refusals() {
    let slower = claim("a", rate(1, 86_400_000));
    for together in [false, true] {
        let quotas = LocalQuotas::new();
        let admits = |later: i64| {
            if together {
                let claims = std::slice::from_ref(&slower);
                quotas.check_all(claims, NOW + later).is_ok()
            } else {
                quotas.check(&slower, NOW + later).is_ok()
            }
        };
        assert_eq!(left(&quotas, &claim("a", rate(10, 1_000)), NOW), 10);
        for later in [0, 2_000, 86_399_999] {
            assert!(!admits(later), "{later}");
        }
        assert!(admits(86_400_000));
    }
}

#[test]
fn a_clock_set_back_reopens_nothing() {
    let quotas = LocalQuotas::new();
    for quota in [window(2, 1_000), rate(2, 1_000)] {
        let claim = claim(if quota == rate(2, 1_000) { "r" } else { "w" }, quota);
        assert_eq!(left(&quotas, &claim, NOW), 2);
        for back in [1, 999, 1_000, 1_001, 86_400_000, NOW, i64::MAX] {
            assert!(
                quotas.check(&claim, NOW.saturating_sub(back)).is_err(),
                "{quota:?} back {back}"
            );
        }
        assert!(quotas.check(&claim, NOW + 1_000).is_ok());
    }
}

#[test]
fn a_quota_changed_while_the_clock_is_back_reopens_nothing_when_it_returns() {
    let quotas = LocalQuotas::new();
    let hour = 3_600_000;
    for (key, changed) in [("a", rate(2, 50_000)), ("b", window(2, 60_000))] {
        assert_eq!(left(&quotas, &claim(key, rate(2, 60_000)), NOW), 2);
        let changed = claim(key, changed);
        assert_eq!(left(&quotas, &changed, NOW - hour), 0);
        assert!(quotas.check(&changed, NOW).is_err());
    }
}

#[test]
fn clearing_a_key_gives_all_of_it_back_and_touches_no_other() {
    let quotas = LocalQuotas::new();
    let (one, other) = (claim("a", window(1, 1_000)), claim("b", window(1, 1_000)));
    quotas
        .check_all(&[one.clone(), other.clone()], NOW)
        .unwrap();
    quotas.clear(&one.key);
    assert!(quotas.check(&one, NOW).is_ok());
    assert!(quotas.check(&other, NOW).is_err());
}

#[test]
fn peeking_counts_nothing_and_makes_no_bucket() {
    let quotas = LocalQuotas::new();
    let claim = claim("a", rate(2, 1_000));
    for _ in 0..9 {
        assert_eq!(quotas.peek(&claim, NOW).remaining(), 2);
    }
    assert!(quotas.is_empty());
}

#[test]
fn a_flood_of_keys_stays_within_the_capacity_and_spares_a_bucket_that_refuses() {
    for quota in [rate(3, 60_000), window(3, 60_000)] {
        let quotas = small(2_000);
        let victim = claim("victim", quota);
        assert_eq!(left(&quotas, &victim, NOW), 3);
        for i in 0..50_000_i64 {
            let _ = quotas.check(&claim(&format!("flood-{i}"), quota), NOW + i / 10);
        }
        assert!((1_900..=2_250).contains(&quotas.len()), "{}", quotas.len());
        assert!(quotas.check(&victim, NOW + 5_000).is_err(), "{quota:?}");
    }
}

#[test]
fn where_all_refuse_the_bucket_that_resets_soonest_goes_first() {
    let quotas = small(16);
    for i in 0..16_i64 {
        quotas
            .check(&claim(&format!("k{i}"), window(1, 1_000)), NOW + i)
            .unwrap();
    }
    quotas
        .check(&claim("new", window(1, 1_000)), NOW + 20)
        .unwrap();
    assert_eq!(quotas.len(), 16);
    assert!(
        quotas
            .check(&claim("k1", window(1, 1_000)), NOW + 20)
            .is_err()
    );
    assert!(
        quotas
            .check(&claim("k0", window(1, 1_000)), NOW + 20)
            .is_ok()
    );
}

#[test]
fn buckets_that_have_reset_make_room_before_live_ones() {
    let quotas = small(100);
    for i in 0..50 {
        quotas
            .check(&claim(&format!("old-{i}"), rate(1, 1_000)), NOW)
            .unwrap();
        quotas
            .check(&claim(&format!("live-{i}"), rate(1, 60_000)), NOW)
            .unwrap();
    }
    for i in 0..50 {
        quotas
            .check(&claim(&format!("new-{i}"), rate(2, 60_000)), NOW + 1_000)
            .unwrap();
    }
    for i in 0..50 {
        assert!(
            quotas
                .check(&claim(&format!("live-{i}"), rate(1, 60_000)), NOW + 1_000)
                .is_err()
        );
        assert_eq!(
            quotas
                .peek(&claim(&format!("new-{i}"), rate(2, 60_000)), NOW + 1_000)
                .remaining(),
            1
        );
    }
}

#[test]
fn one_call_never_evicts_its_own_buckets() {
    let quotas = small(1);
    let claims: Vec<QuotaClaim> = (0..3)
        .map(|i| claim(&i.to_string(), window(1, 1_000)))
        .collect();
    quotas.check_all(&claims, NOW).unwrap();
    assert!(claims.iter().all(|claim| quotas.check(claim, NOW).is_err()));
    quotas
        .check(&claim("other", window(1, 1_000)), NOW)
        .unwrap();
}

#[test]
fn threads_together_are_admitted_exactly_the_maximum() {
    for quota in [rate(50, 3_600_000), window(50, 3_600_000)] {
        let quotas = LocalQuotas::new();
        let (one, other) = (claim("a", quota), claim("b", quota));
        let admitted: usize = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..8)
                .map(|thread| {
                    let mut claims = vec![one.clone(), other.clone()];
                    if thread % 2 == 0 {
                        claims.reverse();
                    }
                    let quotas = &quotas;
                    scope.spawn(move || {
                        (0..50)
                            .filter(|_| quotas.check_all(&claims, NOW).is_ok())
                            .count()
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(admitted, 50, "{quota:?}");
        assert!(quotas.check(&one, NOW).is_err() && quotas.check(&other, NOW).is_err());
    }
}

#[test]
fn a_full_limiter_takes_less_than_150_bytes_a_key() {
    assert!(size_of::<(Fingerprint, Cell)>() <= 56);
    let quotas = LocalQuotas::new();
    for i in 0..100_000 {
        let _ = quotas.check(&claim(&i.to_string(), rate(3, 60_000)), NOW);
    }
    let bytes: usize = quotas
        .shards
        .iter()
        .map(|shard| super::guard(shard).bytes())
        .sum();
    assert!(
        bytes / quotas.len() <= 100,
        "{bytes} bytes for {} keys",
        quotas.len()
    );
}
