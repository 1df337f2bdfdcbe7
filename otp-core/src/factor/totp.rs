use std::ops::RangeInclusive;
use std::time::Duration;

use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;

use super::hotp::Hotp;
use super::{Drift, OtpAlgorithm, OtpDigits, OtpSecret, TimeStep};
use crate::clock::Timestamp;
use crate::secret::SecretString;

/// Which steps around the present are accepted: RFC 6238 section 5.2, NIST SP 800-63B 3.1.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TotpSkew {
    past: u8,
    future: u8,
}

impl TotpSkew {
    /// One step before and one after: the default.
    pub const USUAL: Self = Self { past: 1, future: 1 };
    /// One step before, for delay, and none ahead.
    pub const DELAY: Self = Self { past: 1, future: 0 };
    /// The present step alone.
    pub const NONE: Self = Self { past: 0, future: 0 };

    /// Takes 0 to 2 steps each way.
    #[must_use]
    pub const fn new(past: u8, future: u8) -> Option<Self> {
        if past <= 2 && future <= 2 {
            Some(Self { past, future })
        } else {
            None
        }
    }
}

impl Default for TotpSkew {
    fn default() -> Self {
        Self::USUAL
    }
}

/// An authenticator that goes by the time: RFC 6238.
///
/// # Examples
/// ```
/// use otp_core::clock::Timestamp;
/// use otp_core::factor::{OtpSecret, TimeStep, Totp, TotpRefusal};
///
/// let totp = Totp::new(&OtpSecret::new(b"12345678901234567890".to_vec())?);
/// let now = Timestamp::from_millis(59_000);
/// assert_eq!(totp.code(now).expose(), "287082");
/// let step = totp.verify("287 082", now, None).expect("the right code");
/// assert_eq!(step, TimeStep::new(1));
/// assert_eq!(totp.verify("287082", now, Some(step)), Err(TotpRefusal::Replayed));
/// # Ok::<(), otp_core::factor::InvalidOtpSecret>(())
/// ```
#[derive(Clone, Debug)]
pub struct Totp {
    counter: Hotp,
    period: Duration,
    skew: TotpSkew,
}

/// The period is none that people can work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a period is 15 to 120 whole seconds")]
pub struct InvalidTotp;

/// Why a code is not accepted. A claimant is told of none of them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TotpRefusal {
    /// The text cannot be a code.
    #[error("not a code of this authenticator")]
    Malformed,
    /// It is the code of no step that is accepted now.
    #[error("wrong code")]
    Wrong,
    /// It was right, of a step that is used up.
    #[error("used code")]
    Replayed,
}

/// The default period: 30 s.
const PERIOD: Duration = Duration::from_secs(30);
/// The most steps each way that a diagnosis looks at: an hour of half minutes.
const FARTHEST: u64 = 120;

impl Totp {
    /// Works with HMAC-SHA-1, six digits and 30 s: what every app can do.
    #[must_use]
    pub fn new(secret: &OtpSecret) -> Self {
        Self::of(Hotp::new(secret), PERIOD)
    }

    /// Works with another algorithm, number of digits or period.
    ///
    /// # Errors
    /// [`InvalidTotp`] where the period is not 15 to 120 whole seconds: a step changes at least every
    /// two minutes (NIST SP 800-63B 3.1.4.1).
    pub fn with(
        secret: &OtpSecret,
        algorithm: OtpAlgorithm,
        digits: OtpDigits,
        period: Duration,
    ) -> Result<Self, InvalidTotp> {
        let fits = (15..=120).contains(&period.as_secs()) && period.subsec_nanos() == 0;
        let counter = Hotp::with(secret, algorithm, digits);
        fits.then(|| Self::of(counter, period)).ok_or(InvalidTotp)
    }

    fn of(counter: Hotp, period: Duration) -> Self {
        Self {
            counter,
            period,
            skew: TotpSkew::USUAL,
        }
    }

    /// Accepts other steps around the present. Default: one before and one after.
    #[must_use]
    pub fn skew(mut self, skew: TotpSkew) -> Self {
        self.skew = skew;
        self
    }

    /// Gives the period of a step.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Gives the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> OtpAlgorithm {
        self.counter.key().0.algorithm()
    }

    /// Gives the number of digits.
    #[must_use]
    pub fn digits(&self) -> OtpDigits {
        self.counter.key().1
    }

    /// Says which step it is.
    #[must_use]
    pub fn step(&self, at: Timestamp) -> TimeStep {
        TimeStep::at(at, self.period)
    }

    /// Makes the code of a moment.
    #[must_use]
    pub fn code(&self, at: Timestamp) -> SecretString {
        self.counter.code(self.step(at).number())
    }

    /// Finds the step of a code, later than `last`, the one that was accepted last. Keep the answer
    /// by compare-and-set; of racing callers with one code the store has one winner.
    ///
    /// Each step is compared in constant time, and all of them are where the code is not accepted:
    /// how long a refusal takes says nothing of the step that a used code was of, nor whether it was
    /// one. The search ends at the step that is accepted, the earliest that is left; whoever typed
    /// the code hears as much from the answer.
    ///
    /// # Errors
    /// [`TotpRefusal`].
    pub fn verify(
        &self,
        typed: &str,
        at: Timestamp,
        last: Option<TimeStep>,
    ) -> Result<TimeStep, TotpRefusal> {
        let typed = self.digits().read(typed);
        let typed = typed.map_err(|_| TotpRefusal::Malformed)?;
        let now = self.step(at).number();
        let first = now.saturating_sub(u64::from(self.skew.past));
        let end = now.saturating_add(u64::from(self.skew.future));
        let floor = last.map_or(0, |last| last.number().saturating_add(1));
        accepted(first..=end, floor, |step| {
            self.counter.number(step).ct_eq(&typed)
        })
    }

    /// Says how far an authenticator's clock is off, by two codes that it shows one after the other,
    /// the second one just now: for the operator, who then says "set your phone's clock".
    ///
    /// Looks an hour each way at the most. It accepts nothing, but whoever may ask it often can
    /// guess: count it against the budget.
    #[must_use]
    pub fn drift(&self, codes: [&str; 2], at: Timestamp) -> Option<Drift> {
        let [one, two] = codes.map(|code| self.digits().read(code));
        let (one, two) = (one.ok()?, two.ok()?);
        let now = self.step(at).number();
        let reach = FARTHEST.min(3_600 / self.period.as_secs().max(1));
        let first = now.saturating_sub(reach).max(1);
        let mut found: Option<u64> = None;
        for step in first..=now.saturating_add(reach) {
            let before = self.counter.number(step.saturating_sub(1));
            let same = before.ct_eq(&one) & self.counter.number(step).ct_eq(&two);
            let nearer = found.is_none_or(|found| step.abs_diff(now) < found.abs_diff(now));
            if bool::from(same) && nearer {
                found = Some(step);
            }
        }
        let step = found?;
        let steps = u32::try_from(step.abs_diff(now)).unwrap_or(u32::MAX);
        let by = self.period.saturating_mul(steps);
        Some(match step.cmp(&now) {
            std::cmp::Ordering::Equal => Drift::None,
            std::cmp::Ordering::Less => Drift::Behind(by),
            std::cmp::Ordering::Greater => Drift::Ahead(by),
        })
    }
}

/// Finds the earliest step of a window that fits and is not used up: those come first, so that a used
/// one with the same digits cannot hide it. Where none does, every step was looked at.
fn accepted(
    window: RangeInclusive<u64>,
    floor: u64,
    fits: impl Fn(u64) -> Choice,
) -> Result<TimeStep, TotpRefusal> {
    let left = window.clone().filter(|step| *step >= floor);
    for step in left {
        if fits(step).into() {
            return Ok(TimeStep::new(step));
        }
    }
    let used = window.filter(|step| *step < floor);
    let used = used.fold(Choice::from(0), |used, step| used | fits(step));
    Err(if used.into() {
        TotpRefusal::Replayed
    } else {
        TotpRefusal::Wrong
    })
}

#[cfg(test)]
mod tests;
