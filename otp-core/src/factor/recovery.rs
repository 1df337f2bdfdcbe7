use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::random::{RandomError, SecureRandom, uniform};
use crate::secret::SecretString;

/// Crockford's base32: no I, L, O, U, which are read as 1, 1, 0 and nothing.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SELECTOR: usize = 2;
const SECRET: usize = 16;
const GROUP: usize = 4;
/// The longest text that is looked at, in bytes.
const LONGEST_TYPED: usize = 64;

/// Which code of a set is meant: two letters in the clear, so that a try costs one slow hash and
/// not one for each code that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecoverySelector([u8; SELECTOR]);

impl RecoverySelector {
    /// Of no code: what is looked for where nothing that could be one was typed.
    pub(crate) const NONE: Self = Self(*b"00");

    /// Reads a selector, as it was stored.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let letters = <[u8; SELECTOR]>::try_from(text.as_bytes()).ok()?;
        let known = letters.iter().all(|letter| LETTERS.contains(letter));
        known.then_some(Self(letters))
    }

    /// Gives its letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A code for the day when the phone is gone: a selector of two letters and 80 random bits, wiped on
/// drop, redacted in `Debug`.
///
/// # Examples
/// ```
/// use otp_core::factor::RecoveryCode;
///
/// let code = RecoveryCode::parse("k7 0123 4567 89ab cdef")?;
/// assert_eq!(code.selector().as_str(), "K7");
/// assert_eq!(code.to_text().expose(), "K7-0123-4567-89AB-CDEF");
/// assert_eq!(format!("{code:?}"), "RecoveryCode(K7)");
/// # Ok::<(), otp_core::factor::InvalidRecoveryCode>(())
/// ```
#[derive(Clone)]
pub struct RecoveryCode {
    selector: RecoverySelector,
    secret: Zeroizing<String>,
}

/// The text cannot be a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a recovery code")]
pub struct InvalidRecoveryCode;

impl RecoveryCode {
    fn generate(
        selector: RecoverySelector,
        random: &dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        let mut secret = Zeroizing::new(String::with_capacity(SECRET));
        for _ in 0..SECRET {
            secret.push(char::from(letter(random)?));
        }
        Ok(Self { selector, secret })
    }

    /// Reads what was typed: either case, spaces and hyphens anywhere, and the letters that are
    /// mistaken for digits as those digits.
    ///
    /// # Errors
    /// [`InvalidRecoveryCode`], which does not say where.
    pub fn parse(typed: &str) -> Result<Self, InvalidRecoveryCode> {
        if typed.len() > LONGEST_TYPED {
            return Err(InvalidRecoveryCode);
        }
        let mut text = Zeroizing::new(String::with_capacity(SELECTOR + SECRET));
        for byte in typed.trim().bytes() {
            let letter = match byte.to_ascii_uppercase() {
                b' ' | b'-' => continue,
                b'O' => b'0',
                b'I' | b'L' => b'1',
                letter if LETTERS.contains(&letter) => letter,
                _ => return Err(InvalidRecoveryCode),
            };
            if text.len() == SELECTOR + SECRET {
                return Err(InvalidRecoveryCode);
            }
            text.push(char::from(letter));
        }
        let (selector, secret) = text.split_at_checked(SELECTOR).ok_or(InvalidRecoveryCode)?;
        if secret.len() != SECRET {
            return Err(InvalidRecoveryCode);
        }
        Ok(Self {
            selector: RecoverySelector::from_stored(selector).ok_or(InvalidRecoveryCode)?,
            secret: Zeroizing::new(secret.to_owned()),
        })
    }

    /// Says which of its set it is.
    #[must_use]
    pub fn selector(&self) -> RecoverySelector {
        self.selector
    }

    /// Gives the secret part, for the hash that is stored.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.secret
    }

    /// Writes the code as people copy it: in groups of four after the selector.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let mut text = String::with_capacity(SELECTOR + SECRET + SECRET / GROUP);
        text.push_str(self.selector.as_str());
        for (place, letter) in self.secret.chars().enumerate() {
            if place % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        SecretString::new(text)
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecoveryCode({})", self.selector.as_str())
    }
}

/// A fresh set of recovery codes, each with a selector of its own: shown once, and stored as hashes.
#[derive(Clone, Debug)]
pub struct RecoverySet(Vec<RecoveryCode>);

impl RecoverySet {
    /// How many codes a set has: 10.
    pub const SIZE: usize = 10;

    /// Draws a set.
    ///
    /// # Errors
    /// [`RandomError`] where there is no randomness.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        let mut taken = BTreeSet::new();
        let mut codes = Vec::with_capacity(Self::SIZE);
        while codes.len() < Self::SIZE {
            let selector = RecoverySelector([letter(random)?, letter(random)?]);
            if taken.insert(selector) {
                codes.push(RecoveryCode::generate(selector, random)?);
            }
        }
        Ok(Self(codes))
    }

    /// Gives the codes.
    #[must_use]
    pub fn codes(&self) -> &[RecoveryCode] {
        &self.0
    }
}

fn letter(random: &dyn SecureRandom) -> Result<u8, RandomError> {
    let drawn = uniform(random, 32)?;
    let place = usize::try_from(drawn).unwrap_or_default();
    Ok(LETTERS.get(place).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_set_has_ten_codes_with_ten_selectors_and_each_is_read_back() {
        let set = RecoverySet::generate(&OsRandom).unwrap();
        let selectors: BTreeSet<_> = set.codes().iter().map(RecoveryCode::selector).collect();
        assert_eq!((set.codes().len(), selectors.len()), (10, 10));
        for code in set.codes() {
            let text = code.to_text();
            assert_eq!(text.expose().len(), 22);
            let read = RecoveryCode::parse(&text.expose().to_lowercase()).unwrap();
            assert_eq!(read.expose(), code.expose());
            assert_eq!(read.selector(), code.selector());
            assert!(!format!("{code:?} {set:?}").contains(code.expose()));
        }
    }

    #[test]
    fn what_people_mistake_is_read_as_what_was_meant_and_nothing_else_is_read() {
        let code = RecoveryCode::parse(" O1-il01-4567-89AB-CDEF").unwrap();
        assert_eq!(code.to_text().expose(), "01-1101-4567-89AB-CDEF");
        for typed in [
            "",
            "K7",
            "K7-0123-4567-89AB-CDE",
            "K7-0123-4567-89AB-CDEF0",
            "K7-0123-4567-89AB-CDEU",
            "K7_0123_4567_89AB_CDEF",
            "\u{212a}7-0123-4567-89AB-CDE",
            &"K7".repeat(60),
        ] {
            let refused = RecoveryCode::parse(typed).err();
            assert_eq!(refused, Some(InvalidRecoveryCode), "{typed}");
        }
    }
}
