use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use thiserror::Error;

use super::keyed::Keyed;
use super::{OtpAlgorithm, OtpDigits, OtpSecret};
use crate::secret::SecretString;

/// How many counters beyond the expected one are looked at: RFC 4226 section 7.4 wants it small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAhead(u8);

impl LookAhead {
    /// Ten.
    pub const USUAL: Self = Self(10);

    /// Takes 0 to 50.
    #[must_use]
    pub const fn new(counters: u8) -> Option<Self> {
        if counters <= 50 {
            Some(Self(counters))
        } else {
            None
        }
    }
}

impl Default for LookAhead {
    fn default() -> Self {
        Self::USUAL
    }
}

/// An authenticator that counts: RFC 4226.
///
/// Wiped on drop as far as the hash allows; `Debug` shows no secret. Counters go up only: what
/// [`verify`](Self::verify) accepted is the `last` of the next call, kept by compare-and-set.
///
/// # Examples
/// ```
/// use otp_core::factor::{Hotp, LookAhead, OtpSecret};
///
/// let hotp = Hotp::new(&OtpSecret::new(b"12345678901234567890".to_vec())?);
/// assert_eq!(hotp.code(0).expose(), "755224");
/// assert_eq!(hotp.verify("287 082", Some(0), LookAhead::USUAL), Ok(1));
/// assert!(hotp.verify("287082", Some(1), LookAhead::USUAL).is_err());
/// # Ok::<(), otp_core::factor::InvalidOtpSecret>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hotp {
    key: Keyed,
    digits: OtpDigits,
}

/// Why a code is not accepted. A claimant is told of none of them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HotpRefusal {
    /// The text cannot be a code.
    #[error("not a code of this authenticator")]
    Malformed,
    /// It is the code of no counter that may come now.
    #[error("wrong code")]
    Wrong,
    /// The last counter there is was used.
    #[error("the counter is at its end")]
    Ended,
}

impl Hotp {
    /// Works with HMAC-SHA-1 and six digits.
    #[must_use]
    pub fn new(secret: &OtpSecret) -> Self {
        Self::with(secret, OtpAlgorithm::default(), OtpDigits::default())
    }

    /// Works with another algorithm or number of digits.
    #[must_use]
    pub fn with(secret: &OtpSecret, algorithm: OtpAlgorithm, digits: OtpDigits) -> Self {
        Self {
            key: Keyed::new(algorithm, secret),
            digits,
        }
    }

    /// Makes the code of a counter.
    #[must_use]
    pub fn code(&self, counter: u64) -> SecretString {
        SecretString::new(self.digits.write(self.number(counter)))
    }

    /// Finds the counter of a code, among those after `last` (`None`: none was accepted yet).
    ///
    /// Every candidate is computed and compared in constant time, whichever it is; the lowest counts.
    ///
    /// # Errors
    /// [`HotpRefusal`].
    pub fn verify(
        &self,
        typed: &str,
        last: Option<u64>,
        ahead: LookAhead,
    ) -> Result<u64, HotpRefusal> {
        let typed = self.read(typed)?;
        let first = after(last)?;
        let end = first.saturating_add(u64::from(ahead.0));
        self.find(typed, first, end).ok_or(HotpRefusal::Wrong)
    }

    /// Finds where an authenticator has run ahead to, by two codes that it shows one after the other
    /// (RFC 4226 section 7.4): answers the counter of the second.
    ///
    /// Looks at `reach` counters at the most, 1,000 in any case. It is a guess like any other: count
    /// it against the budget.
    ///
    /// # Errors
    /// [`HotpRefusal`].
    pub fn resynchronise(
        &self,
        codes: [&str; 2],
        last: Option<u64>,
        reach: u16,
    ) -> Result<u64, HotpRefusal> {
        let [one, two] = codes;
        let (one, two) = (self.read(one)?, self.read(two)?);
        let first = after(last)?;
        let end = first.saturating_add(u64::from(reach.min(FARTHEST)));
        let mut found = None;
        let mut number = self.number(first);
        for counter in first..end {
            let next = self.number(counter.saturating_add(1));
            let same = number.ct_eq(&one) & next.ct_eq(&two);
            if found.is_none() && bool::from(same) {
                found = counter.checked_add(1);
            }
            number = next;
        }
        found.ok_or(HotpRefusal::Wrong)
    }

    fn read(&self, typed: &str) -> Result<u32, HotpRefusal> {
        let read = self.digits.read(typed);
        read.map_err(|_| HotpRefusal::Malformed)
    }

    pub(super) fn key(&self) -> (&Keyed, OtpDigits) {
        (&self.key, self.digits)
    }

    pub(super) fn number(&self, counter: u64) -> u32 {
        self.key.number(counter, self.digits)
    }

    /// Finds the lowest counter of a range, ends included, whose number it is.
    fn find(&self, typed: u32, first: u64, end: u64) -> Option<u64> {
        let (mut found, mut any) = (0_u64, Choice::from(0));
        for counter in (first..=end).rev() {
            let same = self.number(counter).ct_eq(&typed);
            found.conditional_assign(&counter, same);
            any |= same;
        }
        bool::from(any).then_some(found)
    }
}

/// The most counters that a resynchronisation looks at.
const FARTHEST: u16 = 1_000;

fn after(last: Option<u64>) -> Result<u64, HotpRefusal> {
    match last {
        None => Ok(0),
        Some(last) => last.checked_add(1).ok_or(HotpRefusal::Ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hotp() -> Hotp {
        let secret = OtpSecret::new(b"12345678901234567890".to_vec());
        Hotp::new(&secret.expect("a secret"))
    }

    /// RFC 4226 appendix D.
    const CODES: [&str; 10] = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];

    #[test]
    fn the_codes_of_rfc_4226_come_out_and_each_is_found() {
        for (counter, code) in (0..).zip(CODES) {
            assert_eq!(hotp().code(counter).expose(), code);
            assert_eq!(hotp().verify(code, None, LookAhead::USUAL), Ok(counter));
        }
    }

    #[test]
    fn a_counter_never_comes_back_and_none_beyond_the_window_is_looked_at() {
        let hotp = hotp();
        let two = LookAhead::new(2).unwrap();
        assert_eq!(hotp.verify(CODES[3], Some(3), two), Err(HotpRefusal::Wrong));
        assert_eq!(hotp.verify(CODES[4], Some(3), two), Ok(4));
        assert_eq!(hotp.verify(CODES[6], Some(3), two), Ok(6));
        assert_eq!(hotp.verify(CODES[7], Some(3), two), Err(HotpRefusal::Wrong));
        assert_eq!(hotp.verify("75522", None, two), Err(HotpRefusal::Malformed));
        assert_eq!(LookAhead::new(51), None);
    }

    #[test]
    fn the_last_counter_is_the_last() {
        let hotp = hotp();
        let code = hotp.code(u64::MAX);
        let none = LookAhead::new(0).unwrap();
        let last = Some(u64::MAX - 1);
        assert_eq!(hotp.verify(code.expose(), last, none), Ok(u64::MAX));
        assert_eq!(
            hotp.verify(code.expose(), last, LookAhead::USUAL),
            Ok(u64::MAX)
        );
        for refused in [
            hotp.verify(code.expose(), Some(u64::MAX), none),
            hotp.resynchronise([code.expose(), CODES[0]], Some(u64::MAX), 10),
        ] {
            assert_eq!(refused, Err(HotpRefusal::Ended));
        }
    }

    #[test]
    fn two_codes_in_a_row_find_an_authenticator_that_ran_ahead() {
        let hotp = hotp();
        let (one, two) = (hotp.code(700), hotp.code(701));
        let pair = [one.expose(), two.expose()];
        assert_eq!(hotp.resynchronise(pair, Some(4), 1_000), Ok(701));
        let swapped = [two.expose(), one.expose()];
        for (codes, reach) in [(swapped, 1_000), (pair, 600)] {
            let refused = hotp.resynchronise(codes, Some(4), reach);
            assert_eq!(refused, Err(HotpRefusal::Wrong));
        }
    }
}
