//! [`Region`]: a country or territory with a numbering plan.

use std::{fmt, str::FromStr};

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region as LibraryRegion};

/// A country or territory by its two letters, known to have a numbering plan.
///
/// ISO 3166-1 alpha-2, and the few codes beside it that numbering plans use (`AC`, `TA`, `XK`).
///
/// # Examples
///
/// ```
/// use otp_core::destination::Region;
///
/// let region = Region::parse("GB")?;
/// assert_eq!(region.code(), "GB");
/// assert_eq!(region.calling_code(), Some(44));
/// assert!(Region::parse("ZZ").is_err());
/// # Ok::<(), otp_core::destination::UnknownRegion>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region([u8; 2]);

impl Region {
    /// Parses two ASCII letters, in either case.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] when they are not two letters or name no numbering plan.
    pub fn parse(code: &str) -> Result<Self, UnknownRegion> {
        let &[first, second] = code.as_bytes() else {
            return Err(UnknownRegion);
        };
        let region = Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]);
        region.calling_code().map(|_| region).ok_or(UnknownRegion)
    }

    /// Returns the two letters in upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the calling code of its numbering plan, which regions may share (`US` and `CA`: 1).
    ///
    /// It is there for every region that parsed.
    #[must_use]
    pub fn calling_code(self) -> Option<u16> {
        let code = PHONE_NUMBER_UTIL.get_country_code_for_region(self.to_library()?)?;
        u16::try_from(code).ok()
    }

    /// Rebuilds a region that was parsed before.
    pub(super) fn from_stored(code: &str) -> Option<Self> {
        let &[first, second] = code.as_bytes() else {
            return None;
        };
        (first.is_ascii_uppercase() && second.is_ascii_uppercase()).then_some(Self([first, second]))
    }

    pub(super) fn to_library(self) -> Option<LibraryRegion> {
        LibraryRegion::from_code(self.code()).ok()
    }

    /// Non-geographic numbers belong to no region.
    pub(super) fn from_library(region: LibraryRegion) -> Option<Self> {
        let code = region.as_region_str();
        let &[first, second] = code.as_str().as_bytes() else {
            return None;
        };
        Some(Self([first, second]))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.code())
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}

/// A text that names no [`Region`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown region code")]
pub struct UnknownRegion;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_is_the_same_region() {
        assert_eq!(Region::parse("de"), Region::parse("DE"));
        assert_eq!(Region::parse("de").unwrap().code(), "DE");
    }

    #[test]
    fn codes_without_a_numbering_plan_are_refused() {
        for code in ["", "U", "USA", "ZZ", "001", "U1", "é", "U\0", " US"] {
            assert_eq!(Region::parse(code), Err(UnknownRegion), "{code:?}");
        }
    }

    #[test]
    fn a_shared_calling_code_keeps_its_regions_apart() {
        let [us, ca] = ["US", "CA"].map(|code| Region::parse(code).unwrap());
        assert_eq!(us.calling_code(), ca.calling_code());
        assert_ne!(us, ca);
    }
}
