//! The text of an E.164 number, held inline.

use std::fmt::Write;

/// ITU-T E.164 section 6.2.1: at most 15 digits, calling code and all.
const MAX_DIGITS: usize = 15;
/// The shortest that any plan in use has; it keeps every three-digit number out, whatever the region.
const MIN_DIGITS: usize = 7;
const MAX_LEN: usize = MAX_DIGITS + 1;

/// A `+` and 7 to 15 ASCII digits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct E164 {
    bytes: [u8; MAX_LEN],
    len: u8,
}

/// Why the digits make no [`E164`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrongLength {
    Short,
    Long,
}

impl E164 {
    /// `national` is digits only, leading zeros included.
    pub(super) fn new(calling_code: u16, national: &str) -> Result<Self, WrongLength> {
        let mut text = Text {
            bytes: [0; MAX_LEN],
            len: 0,
        };
        write!(text, "+{calling_code}{national}").map_err(|_| WrongLength::Long)?;
        if usize::from(text.len) <= MIN_DIGITS {
            return Err(WrongLength::Short);
        }
        Ok(Self {
            bytes: text.bytes,
            len: text.len,
        })
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|text| str::from_utf8(text).ok())
            .unwrap_or_default()
    }

    /// The digits after the calling code.
    pub(super) fn national(&self, calling_code: u16) -> &str {
        let prefix = match calling_code {
            0..10 => 2,
            10..100 => 3,
            _ => 4,
        };
        self.as_str().get(prefix..).unwrap_or_default()
    }
}

/// A text that refuses to grow past its room.
struct Text {
    bytes: [u8; MAX_LEN],
    len: u8,
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        for byte in part.bytes() {
            let slot = self.bytes.get_mut(usize::from(self.len));
            *slot.ok_or(std::fmt::Error)? = byte;
            self.len += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_outside_seven_to_fifteen_digits_are_refused() {
        assert_eq!(E164::new(49, "1234").err(), Some(WrongLength::Short));
        assert!(E164::new(49, "12345").is_ok());
        assert!(E164::new(49, "1234567890123").is_ok());
        assert_eq!(
            E164::new(49, "12345678901234").err(),
            Some(WrongLength::Long)
        );
        assert_eq!(
            E164::new(49, &"1".repeat(400)).err(),
            Some(WrongLength::Long)
        );
    }

    #[test]
    fn the_national_part_starts_after_the_calling_code() {
        for (code, national) in [(1, "4155550123"), (39, "0612345678"), (870, "773111632")] {
            let number = E164::new(code, national).unwrap();
            assert_eq!(number.as_str(), format!("+{code}{national}"));
            assert_eq!(number.national(code), national);
        }
    }
}
