//! Times as the answers have them.

use std::fmt;
use std::time::SystemTime;

use otp_core::clock::{Day, Timestamp, Utc};

const DAY: i64 = 86_400;
/// The longest text of a time; a fraction may have nine digits and more.
const LONGEST: usize = 40;

/// A point in time in the form of RFC 3339, in UTC, to the millisecond.
///
/// # Examples
/// ```
/// use otp_axum::time::{Rfc3339, parse};
///
/// let time = parse("2026-01-31T14:00:00+02:00").unwrap();
/// assert_eq!(Rfc3339::from(time).to_string(), "2026-01-31T12:00:00.000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(Timestamp);

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
        Utc::from(self.0).fmt(f)
    }
}

/// Reads a time of RFC 3339 section 5.6, such as `2026-01-31T12:00:00Z`, with a fraction of a second
/// and an offset where it has them. What is finer than a millisecond is cut.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if !text.is_ascii() || text.len() > LONGEST {
        return None;
    }
    let (seconds, rest) = text.split_at_checked(19)?;
    let (millis, offset) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (digits, offset) = rest.split_at_checked(end)?;
            (fraction(digits)?, offset)
        }
        None => (0, rest),
    };
    let local = seconds_of(seconds)?;
    let seconds = local.checked_sub(ahead(offset)?)?;
    Some(Timestamp::from_millis(
        seconds.checked_mul(1_000)?.checked_add(millis)?,
    ))
}

fn fraction(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let millis: String = digits.chars().chain("00".chars()).take(3).collect();
    millis.parse().ok()
}

/// Says how many seconds a local time is ahead of UTC.
fn ahead(offset: &str) -> Option<i64> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let [hours, minutes] = [offset.get(1..3)?, offset.get(4..6)?].map(|part| part.parse().ok());
    let (hours, minutes): (i64, i64) = (hours?, minutes?);
    let seconds = hours * 3_600 + minutes * 60;
    match shape(offset).as_str() {
        "+00:00" if hours <= 23 && minutes <= 59 => Some(seconds),
        "-00:00" if hours <= 23 && minutes <= 59 => Some(-seconds),
        _ => None,
    }
}

/// Writes every digit as a zero.
fn shape(text: &str) -> String {
    let zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(zero).collect()
}

/// Counts the seconds from 1970-01-01T00:00:00 to a date and a time of day.
fn seconds_of(text: &str) -> Option<i64> {
    if !shape(text).eq_ignore_ascii_case("0000-00-00T00:00:00") {
        return None;
    }
    let part = |from, to| text.get(from..to).and_then(|part| part.parse::<i64>().ok());
    let day = Day::parse(text.get(..10)?)?;
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(day.since_epoch() * DAY + hour * 3_600 + minute * 60 + second)
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
            "2026-11-21T09:30:00",
            "2026-11-21T09:30:00.Z",
            "2026-11-21T09:30:00.5",
            "2026-11-21T09:30:00+0100",
            "2026-11-21T09:30:00+24:00",
            "2026-11-21T09:30:00++1:00",
            "2026-11-21T09:30:00Z0",
            "2026-11-21T09:30:00é",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_an_answer_prints_reads_back_and_so_does_every_spelling_of_the_moment() {
        let printed = "2026-11-21T09:30:00.120Z";
        let moment = parse(printed).expect(printed);
        assert_eq!(Rfc3339(moment).to_string(), printed);
        for same in [
            "2026-11-21t09:30:00.12z",
            "2026-11-21T09:30:00.120999999Z",
            "2026-11-21T11:30:00.12+02:00",
            "2026-11-21T00:00:00.12-09:30",
            "2026-11-20T10:30:00.12-23:00",
        ] {
            assert_eq!(parse(same), Some(moment), "{same}");
        }
    }
}
