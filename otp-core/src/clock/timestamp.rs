//! A point in time as the stores keep it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Names a point in time: milliseconds since 1970-01-01T00:00:00Z, negative before it.
///
/// Stores keep this number as it is. Arithmetic saturates or is checked; it never wraps.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::clock::Timestamp;
///
/// let issued = Timestamp::from_millis(1_700_000_000_000);
/// let expires = issued.saturating_add(Duration::from_secs(300));
/// assert_eq!(expires.since(issued), Duration::from_secs(300));
/// assert_eq!(issued.since(expires), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 1601-01-01T00:00:00Z and 9999-12-31T23:59:59.999Z: every platform's `SystemTime` reaches this far.
const EARLIEST: i64 = -11_644_473_600_000;
const LATEST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The earliest time that can be written.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time that can be written.
    pub const MAX: Self = Self(i64::MAX);
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// Takes milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Gives milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Adds a duration, cut to whole milliseconds; stops at [`MAX`](Self::MAX).
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }

    /// Adds a duration, cut to whole milliseconds; `None` where the sum cannot be written.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let millis = i64::try_from(duration.as_millis()).ok()?;
        self.0.checked_add(millis).map(Self)
    }

    /// Takes a duration away, cut to whole milliseconds; stops at [`MIN`](Self::MIN).
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(duration)))
    }

    /// Measures the time passed since `earlier`; zero when `earlier` is in fact later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            Duration::ZERO
        } else {
            Duration::from_millis(self.0.abs_diff(earlier.0))
        }
    }
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Cuts to whole milliseconds, towards the past; saturates.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(whole_millis(after)),
            Err(before) => {
                let before = before.duration();
                let partial = i64::from(before.subsec_nanos() % 1_000_000 != 0);
                Self(
                    whole_millis(before)
                        .saturating_neg()
                        .saturating_sub(partial),
                )
            }
        }
    }
}

/// Saturates to the years 1601 to 9999, which every platform can write.
impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        let millis = time.0.clamp(EARLIEST, LATEST);
        let distance = Duration::from_millis(millis.unsigned_abs());
        let moved = if millis < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        moved.unwrap_or(UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_times_survive_the_round_trip() {
        for millis in [0, 1, -1, 1_700_000_000_123, -86_400_001, EARLIEST, LATEST] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::from(SystemTime::from(time)), time);
        }
    }

    #[test]
    fn a_time_beyond_the_platform_saturates() {
        assert_eq!(
            SystemTime::from(Timestamp::MAX),
            SystemTime::from(Timestamp(LATEST))
        );
        assert_eq!(
            SystemTime::from(Timestamp::MIN),
            SystemTime::from(Timestamp(EARLIEST))
        );
    }

    #[test]
    fn a_part_of_a_millisecond_is_cut_towards_the_past_on_both_sides_of_the_epoch() {
        let part = Duration::from_micros(1_500);
        assert_eq!(Timestamp::from(UNIX_EPOCH + part), Timestamp(1));
        assert_eq!(Timestamp::from(UNIX_EPOCH - part), Timestamp(-2));
    }

    #[test]
    fn arithmetic_stops_at_the_ends_instead_of_wrapping() {
        let forever = Duration::MAX;
        assert_eq!(Timestamp(5).saturating_add(forever), Timestamp::MAX);
        assert_eq!(Timestamp(-5).saturating_sub(forever), Timestamp::MIN);
        assert_eq!(
            Timestamp::MIN.saturating_sub(Duration::from_millis(1)),
            Timestamp::MIN
        );
        assert_eq!(Timestamp(5).checked_add(forever), None);
        assert_eq!(Timestamp::MAX.checked_add(Duration::from_millis(1)), None);
        assert_eq!(
            Timestamp(5).checked_add(Duration::from_millis(2)),
            Some(Timestamp(7))
        );
    }

    #[test]
    fn since_is_zero_for_the_future_and_exact_over_the_whole_range() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(
            Timestamp::MAX.since(Timestamp::MIN),
            Duration::from_millis(u64::MAX)
        );
    }
}
