use std::time::Duration;

use otp_core::clock::Timestamp;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Reads an HTTP date from 1970 on, in any of the three forms of RFC 9110 section 5.6.7. The name
/// of the weekday is not compared with the date.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    if text.len() > 40 {
        return None;
    }
    let fields: Vec<&str> = text
        .split([' ', ',', '-', ':'])
        .filter(|field| !field.is_empty())
        .collect();
    let (day, month, year, time) = match *fields.as_slice() {
        [_, day, month, year, hour, minute, second, "GMT"] => {
            (day, month, year, [hour, minute, second])
        }
        [_, month, day, hour, minute, second, year] => (day, month, year, [hour, minute, second]),
        _ => return None,
    };
    let year = match (year.len(), number(year)?) {
        (4, year @ 1970..) => year,
        (2, year @ 70..) => 1900 + year,
        (2, year) => 2000 + year,
        _ => return None,
    };
    let months = MONTHS.iter().position(|name| *name == month)?;
    let days = days_since_1970(year, u64::try_from(months).ok()?, number(day)?)?;
    let [hour, minute, second] = time.map(number);
    let (hour, minute, second) = (hour?, minute?, second?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds)))
}

fn number(text: &str) -> Option<u64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Counts the days up to a day of a month that counts from 0, in a year of 1970 to 9999.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let leap_days = |until: u64| until / 4 - until / 100 + until / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    let months: u64 = (0..month).map(|month| days_of(year, month)).sum();
    Some(years + months + day - 1)
}

fn days_of(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 if leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        parse(text).map(|time| time.as_millis() / 1000)
    }

    #[test]
    fn the_three_forms_of_one_date_are_one_time() {
        for form in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(seconds(form), Some(784_111_777), "{form}");
        }
    }

    #[test]
    fn leap_days_and_the_ends_of_the_range_are_counted() {
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Tue, 29 Feb 2000 12:00:00 GMT"), Some(951_825_600));
        assert_eq!(
            seconds("Fri, 01 Mar 2024 00:00:00 GMT"),
            Some(1_709_251_200)
        );
        assert_eq!(
            seconds("Fri, 31 Dec 9999 23:59:59 GMT"),
            Some(253_402_300_799)
        );
    }

    #[test]
    fn what_is_no_date_is_none() {
        for bad in [
            "",
            "soon",
            "Sun, 29 Feb 2100 00:00:00 GMT",
            "Sun, 31 Apr 2025 00:00:00 GMT",
            "Sun, 00 Jan 2025 00:00:00 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 +8:49:37 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
