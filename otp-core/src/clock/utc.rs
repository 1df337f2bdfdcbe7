//! A point in time as people and logs write it.

use std::fmt;

use super::Timestamp;

const DAY: i64 = 86_400;

/// Writes a point in time in UTC, to the millisecond, in the form of RFC 3339 section 5.6.
///
/// # Examples
/// ```
/// use otp_core::clock::{Timestamp, Utc};
///
/// let at = Utc::from(Timestamp::from_millis(1_795_253_400_120));
/// assert_eq!(at.to_string(), "2026-11-21T09:30:00.120Z");
/// assert_eq!(at.day().to_string(), "2026-11-21");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(Timestamp);

/// Names a day of UTC: `2026-11-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Utc {
    /// Gives the day.
    #[must_use]
    pub const fn day(self) -> Day {
        Day(self.0.as_millis().div_euclid(1_000 * DAY))
    }
}

impl From<Timestamp> for Utc {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let clock = millis.div_euclid(1_000).rem_euclid(DAY);
        let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
        let fraction = millis.rem_euclid(1_000);
        write!(
            f,
            "{}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z",
            self.day()
        )
    }
}

impl Day {
    /// Says how many days lie between 1970-01-01 and it.
    #[must_use]
    pub const fn since_epoch(self) -> i64 {
        self.0
    }

    /// Reads a day back; `None` where the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let dashes = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
        if text.len() != 10 || digits != 8 || !dashes {
            return None;
        }
        let part = |from, to| text.get(from..to)?.parse::<i64>().ok();
        let wanted = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (year, month, day) = wanted;
        // The day is found by its date, which no day of another month has.
        let around = (year - 1_970) * 365 + (year - 1_969) / 4 + (month - 1) * 30 + day - 1;
        let found = (around - 40..=around + 40).find(|days| civil(*days) == wanted);
        found.map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Turns days since 1970-01-01 into a date of the Gregorian calendar. Years are counted from
/// March here, so that the leap day is the last of a year.
const fn civil(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let shifted = days.saturating_add(719_468);
    let (era, of_era) = (shifted.div_euclid(ERA), shifted.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let next = if month <= 2 { 1 } else { 0 };
    (year_of_era + era * 400 + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_and_read_back_over_leap_years_and_before_the_epoch() {
        for (millis, day) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_199_999, "2024-02-29"),
            (1_709_251_200_000, "2024-03-01"),
            (4_102_444_799_000, "2099-12-31"),
        ] {
            let at = Utc::from(Timestamp::from_millis(millis));
            assert_eq!(at.day().to_string(), day);
            assert_eq!(Day::parse(day), Some(at.day()));
        }
        for text in [
            "",
            "2025-02-29",
            "2026-13-01",
            "2026-1-011",
            "2026/11/21",
            "é026-11-2",
        ] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
