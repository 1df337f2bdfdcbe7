use std::time::Duration;

use otp_core::clock::Timestamp;

/// Reads a time of RFC 3339 section 5.6 from 1970 on; also with a blank for the `T`, as some
/// vendors write it, and without an offset, which then is UTC.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > 40 {
        return None;
    }
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers::<3>(date, '-', [4, 2, 2])?;
    let (time, offset) = split_offset(time)?;
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, millis(fraction)?),
        None => (time, 0),
    };
    let [hour, minute, second] = numbers::<3>(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 60 || year < 1970 {
        return None;
    }
    let seconds = ((days(year, month, day)? * 24 + hour) * 60 + minute) * 60 + second;
    let local = Timestamp::UNIX_EPOCH
        .saturating_add(Duration::from_secs(seconds))
        .saturating_add(Duration::from_millis(fraction));
    Some(match offset {
        Offset::Ahead(offset) => local.saturating_sub(offset),
        Offset::Behind(offset) => local.saturating_add(offset),
    })
}

enum Offset {
    Ahead(Duration),
    Behind(Duration),
}

fn split_offset(time: &str) -> Option<(&str, Offset)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, Offset::Ahead(Duration::ZERO)));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, Offset::Ahead(Duration::ZERO)));
    };
    let (time, offset) = time.split_at_checked(at)?;
    let (sign, offset) = offset.split_at_checked(1)?;
    let [hours, minutes] = match offset.len() {
        4 => numbers::<2>(
            &format!("{}:{}", offset.get(..2)?, offset.get(2..)?),
            ':',
            [2, 2],
        )?,
        _ => numbers::<2>(offset, ':', [2, 2])?,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = Duration::from_secs((hours * 60 + minutes) * 60);
    Some((
        time,
        if sign == "-" {
            Offset::Behind(offset)
        } else {
            Offset::Ahead(offset)
        },
    ))
}

/// Reads as many numbers as asked for, each of exactly so many digits.
fn numbers<const N: usize>(text: &str, between: char, widths: [usize; N]) -> Option<[u64; N]> {
    let mut found = [0; N];
    let mut fields = text.split(between);
    for (slot, width) in found.iter_mut().zip(widths) {
        let field = fields.next()?;
        let fits = field.len() == width && field.bytes().all(|byte| byte.is_ascii_digit());
        *slot = if fits {
            field.parse().ok()?
        } else {
            return None;
        };
    }
    fields.next().is_none().then_some(found)
}

fn millis(fraction: &str) -> Option<u64> {
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return None;
    }
    let padded: String = fraction.chars().chain("00".chars()).take(3).collect();
    padded.parse().ok()
}

/// Counts the days from 1970-01-01 to a day of the proleptic Gregorian calendar.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = |month: u64| match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month) || !(1..=length(month)).contains(&day) {
        return None;
    }
    let leap_days = |until: u64| until / 4 - until / 100 + until / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    Some(years + (1..month).map(length).sum::<u64>() + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_is_read_from_all_of_its_spellings() {
        for text in [
            "2025-06-01T12:00:00.000Z",
            "2025-06-01t12:00:00z",
            "2025-06-01 12:00:00",
            "2025-06-01T14:00:00+02:00",
            "2025-06-01T14:00:00+0200",
            "2025-06-01T07:30:00.0-04:30",
        ] {
            assert_eq!(
                parse(text),
                Some(Timestamp::from_millis(1_748_779_200_000)),
                "{text}"
            );
        }
        assert_eq!(
            parse("2000-02-29T00:00:00.123456Z"),
            Some(Timestamp::from_millis(951_782_400_123))
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for bad in [
            "",
            "T",
            "2025-06-01",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-06-01T24:00:00Z",
            "2025-06-01T12:00Z",
            "2025-06-01T12:00:00.Z",
            "2025-06-01T12:00:00+2",
            "2025-06-01T12:00:00+é0",
            "1969-12-31T23:59:59Z",
            "+025-06-01T12:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
