//! The decision of a rate, as a pure function over integers.
//!
//! GCRA keeps one number a bucket: the *theoretical arrival time* (TAT), the moment at which the
//! bucket will be full again. A hit moves it on by one step; it is refused when that would put the
//! TAT more than a whole burst ahead of now. Nothing has to be refilled by a timer, and a TAT in
//! the past is the same as none.
//!
//! All values are microseconds since the Unix epoch. They and their sums stay below 2^53 until the
//! year 2255, so a script language whose numbers are doubles computes the same result to the unit.

use std::num::NonZeroU32;
use std::time::Duration;

use super::reading::Level;

/// The parameters of a rate: a burst, and the time that one hit takes to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    step_us: i64,
    burst: NonZeroU32,
}

impl Rate {
    pub(super) fn new(burst: NonZeroU32, step_us: i64) -> Self {
        Self { step_us, burst }
    }

    /// The hits admitted at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// The microseconds that one hit takes to come back.
    #[must_use]
    pub fn step_us(&self) -> i64 {
        self.step_us
    }

    /// The microseconds that an empty bucket takes to be full again: a whole burst.
    #[must_use]
    pub fn span_us(&self) -> i64 {
        self.step_us.saturating_mul(i64::from(self.burst.get()))
    }

    pub(super) fn burst_size(self) -> NonZeroU32 {
        self.burst
    }
}

/// What a rate says to one hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The hit is admitted; the bucket must now keep this TAT.
    Admit {
        /// The new TAT in microseconds since the Unix epoch.
        tat_us: i64,
        /// The bucket after the hit.
        level: Level,
    },
    /// The hit is refused and the bucket stays as it is.
    Refuse {
        /// The bucket as it is; its `retry_after` is set.
        level: Level,
    },
}

/// Decides one hit on a bucket.
///
/// `tat_us` is what the bucket keeps, `None` for a bucket that was never hit. A clock that went
/// backwards finds the TAT further ahead and admits less, never more.
#[must_use]
pub fn decide(rate: Rate, tat_us: Option<i64>, now_us: i64) -> Decision {
    let before = look(rate, tat_us, now_us);
    if before.retry_after.is_some() {
        return Decision::Refuse { level: before };
    }
    let tat_us = tat_us
        .map_or(now_us, |tat| tat.max(now_us))
        .saturating_add(rate.step_us);
    Decision::Admit {
        tat_us,
        level: Level {
            retry_after: None,
            ..look(rate, Some(tat_us), now_us)
        },
    }
}

/// Reads a bucket without hitting it; `retry_after` is set when a hit would be refused.
#[must_use]
pub fn look(rate: Rate, tat_us: Option<i64>, now_us: i64) -> Level {
    let ahead = tat_us.map_or(0, |tat| tat.saturating_sub(now_us).max(0));
    let free = rate.span_us().saturating_sub(ahead);
    let remaining = u32::try_from(free.div_euclid(rate.step_us)).unwrap_or(0);
    let lacking = rate.step_us.saturating_sub(free);
    Level {
        remaining,
        reset_after: duration(ahead),
        retry_after: (lacking > 0).then(|| duration(lacking)),
    }
}

/// Tells how many hits a bucket still remembers, and as of when.
///
/// A TAT more than a burst ahead of now was written by a clock that has gone back since; the bucket
/// is then read at the earliest moment at which that TAT could have been written.
#[must_use]
pub fn used(rate: Rate, tat_us: i64, now_us: i64) -> (u32, i64) {
    let as_of = now_us.max(tat_us.saturating_sub(rate.span_us()));
    let ahead = tat_us.saturating_sub(as_of).max(0);
    let steps = ahead
        .saturating_add(rate.step_us - 1)
        .div_euclid(rate.step_us);
    (
        u32::try_from(steps).unwrap_or(u32::MAX).min(rate.burst()),
        as_of,
    )
}

/// Makes the TAT of a bucket that remembers `used` hits, for a quota that has been changed.
///
/// Hits beyond the burst are forgotten: the bucket is empty, and refills at the rate it now has.
#[must_use]
pub fn remembering(rate: Rate, used: u32, as_of_us: i64) -> i64 {
    as_of_us.saturating_add(
        rate.step_us
            .saturating_mul(i64::from(used.min(rate.burst()))),
    )
}

fn duration(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests;
