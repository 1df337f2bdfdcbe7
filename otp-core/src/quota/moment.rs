//! The range of times that quotas count in.

/// The latest time that quotas tell apart, in milliseconds since the Unix epoch: 1 January 2500.
///
/// Nanoseconds since 1970 still fit 64 bits there, with room for the longest quota.
pub const LATEST_MS: i64 = 16_725_225_600_000;

/// Brings a caller's time into the range that the arithmetic is safe in.
pub(super) fn bounded(now_ms: i64) -> i64 {
    now_ms.clamp(0, LATEST_MS)
}

/// Turns a bounded time into the microseconds that rates count in.
pub(super) fn micros(now_ms: i64) -> i64 {
    bounded(now_ms).saturating_mul(1_000)
}

/// Rounds microseconds up to milliseconds.
pub(super) fn ceil_millis(micros: i64) -> i64 {
    micros.saturating_add(999).div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::{LATEST_MS, bounded, ceil_millis, micros};

    #[test]
    fn times_outside_the_range_are_brought_to_its_ends() {
        assert_eq!(bounded(i64::MIN), 0);
        assert_eq!(bounded(i64::MAX), LATEST_MS);
        assert_eq!(micros(i64::MAX), LATEST_MS * 1_000);
    }

    #[test]
    fn milliseconds_are_rounded_up() {
        assert_eq!(ceil_millis(1), 1);
        assert_eq!(ceil_millis(1_000), 1);
        assert_eq!(ceil_millis(1_001), 2);
        assert_eq!(ceil_millis(i64::MAX), i64::MAX / 1_000);
    }
}
