//! What every start and every try have in common: an address, and a purpose.

use otp_kit::destination::{Destination, EmailAddress, PhoneNumber};
use otp_kit::request::Purpose;

use crate::answer::Refusal;
use crate::app::App;
use crate::json::{Given, Member};

/// Reads the address, of which there is exactly one; `missing` answers where there is none.
pub(super) fn read(
    phone: &Member,
    email: &Member,
    missing: Refusal,
) -> Result<Destination, Refusal> {
    match (phone.given(), email.given()) {
        (Given::Nothing, Given::Nothing) => Err(missing),
        (Given::Text(number), Given::Nothing) => self::phone(number),
        (Given::Nothing, Given::Text(address)) => self::email(address),
        (Given::Wrong, Given::Nothing) => Err(Refusal::INVALID_PHONE),
        (Given::Nothing, Given::Wrong) => Err(Refusal::INVALID_EMAIL),
        // Two addresses: proving one of them must not seem to prove the other.
        (_, _) => Err(Refusal::TWO_ADDRESSES),
    }
}

/// Reads a phone number.
pub(crate) fn phone(number: &str) -> Result<Destination, Refusal> {
    PhoneNumber::parse_lenient(number, None)
        .map(Destination::from)
        .map_err(|_| Refusal::INVALID_PHONE)
}

/// Reads an e-mail address.
pub(crate) fn email(address: &str) -> Result<Destination, Refusal> {
    EmailAddress::parse(address)
        .map(Destination::from)
        .map_err(|_| Refusal::INVALID_EMAIL)
}

/// Reads the purpose: `login` unless it is named, and never one that is not registered.
pub(super) fn purpose(app: &App, member: &Member) -> Result<Purpose, Refusal> {
    let name = match member.given() {
        Given::Nothing => return Ok(Purpose::LOGIN),
        Given::Text(name) => name,
        Given::Wrong => return Err(Refusal::UNKNOWN_PURPOSE),
    };
    let policy = app.verifier.policy();
    let found = policy.purposes().find(name);
    found
        .map(|(purpose, _)| purpose.clone())
        .ok_or(Refusal::UNKNOWN_PURPOSE)
}
