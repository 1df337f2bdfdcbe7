use std::time::Duration;

use otp_core::clock::Timestamp;

use super::WebhookError;

/// How far a signed time may be from now, on either side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance(Duration);

impl Tolerance {
    pub(super) const DEFAULT: Self = Self(Duration::from_secs(300));

    pub(super) const fn new(tolerance: Duration) -> Self {
        Self(tolerance)
    }

    pub(super) fn check(self, signed: Timestamp, now: Timestamp) -> Result<(), WebhookError> {
        if now.since(signed).max(signed.since(now)) <= self.0 {
            Ok(())
        } else {
            Err(WebhookError::Stale)
        }
    }
}

/// Reads a time that is written as seconds since 1970, in digits only.
pub(super) fn seconds(text: &str) -> Option<Timestamp> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        from_seconds(text.parse().ok()?)
    } else {
        None
    }
}

pub(super) fn from_seconds(seconds: u64) -> Option<Timestamp> {
    Timestamp::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn three_hundred_seconds_are_near_and_one_more_is_not_on_either_side() {
        for (text, near) in [
            ("1700000000", true),
            ("1699999700", true),
            ("1700000300", true),
            ("1699999699", false),
            ("1700000301", false),
            ("0", false),
        ] {
            let signed = seconds(text).expect("digits");
            assert_eq!(
                Tolerance::DEFAULT.check(signed, NOW).is_ok(),
                near,
                "{text}"
            );
        }
        assert!(Tolerance::DEFAULT.check(Timestamp::MIN, NOW).is_err());
        assert!(Tolerance::DEFAULT.check(Timestamp::MAX, NOW).is_err());
    }

    #[test]
    fn a_time_that_is_not_plain_digits_is_none() {
        for bad in [
            "",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1.5",
            "NaN",
            "1e9",
            "0x1",
            "9223372036854775808",
            "١",
        ] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
    }
}
