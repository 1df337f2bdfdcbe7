//! The numbering plans: the one place that talks to the plan library.

use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, get_national_significant_number_owned};

use super::{
    InvalidPhoneNumber,
    InvalidPhoneNumberKind::{Malformed, NotAssigned, TooLong, TooShort, UnknownCallingCode},
    LineType, PhoneNumber, Region,
    e164::{E164, WrongLength},
};

/// Finds the number that `dialled` reaches from `region`.
///
/// `dialled` has passed the guard: ASCII digits, at most one `+`, and that one in front.
pub(super) fn resolve(
    dialled: &str,
    region: Option<Region>,
) -> Result<PhoneNumber, InvalidPhoneNumber> {
    let number = PHONE_NUMBER_UTIL
        .parse(dialled, region.and_then(Region::to_library))
        .map_err(|error| match error {
            ParseError::InvalidCountryCode => UnknownCallingCode,
            ParseError::NotANumber(_) => Malformed,
            ParseError::TooShortAfterIdd | ParseError::TooShortNsn => TooShort,
            ParseError::TooLongNsn => TooLong,
        })?;
    let calling_code = u16::try_from(number.country_code).map_err(|_| UnknownCallingCode)?;
    // A number is valid exactly when its type is known; asking for both would match it twice.
    let line_type = LineType::from_library(PHONE_NUMBER_UTIL.get_number_type(&number));
    if line_type == LineType::Unknown {
        return Err(NotAssigned.into());
    }
    let national = get_national_significant_number_owned(&number);
    // The library has a few plans whose numbers pass 15 digits.
    let e164 = E164::new(calling_code, &national).map_err(|wrong| match wrong {
        WrongLength::Short => TooShort,
        WrongLength::Long => TooLong,
    })?;
    Ok(PhoneNumber {
        e164,
        calling_code,
        country: PHONE_NUMBER_UTIL
            .get_region_for_number(&number)
            .and_then(Region::from_library),
        line_type,
    })
}
