//! What a limiter answers: readings, and a refusal made of them.

use std::time::Duration;

use super::key::{QuotaClaim, Scope};

/// How full a bucket is at one moment, without saying whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// How many hits would be admitted now.
    pub remaining: u32,
    /// How long until all of the quota is there again.
    pub reset_after: Duration,
    /// How long until a hit would be admitted, when one would be refused now.
    pub retry_after: Option<Duration>,
}

/// What a limiter says about one claim.
///
/// Of a claim that was admitted, the hit is already counted. It names the scope but not the key,
/// so it may be shown, with the reservation that telling a claimant about a bucket which he does
/// not own (a subject, a destination) tells him about its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaReading {
    scope: Scope,
    limit: u32,
    window: Duration,
    level: Level,
}

impl QuotaReading {
    /// Makes the reading of a claim from what an engine decided.
    #[must_use]
    pub fn new(claim: &QuotaClaim, level: Level) -> Self {
        Self {
            scope: claim.key.scope(),
            limit: claim.quota.max(),
            window: claim.quota.period(),
            level,
        }
    }

    /// What the quota is counted over.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The most hits of the quota, see [`Quota::max`](super::Quota::max).
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// How many hits are left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.level.remaining
    }

    /// How long until all of the limit is there again, if nothing else happens.
    #[must_use]
    pub fn reset_after(&self) -> Duration {
        self.level.reset_after
    }

    /// How long to wait; `Some` exactly when a hit is refused.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.level.retry_after
    }

    /// The time that the limit is over, see [`Quota::period`](super::Quota::period).
    #[must_use]
    pub fn window(&self) -> Duration {
        self.window
    }
}

/// At least one claim was refused, and none was counted.
#[derive(Clone, Debug, thiserror::Error)]
#[error("quota exceeded")]
pub struct Refused {
    readings: Readings,
    retry_after: Duration,
}

/// One reading is kept in place: refusing a flood should allocate nothing.
#[derive(Clone, Debug)]
enum Readings {
    One([QuotaReading; 1]),
    Many(Vec<QuotaReading>),
}

impl Refused {
    /// Takes readings as an answer: a refusal if any of them is one.
    ///
    /// # Errors
    ///
    /// [`Refused`] with all of the readings, when any has a `retry_after`.
    pub fn unless_admitted(readings: Vec<QuotaReading>) -> Result<Vec<QuotaReading>, Self> {
        match readings.iter().filter_map(QuotaReading::retry_after).max() {
            Some(retry_after) => Err(Self {
                readings: Readings::Many(readings),
                retry_after,
            }),
            None => Ok(readings),
        }
    }

    /// Takes one reading as an answer.
    ///
    /// # Errors
    ///
    /// [`Refused`] when it has a `retry_after`.
    pub fn unless_admits(reading: QuotaReading) -> Result<QuotaReading, Self> {
        match reading.retry_after() {
            Some(retry_after) => Err(Self {
                readings: Readings::One([reading]),
                retry_after,
            }),
            None => Ok(reading),
        }
    }

    /// The readings of every claim, in the order of the claims.
    ///
    /// Those without a `retry_after` would have been admitted.
    #[must_use]
    pub fn readings(&self) -> &[QuotaReading] {
        match &self.readings {
            Readings::One(reading) => reading,
            Readings::Many(readings) => readings,
        }
    }

    /// How long until none of the claims would be refused: the longest of their waits.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, QuotaReading, Refused};
    use crate::quota::{Quota, QuotaClaim, QuotaKey, Scope};
    use std::time::Duration;

    fn reading(retry_after: Option<u64>) -> QuotaReading {
        let claim = QuotaClaim {
            key: QuotaKey::new("issue", Scope::Device, "", "d"),
            quota: Quota::window(3, Duration::from_secs(9)).unwrap(),
        };
        let retry_after = retry_after.map(Duration::from_secs);
        QuotaReading::new(
            &claim,
            Level {
                remaining: 1,
                reset_after: Duration::from_secs(4),
                retry_after,
            },
        )
    }

    #[test]
    fn a_reading_tells_all_that_headers_need() {
        let reading = reading(None);
        assert_eq!(
            (reading.scope(), reading.limit(), reading.remaining()),
            (Scope::Device, 3, 1)
        );
        assert_eq!(
            (reading.reset_after(), reading.window()),
            (Duration::from_secs(4), Duration::from_secs(9))
        );
    }

    #[test]
    fn one_refusal_among_many_refuses_all_and_the_longest_wait_counts() {
        assert_eq!(
            Refused::unless_admitted(vec![reading(None)]).unwrap().len(),
            1
        );
        let all = vec![reading(Some(2)), reading(None), reading(Some(5))];
        let refused = Refused::unless_admitted(all.clone()).unwrap_err();
        assert_eq!(
            (refused.readings(), refused.retry_after()),
            (&all[..], Duration::from_secs(5))
        );
        assert_eq!(refused.to_string(), "quota exceeded");
        assert!(Refused::unless_admits(reading(Some(2))).is_err());
        assert!(Refused::unless_admits(reading(None)).is_ok());
    }
}
