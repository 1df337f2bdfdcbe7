//! [`PhoneNumber`]: a telephone number in E.164, valid by its country's plan.

mod alias;
mod e164;
mod error;
mod guard;
mod plan;
mod range;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use self::e164::E164;
pub use self::error::{InvalidPhoneNumber, InvalidPhoneNumberKind};
pub use self::range::NumberRange;
use super::{LimitKey, LineType, Region};

/// Calling codes of satellite networks: Inmarsat, the global mobile satellite system and the
/// international networks (ITU-T E.164 assignments).
const SATELLITE: [u16; 4] = [870, 881, 882, 883];

/// National digits from which the masked form shows the first three.
const LONG_NUMBER: usize = 10;
/// The bytes of the longest masked form.
const MASKED: usize = 24;

/// A telephone number that the full rules of its numbering plan call valid.
///
/// The canonical form is E.164: `+`, then 7 to 15 digits that do not start with 0. Two numbers are equal
/// when their canonical forms are. It is stored inline, so a clone allocates nothing.
///
/// One alias is rewritten: Mexico's `+52 1`, which its plan dropped in 2019 and messaging services still
/// write, becomes `+52`. Every other number is what the plan says (libphonenumber's metadata).
///
/// `Display` and `Debug` are masked. From ten national digits on, the first three and the last four show
/// (`+1415•••0123`); a shorter number shows its last four at most, and always hides four or more. Three
/// dots stand for any number of digits.
///
/// # Examples
///
/// ```
/// use otp_core::destination::{LineType, PhoneNumber, Region};
///
/// let number = PhoneNumber::parse("+447400123456")?;
/// assert_eq!(number.to_string(), "+44740•••3456");
/// assert_eq!(number.country().map(|country| country.to_string()).as_deref(), Some("GB"));
/// assert_eq!(number.line_type(), LineType::Mobile);
///
/// let typed = PhoneNumber::parse_lenient("07400 123456", Some(Region::parse("GB")?))?;
/// assert_eq!(typed, number);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PhoneNumber {
    e164: E164,
    calling_code: u16,
    country: Option<Region>,
    line_type: LineType,
}

impl PhoneNumber {
    /// Parses E.164 and nothing else: `+`, 7 to 15 ASCII digits, no leading 0.
    ///
    /// No space, no punctuation, no other script. Digits that the plan would rewrite, such as a trunk 0
    /// after the calling code, are refused too; only Mexico's `+52 1` is rewritten.
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneNumber`], whose kind says why.
    pub fn parse(input: &str) -> Result<Self, InvalidPhoneNumber> {
        guard::strict(input)?;
        let text = alias::without_retired_prefix(input);
        let number = plan::resolve(&text, None)?;
        if number.e164() == text {
            Ok(number)
        } else {
            Err(InvalidPhoneNumberKind::NotCanonical.into())
        }
    }

    /// Parses a number as a person types it, national or international.
    ///
    /// Takes ASCII spaces, `+ - ( ) .` and the decimal digits of any script, in at most 48 bytes. Around
    /// them, directional marks and signs without width are dropped, as address books paste them. Without
    /// a leading `+` the number is read as dialled from `region`, with that region's trunk and
    /// international prefixes. Extensions, letters, `tel:`, line breaks and everything invisible inside the
    /// number are refused, as are emergency and other short numbers.
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneNumber`], whose kind says why.
    pub fn parse_lenient(input: &str, region: Option<Region>) -> Result<Self, InvalidPhoneNumber> {
        let dialled = guard::lenient(input)?;
        if region.is_none() && !dialled.starts_with('+') {
            return Err(InvalidPhoneNumberKind::NeedsRegion.into());
        }
        plan::resolve(&alias::without_retired_prefix(&dialled), region)
    }

    /// Returns the whole number, unmasked, as E.164: `+14155550123`.
    #[must_use]
    pub fn e164(&self) -> &str {
        self.e164.as_str()
    }

    /// Returns the country or territory it belongs to; none for a non-geographic number such as `+800`.
    #[must_use]
    pub const fn country(&self) -> Option<Region> {
        self.country
    }

    /// Returns the calling code, 1 to 3 digits, without the `+`.
    #[must_use]
    pub const fn calling_code(&self) -> u16 {
        self.calling_code
    }

    /// Returns what the plan says is at the other end.
    #[must_use]
    pub const fn line_type(&self) -> LineType {
        self.line_type
    }

    /// Tells whether it lies in a calling code of satellite and international networks: 870, 881, 882
    /// or 883. Messages there cost many times the usual price, and toll fraud seeks them.
    #[must_use]
    pub fn is_satellite(&self) -> bool {
        SATELLITE.contains(&self.calling_code)
    }

    /// Returns the form that budgets and quotas count by; never one to deliver to.
    ///
    /// It is the E.164 form, except that these spellings of one line share a key:
    /// - Argentina: mobiles with the international 9 (`+54 9 11 ...`) and without it;
    /// - Brazil: mobiles with the ninth digit and, starting with 6 to 9, without it;
    /// - Mexico: `+52 1` and `+52`, which parsing already made one.
    #[must_use]
    pub fn limit_key(&self) -> LimitKey {
        let key = match alias::fold(self.calling_code, self.national()) {
            Some(folded) => format!("+{}{folded}", self.calling_code),
            None => self.e164().to_owned(),
        };
        LimitKey::new(key)
    }

    /// Returns the range of numbers that it is in: its first seven digits.
    #[must_use]
    pub fn range(&self) -> NumberRange {
        NumberRange::of(self)
    }

    /// Returns the masked form that `Display` writes.
    #[must_use]
    pub fn masked(&self) -> String {
        let mut masked = String::with_capacity(MASKED);
        // Writing to a string does not fail.
        let _ = fmt::Write::write_fmt(&mut masked, format_args!("{self}"));
        masked
    }

    /// Rebuilds a number that was parsed before; see [`super::stored`].
    pub(super) fn from_parts(
        e164: &str,
        calling_code: u16,
        country: Option<Region>,
        line_type: LineType,
    ) -> Option<Self> {
        let national = e164.strip_prefix(&format!("+{calling_code}"))?;
        Some(Self {
            e164: E164::new(calling_code, national).ok()?,
            calling_code,
            country,
            line_type,
        })
    }

    fn national(&self) -> &str {
        self.e164.national(self.calling_code)
    }
}

impl PartialEq for PhoneNumber {
    fn eq(&self, other: &Self) -> bool {
        self.e164 == other.e164
    }
}

impl Eq for PhoneNumber {}

impl Hash for PhoneNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.e164.hash(state);
    }
}

impl PartialOrd for PhoneNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PhoneNumber {
    /// Orders by the text of the E.164 form.
    fn cmp(&self, other: &Self) -> Ordering {
        self.e164().cmp(other.e164())
    }
}

impl FromStr for PhoneNumber {
    type Err = InvalidPhoneNumber;

    /// Parses as [`PhoneNumber::parse`] does.
    fn from_str(input: &str) -> Result<Self, Self::Err> {
        Self::parse(input)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let national = self.national();
        let (head, tail) = if national.len() < LONG_NUMBER {
            (0, national.len().saturating_sub(4).min(4))
        } else {
            (3, 4)
        };
        let head = national.get(..head).unwrap_or_default();
        let tail = national
            .get(national.len().saturating_sub(tail)..)
            .unwrap_or_default();
        write!(f, "+{}{head}•••{tail}", self.calling_code)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}

#[cfg(test)]
mod tests;
