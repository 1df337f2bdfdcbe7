//! `Quota`: how many, how often.

use std::num::NonZeroU32;
use std::time::Duration;

use super::gcra::Rate;
use super::window::Window;

/// Says how often a thing may happen.
///
/// There are two kinds, and they promise different things:
///
/// - [`Quota::window`] keeps a log of its hits and never admits more than `max` in *any* window of
///   its length, whatever the moment it starts at. Right for guesses and failures, where the
///   number matters.
/// - [`Quota::rate`] keeps one number (GCRA, the generic cell rate algorithm of ITU-T I.371). It
///   admits `burst` at once and `burst` per period in the long run, so up to twice `burst` in one
///   unlucky window. Right for addresses and sends, where there are many keys.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use otp_core::quota::Quota;
///
/// let guesses = Quota::window(20, Duration::from_secs(24 * 60 * 60))?;
/// let sends = Quota::rate(5, Duration::from_secs(60 * 60))?;
/// assert_eq!((guesses.max(), sends.max()), (20, 5));
/// # Ok::<(), otp_core::quota::InvalidQuota>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    shape: Shape,
    period: Duration,
}

/// Names the two kinds of [`Quota`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuotaKind {
    /// A sliding log.
    Window,
    /// A burst with a steady rate.
    Rate,
}

/// The parameters of a [`Quota`] as an engine computes with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Decided by [`window::decide`](super::window::decide).
    Window(Window),
    /// Decided by [`gcra::decide`](super::gcra::decide).
    Rate(Rate),
}

/// Tells why numbers do not make a [`Quota`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidQuota {
    /// Nothing would ever be admitted, or the period is no time at all.
    #[error("a quota and its period must be more than zero")]
    Zero,
    /// The period is over [`Quota::LONGEST`].
    #[error("a quota's period must be at most 366 days")]
    PeriodTooLong,
    /// A window is over [`Quota::MOST_IN_WINDOW`], or a rate over [`Quota::MOST_IN_BURST`].
    #[error("a quota must be at most 10000 in a window or 1000000 in a burst")]
    TooMany,
    /// One hit of a rate would take less than [`Quota::FINEST`], or a window lasts less than a millisecond.
    #[error(
        "a quota's rate must be at most one hit in 100 microseconds, its window at least a millisecond"
    )]
    TooFine,
}

impl Quota {
    /// The longest period of either kind: 366 days.
    pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

    /// The most hits that a window may allow, because the log of them is kept: eight bytes each.
    pub const MOST_IN_WINDOW: u32 = 10_000;

    /// The most hits that a rate may allow at once.
    pub const MOST_IN_BURST: u32 = 1_000_000;

    /// The shortest time between two hits of a rate in the long run: 100 microseconds.
    ///
    /// That time is kept in whole microseconds, rounded up, so a rate is at most one percent
    /// stricter than asked for, and never laxer.
    pub const FINEST: Duration = Duration::from_micros(100);

    /// Makes a quota of at most `max` hits in any window of this length.
    ///
    /// A window is half open: with one hit an hour, the next is admitted an hour after the last,
    /// to the millisecond. A length that is not in whole milliseconds is rounded up.
    ///
    /// # Errors
    ///
    /// [`InvalidQuota`] when `max` or `window` is zero, `window` is shorter than a millisecond or
    /// longer than [`Quota::LONGEST`], or `max` is over [`Quota::MOST_IN_WINDOW`].
    pub fn window(max: u32, window: Duration) -> Result<Self, InvalidQuota> {
        let max = checked(max, Self::MOST_IN_WINDOW, window)?;
        if window < Duration::from_millis(1) {
            return Err(InvalidQuota::TooFine);
        }
        let length_ms = whole(window, 1_000_000)?;
        Ok(Self {
            shape: Shape::Window(Window::new(max, length_ms)),
            period: window,
        })
    }

    /// Makes a quota of `burst` hits at once, and of `burst` per `per` in the long run.
    ///
    /// # Errors
    ///
    /// [`InvalidQuota`] when `burst` or `per` is zero, `per` is longer than [`Quota::LONGEST`],
    /// `burst` is over [`Quota::MOST_IN_BURST`], or `per / burst` is below [`Quota::FINEST`].
    pub fn rate(burst: u32, per: Duration) -> Result<Self, InvalidQuota> {
        let burst = checked(burst, Self::MOST_IN_BURST, per)?;
        if per < Self::FINEST.saturating_mul(burst.get()) {
            return Err(InvalidQuota::TooFine);
        }
        let step_us = whole(per, 1_000 * u128::from(burst.get()))?;
        Ok(Self {
            shape: Shape::Rate(Rate::new(burst, step_us)),
            period: per,
        })
    }

    /// Makes a window of figures that are written in this crate; out of range ones are brought
    /// into it.
    pub(crate) fn bounded_window(max: u32, window: Duration) -> Self {
        let window = window.clamp(Duration::from_millis(1), Self::LONGEST);
        let most = NonZeroU32::MIN.saturating_add(Self::MOST_IN_WINDOW.saturating_sub(1));
        let max = NonZeroU32::new(max).unwrap_or(NonZeroU32::MIN).min(most);
        let length_ms = whole(window, 1_000_000).unwrap_or(i64::MAX);
        Self {
            shape: Shape::Window(Window::new(max, length_ms)),
            period: window,
        }
    }

    /// Allows so many times as many in the same period, as far as a quota of the kind goes.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let max = self.max().saturating_mul(factor);
        match self.shape {
            Shape::Window(_) => Self::bounded_window(max, self.period),
            Shape::Rate(_) => {
                let most = self.period.as_nanos() / Self::FINEST.as_nanos();
                let most = u32::try_from(most).unwrap_or(u32::MAX);
                let max = max.min(most).min(Self::MOST_IN_BURST);
                Self::rate(max, self.period).unwrap_or(self)
            }
        }
    }

    /// The most hits in a window, or the burst of a rate.
    #[must_use]
    pub fn max(&self) -> u32 {
        match self.shape {
            Shape::Window(window) => window.max(),
            Shape::Rate(rate) => rate.burst(),
        }
    }

    /// The length of the window, or the time in which a rate allows its burst again.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Which of the two kinds this is.
    #[must_use]
    pub fn kind(&self) -> QuotaKind {
        match self.shape {
            Shape::Window(_) => QuotaKind::Window,
            Shape::Rate(_) => QuotaKind::Rate,
        }
    }

    /// The parameters for an engine that decides by itself.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Of two windows, the smallest that covers both; otherwise the first quota.
    pub(super) fn covering(self, other: Self) -> Self {
        match (self.shape, other.shape) {
            (Shape::Window(one), Shape::Window(two)) => Self {
                shape: Shape::Window(one.covering(two)),
                period: self.period.max(other.period),
            },
            _ => self,
        }
    }
}

/// Refuses what neither kind can be.
fn checked(max: u32, most: u32, period: Duration) -> Result<NonZeroU32, InvalidQuota> {
    let max = NonZeroU32::new(max).ok_or(InvalidQuota::Zero)?;
    if period.is_zero() {
        return Err(InvalidQuota::Zero);
    }
    if period > Quota::LONGEST {
        return Err(InvalidQuota::PeriodTooLong);
    }
    if max.get() > most {
        return Err(InvalidQuota::TooMany);
    }
    Ok(max)
}

/// Counts the units of so many nanoseconds in a period, rounded up.
fn whole(period: Duration, unit_ns: u128) -> Result<i64, InvalidQuota> {
    i64::try_from(period.as_nanos().div_ceil(unit_ns)).map_err(|_| InvalidQuota::PeriodTooLong)
}

#[cfg(test)]
mod tests {
    use super::{InvalidQuota, Quota, QuotaKind, Shape};
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn both_kinds_keep_what_they_were_given() {
        let window = Quota::window(5, HOUR).unwrap();
        assert_eq!(
            (window.max(), window.period(), window.kind()),
            (5, HOUR, QuotaKind::Window)
        );
        let rate = Quota::rate(7, HOUR).unwrap();
        assert_eq!(
            (rate.max(), rate.period(), rate.kind()),
            (7, HOUR, QuotaKind::Rate)
        );
        assert_ne!(window, Quota::rate(5, HOUR).unwrap());
    }

    #[test]
    fn nothing_and_no_time_are_refused() {
        assert_eq!(Quota::window(0, HOUR), Err(InvalidQuota::Zero));
        assert_eq!(Quota::rate(0, HOUR), Err(InvalidQuota::Zero));
        assert_eq!(Quota::window(1, Duration::ZERO), Err(InvalidQuota::Zero));
        assert_eq!(Quota::rate(1, Duration::ZERO), Err(InvalidQuota::Zero));
    }

    #[test]
    fn what_is_too_long_too_many_or_too_fine_is_refused() {
        let over = Quota::LONGEST + Duration::from_nanos(1);
        assert_eq!(Quota::window(1, over), Err(InvalidQuota::PeriodTooLong));
        assert_eq!(
            Quota::rate(1, Duration::MAX),
            Err(InvalidQuota::PeriodTooLong)
        );
        assert!(Quota::window(10_000, Quota::LONGEST).is_ok());
        assert_eq!(Quota::window(10_001, HOUR), Err(InvalidQuota::TooMany));
        assert!(Quota::rate(1_000_000, HOUR).is_ok());
        assert_eq!(Quota::rate(1_000_001, HOUR), Err(InvalidQuota::TooMany));
        assert!(Quota::rate(10_000, Duration::from_secs(1)).is_ok());
        assert_eq!(
            Quota::rate(10_001, Duration::from_secs(1)),
            Err(InvalidQuota::TooFine)
        );
        assert_eq!(
            Quota::window(1, Duration::from_nanos(999_999)),
            Err(InvalidQuota::TooFine)
        );
    }

    #[test]
    fn ten_times_a_quota_is_ten_times_as_many_and_never_more_than_its_kind_allows() {
        let of = |quota: Quota| (quota.times(10).max(), quota.times(10).period());
        assert_eq!(of(Quota::window(50, HOUR).unwrap()), (500, HOUR));
        assert_eq!(of(Quota::rate(50, HOUR).unwrap()), (500, HOUR));
        assert_eq!(of(Quota::window(9_000, HOUR).unwrap()), (10_000, HOUR));
        let second = Duration::from_secs(1);
        assert_eq!(of(Quota::rate(9_000, second).unwrap()), (10_000, second));
    }

    #[test]
    fn a_period_that_does_not_divide_makes_a_rate_stricter_never_laxer() {
        let Shape::Rate(rate) = Quota::rate(7, Duration::from_secs(60)).unwrap().shape() else {
            panic!("a rate has the shape of one");
        };
        assert_eq!(rate.step_us(), 8_571_429);
        let Shape::Window(window) = Quota::window(1, Duration::from_nanos(1_000_001))
            .unwrap()
            .shape()
        else {
            panic!("a window has the shape of one");
        };
        assert_eq!(window.length_ms(), 2);
    }
}
