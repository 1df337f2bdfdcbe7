use std::time::Duration;

use crate::clock::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// How finely counts are kept. Every count is kept both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatGrain {
    /// By the minute, for windows of up to two hours.
    Minute,
    /// By the hour, for longer ones.
    Hour,
}

impl StatGrain {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Minute, Self::Hour];

    /// Names the grain.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    /// Gives the length of a grain.
    #[must_use]
    pub const fn length(self) -> Duration {
        match self {
            Self::Minute => MINUTE,
            Self::Hour => HOUR,
        }
    }

    /// Gives the beginning of the minute or hour that a time is in.
    #[must_use]
    pub fn begin(self, at: Timestamp) -> Timestamp {
        let length = match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        };
        let past = at.as_millis().rem_euclid(length);
        Timestamp::from_millis(at.as_millis().saturating_sub(past))
    }

    /// Says how long after its beginning a minute or hour is in some window still: from then on what
    /// was counted in it may go.
    #[must_use]
    pub const fn life(self) -> Duration {
        match self {
            Self::Minute => StatWindow::FINEST.saturating_add(MINUTE),
            Self::Hour => StatWindow::LONGEST.saturating_add(HOUR),
        }
    }
}

/// The last so many minutes, hours or days, up to now.
///
/// Counts are kept by the minute for windows of up to two hours, and by the hour for longer ones.
/// What was counted within the window is always in its sum; what was counted up to one grain (a
/// minute, an hour) before it may be.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use otp_core::store::{StatGrain, StatWindow};
///
/// assert_eq!(StatWindow::last(Duration::from_secs(600)).grain(), StatGrain::Minute);
/// assert_eq!(StatWindow::DAY.grain(), StatGrain::Hour);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatWindow(Duration);

impl StatWindow {
    /// The last hour.
    pub const HOUR: Self = Self(HOUR);
    /// The last 24 hours.
    pub const DAY: Self = Self(Duration::from_secs(86_400));
    /// The last seven days.
    pub const WEEK: Self = Self(Self::LONGEST);

    const FINEST: Duration = Duration::from_secs(7_200);
    const LONGEST: Duration = Duration::from_secs(7 * 86_400);

    /// Takes a length. One that is longer than seven days is seven days.
    #[must_use]
    pub fn last(length: Duration) -> Self {
        Self(length.min(Self::LONGEST))
    }

    /// Gives the length.
    #[must_use]
    pub const fn length(self) -> Duration {
        self.0
    }

    /// Says by which of the counts it is summed.
    #[must_use]
    pub fn grain(self) -> StatGrain {
        if self.0 <= Self::FINEST {
            StatGrain::Minute
        } else {
            StatGrain::Hour
        }
    }

    /// Gives the beginning of the first minute or hour that is in the window.
    #[must_use]
    pub fn begin(self, now: Timestamp) -> Timestamp {
        self.grain().begin(now.saturating_sub(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn a_window_begins_with_the_minute_or_hour_that_its_length_reaches_into() {
        let ten = StatWindow::last(Duration::from_secs(600));
        assert_eq!(ten.begin(at(6_000)), at(5_400));
        assert_eq!(ten.begin(at(6_059)), at(5_400));
        assert_eq!(ten.begin(at(6_060)), at(5_460));
        assert_eq!(StatWindow::DAY.begin(at(90_000)), at(3_600));
        assert_eq!(StatWindow::DAY.begin(at(0)), at(-86_400));
        assert_eq!(StatGrain::Hour.begin(at(-1)), at(-3_600));
    }

    #[test]
    fn what_is_in_a_window_has_not_outlived_its_grain() {
        let two_hours = StatWindow::last(Duration::from_secs(7_200));
        let year = StatWindow::last(Duration::from_secs(366 * 86_400));
        assert_eq!(year, StatWindow::WEEK);
        for window in [two_hours, year] {
            let (now, grain) = (at(987_654_321), window.grain());
            let end = window.begin(now).saturating_add(grain.life());
            assert!(end > now, "{window:?}");
            let before = end.saturating_sub(grain.length());
            assert!(before <= now, "{window:?}");
        }
    }
}
