//! Times as configuration writes them: `90s`, `5m`, `1h30m`, `30d`.

use std::time::Duration;

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("ms", 1),
    ("m", 60_000),
    ("s", 1_000),
];

/// Reads a time of one or more figures with units.
pub(super) fn read(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (figure, unit) = rest.split_at_checked(digits)?;
        let figure: u64 = figure.parse().ok()?;
        let (name, length) = UNITS.iter().find(|(name, _)| unit.starts_with(name))?;
        millis = millis.checked_add(figure.checked_mul(*length)?)?;
        rest = unit.strip_prefix(name)?;
    }
    Some(Duration::from_millis(millis))
}

/// Writes a time in the largest unit that it is a whole number of.
pub(super) fn write(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let whole = units
        .into_iter()
        .find(|(_, length)| millis > 0 && millis % length == 0);
    let (name, length) = whole.unwrap_or(("ms", 1));
    format!("{}{name}", millis / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_as_they_are_written() {
        for (text, seconds) in [
            ("5m", 300),
            ("90s", 90),
            ("1h30m", 5_400),
            ("30d", 2_592_000),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(read(text), Some(time), "{text}");
            assert_eq!(read(&write(time)), Some(time));
        }
        assert_eq!(read("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(write(Duration::from_secs(5_400)), "90m");
        for bad in [
            "",
            "5",
            "m",
            "-5m",
            "5 m",
            "5x",
            "99999999999999999999d",
            "5m5",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
