use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;

/// The number of a time step: how many periods have passed since 1970 (RFC 6238 section 4.2).
///
/// What was accepted is kept; only later ones are accepted afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeStep(u64);

impl TimeStep {
    /// Takes a number, as it was stored.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Gives the number, to be stored.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    pub(super) fn at(time: Timestamp, period: Duration) -> Self {
        let seconds = u64::try_from(time.as_millis().div_euclid(1_000)).unwrap_or(0);
        Self(seconds / period.as_secs().max(1))
    }
}

/// How far an authenticator's clock is from ours, in whole periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It shows the code of the present.
    None,
    /// It is behind by so much.
    Behind(Duration),
    /// It is ahead by so much.
    Ahead(Duration),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, which) = match self {
            Self::None => return f.write_str("this device's clock is right"),
            Self::Behind(by) => (by, "behind"),
            Self::Ahead(by) => (by, "ahead"),
        };
        let seconds = by.as_secs();
        match (seconds / 60, seconds % 60) {
            (0, seconds) => write!(f, "this device is {seconds} seconds {which}"),
            (1, 0) => write!(f, "this device is 1 minute {which}"),
            (minutes, 0) => write!(f, "this device is {minutes} minutes {which}"),
            (minutes, seconds) => {
                write!(f, "this device is {minutes} min {seconds} s {which}")
            }
        }
    }
}
