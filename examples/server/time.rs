//! Times as the answers have them.

use std::fmt;
use std::time::SystemTime;

use otp_kit::clock::Timestamp;

const DAY: i64 = 86_400;

/// A point in time in the form of RFC 3339, in UTC, to the millisecond.
pub(crate) struct Rfc3339(Timestamp);

impl From<SystemTime> for Rfc3339 {
    fn from(time: SystemTime) -> Self {
        Self(time.into())
    }
}

impl From<Timestamp> for Rfc3339 {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let seconds = millis.div_euclid(1_000);
        let (year, month, day) = civil(seconds.div_euclid(DAY));
        let clock = seconds.rem_euclid(DAY);
        write!(f, "{year:04}-{month:02}-{day:02}T")?;
        write!(
            f,
            "{:02}:{:02}:{:02}",
            clock / 3_600,
            clock / 60 % 60,
            clock % 60
        )?;
        write!(f, ".{:03}Z", millis.rem_euclid(1_000))
    }
}

/// Turns days since 1970-01-01 into a date of the Gregorian calendar. Years are counted from
/// March here, so that the leap day is the last of a year.
fn civil(days: i64) -> (i64, i64, i64) {
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
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Reads a time to the second, in UTC: `2026-01-31T12:00:00Z`.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let shape = text.is_ascii() && text.len() == 20 && text.ends_with('Z');
    let digits = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c });
    if !shape || digits.collect::<String>() != "0000-00-00T00:00:00Z" {
        return None;
    }
    let part = |from, to| text.get(from..to).and_then(|part| part.parse::<i64>().ok());
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // The day is found by its date, which no day of another month has.
    let around = (year - 1_970) * 365 + (year - 1_969) / 4 + (month - 1) * 30 + day - 1;
    let days = (around - 40..=around + 40).find(|days| civil(*days) == (year, month, day))?;
    let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
    Some(Timestamp::from_millis(seconds * 1_000))
}

#[cfg(test)]
mod tests {
    use super::{Rfc3339, parse};

    #[test]
    fn a_time_that_is_written_reads_back_and_one_that_is_none_does_not() {
        for text in [
            "1970-01-01T00:00:00Z",
            "2024-02-29T23:59:59Z",
            "2026-11-21T09:30:00Z",
            "2099-12-31T12:00:00Z",
        ] {
            let written = Rfc3339(parse(text).expect(text)).to_string();
            assert_eq!(written.replace(".000Z", "Z"), text);
        }
        for text in [
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21 09:30:00Z",
            "2026-11-21T09:30:00+01",
            "+026-11-21T09:30:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
