//! [`NumberRange`]: a block of numbers that one operator was handed.

use std::fmt;

use super::{LONG_NUMBER, PhoneNumber};

/// The most digits that name a range.
const LONGEST: usize = 7;
/// The digits at the end of a number that a range never has.
const LEFT_OPEN: usize = 4;

/// The range of numbers that a phone number is in, named by its first digits.
///
/// They are seven, calling code included: in most plans that is a block that one operator was
/// handed, and what toll fraud rents is whole blocks. Of a number shorter than eleven digits they
/// are fewer, so that a range is never less than ten thousand numbers. Spellings of one line that
/// share a [`LimitKey`](crate::destination::LimitKey) may lie in two ranges.
///
/// `Display` and `Debug` are masked: beside the masked form of one of its numbers, the whole range
/// would give away that number.
///
/// # Examples
///
/// ```
/// use otp_core::destination::PhoneNumber;
///
/// let number = PhoneNumber::parse("+14155550123")?;
/// assert_eq!(number.range().expose(), "+1415555");
/// assert_eq!(number.range().to_string(), "+1415•••");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NumberRange {
    digits: Box<str>,
    shown: usize,
}

impl NumberRange {
    pub(super) fn of(number: &PhoneNumber) -> Self {
        let e164 = number.e164();
        // The plus sign counts as one byte.
        let most = e164.len().saturating_sub(LEFT_OPEN);
        let end = (LONGEST + 1).min(most);
        // No digit more than the masked form of the number shows.
        let national = number.national().len();
        let head = if national < LONG_NUMBER { 0 } else { 3 };
        let code = e164.len().saturating_sub(national);
        Self {
            digits: e164.get(..end).unwrap_or_default().into(),
            shown: end.min(code.saturating_add(head)),
        }
    }

    /// Returns the plus sign and the digits, to block the range or to count by it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.digits
    }
}

impl fmt::Display for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.digits.get(..self.shown).unwrap_or_default();
        write!(f, "{shown}•••")
    }
}

impl fmt::Debug for NumberRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumberRange({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(number: &str) -> NumberRange {
        PhoneNumber::parse(number).unwrap().range()
    }

    #[test]
    fn a_range_is_seven_digits_and_leaves_at_least_four_open() {
        for (number, expected) in [
            ("+14155550123", "+1415555"),
            ("+447400123456", "+4474001"),
            ("+37251234567", "+3725123"),
            ("+4721234567", "+472123"),
            ("+29022158", "+2902"),
        ] {
            assert_eq!(range(number).expose(), expected, "{number}");
        }
        assert_eq!(range("+14155550123"), range("+14155559999"));
        assert_ne!(range("+14155550123"), range("+14155560123"));
    }

    #[test]
    fn a_range_shows_no_digit_that_the_masked_number_hides() {
        for (number, expected) in [
            ("+14155550123", "+1415•••"),
            ("+447400123456", "+44740•••"),
            ("+4721234567", "+47•••"),
            ("+29022158", "+290•••"),
        ] {
            let number = PhoneNumber::parse(number).unwrap();
            let shown = number.range().to_string();
            assert_eq!(shown, expected);
            assert!(number.to_string().starts_with(&shown));
            let debug = format!("{:?}", number.range());
            assert_eq!(debug, format!("NumberRange({shown})"));
        }
    }
}
