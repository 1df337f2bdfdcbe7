//! `governor` over the buckets of this process.
//!
//! governor keeps the algorithm and asks a [`StateStore`] for one atomic step; ours is a bucket in
//! a bounded table that can be cleared. governor is not asked where a hit may have to be decided
//! without being counted, for its interface has no such thing: claims that are all admitted or
//! none, and readings, go through [`gcra`](crate::quota::gcra) over the same buckets.

use std::cell::Cell as Slot;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota as GovernorQuota, RateLimiter};

use super::LocalQuotas;
use super::cell::Cell;
use crate::quota::gcra::{self, Rate};
use crate::quota::moment::micros;
use crate::quota::reading::Level;
use crate::quota::{QuotaKey, Shape};
use std::time::Duration;

/// The time of one call: the epoch while the limiter is made, so that it counts from there, and
/// the caller's time from then on.
struct CallTime(Slot<Nanos>);

impl Clock for CallTime {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.get()
    }
}

/// A limiter's buckets as governor sees them in one call.
struct Buckets<'a> {
    quotas: &'a LocalQuotas,
    rate: Rate,
    now_ms: i64,
    /// The theoretical arrival time that the call has left in the bucket.
    tat_us: Slot<Option<i64>>,
}

impl StateStore for Buckets<'_> {
    type Key = QuotaKey;

    fn measure_and_replace<T, F, E>(&self, key: &QuotaKey, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let shape = Shape::Rate(self.rate);
        let fingerprint = self.quotas.fingerprint(key);
        let mut shard = self.quotas.lock(fingerprint);
        let mut known = shard.get_mut(fingerprint);
        if let Some(cell) = &mut known {
            cell.adopt(shape, self.now_ms);
        }
        let mut kept = match known {
            Some(Cell::Rate { tat_us, .. }) => Some(tat_us),
            _ => None,
        };
        self.tat_us.set(kept.as_deref().copied());
        let (outcome, next) = f(self.tat_us.get().map(nanos))?;
        let next_us = in_micros(next);
        self.tat_us.set(Some(next_us));
        if let Some(tat_us) = &mut kept {
            **tat_us = next_us;
        } else {
            let fresh = || Cell::Rate {
                rate: self.rate,
                tat_us: next_us,
            };
            shard.or_insert(fingerprint, &[], self.now_ms, fresh);
        }
        Ok(outcome)
    }
}

/// Counts one hit, or refuses it; `None` if governor knows no such rate.
pub(super) fn check(
    quotas: &LocalQuotas,
    key: &QuotaKey,
    rate: Rate,
    now_ms: i64,
) -> Option<Level> {
    let step = Duration::from_micros(u64::try_from(rate.step_us()).ok()?);
    let quota = GovernorQuota::with_period(step)?.allow_burst(rate.burst_size());
    let buckets = Buckets {
        quotas,
        rate,
        now_ms,
        tat_us: Slot::new(None),
    };
    let limiter: RateLimiter<_, _, _, NoOpMiddleware<Nanos>> =
        RateLimiter::new(quota, buckets, CallTime(Slot::new(Nanos::new(0))));
    let now_us = micros(now_ms);
    limiter.clock().0.set(nanos(now_us));
    let admitted = limiter.check_key(key).is_ok();
    let level = gcra::look(rate, limiter.into_state_store().tat_us.get(), now_us);
    // A bucket that the last hit has emptied has no hits left, but refused nothing.
    Some(if admitted {
        Level {
            retry_after: None,
            ..level
        }
    } else {
        level
    })
}

fn nanos(micros: i64) -> Nanos {
    Nanos::new(u64::try_from(micros).unwrap_or(0).saturating_mul(1_000))
}

fn in_micros(nanos: Nanos) -> i64 {
    i64::try_from(nanos.as_u64() / 1_000).unwrap_or(i64::MAX)
}
