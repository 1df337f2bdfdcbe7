//! Members of bodies that several routes take, each with what it is refused as.

use otp_core::delivery::Locale;
use otp_core::destination::{Channel, Destination, EmailAddress, PhoneNumber};
use otp_core::request::{AttemptId, Purpose, RequestContext};
use otp_core::verifier::Verifier;

use crate::json::{Given, Member};
use crate::openapi::Schema;
use crate::refusal::Refusal;

/// Reads the address, of which there is exactly one; `missing` answers where there is none.
///
/// # Errors
/// `missing`, [`Refusal::INVALID_PHONE`], [`Refusal::INVALID_EMAIL`], [`Refusal::TWO_ADDRESSES`].
pub fn destination(
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

/// Reads a phone number as people write it, with its country code.
///
/// # Errors
/// [`Refusal::INVALID_PHONE`].
pub fn phone(number: &str) -> Result<Destination, Refusal> {
    PhoneNumber::parse_lenient(number, None)
        .map(Destination::from)
        .map_err(|_| Refusal::INVALID_PHONE)
}

/// Reads an e-mail address.
///
/// # Errors
/// [`Refusal::INVALID_EMAIL`].
pub fn email(address: &str) -> Result<Destination, Refusal> {
    EmailAddress::parse(address)
        .map(Destination::from)
        .map_err(|_| Refusal::INVALID_EMAIL)
}

/// Reads the purpose: `login` unless it is named, and never one that is not registered.
///
/// # Errors
/// [`Refusal::UNKNOWN_PURPOSE`].
pub fn purpose(verifier: &Verifier, member: &Member) -> Result<Purpose, Refusal> {
    let name = match member.given() {
        Given::Nothing => return Ok(Purpose::LOGIN),
        Given::Text(name) => name,
        Given::Wrong => return Err(Refusal::UNKNOWN_PURPOSE),
    };
    let policy = verifier.policy();
    let found = policy.purposes().find(name);
    found
        .map(|(purpose, _)| purpose.clone())
        .ok_or(Refusal::UNKNOWN_PURPOSE)
}

/// Reads a channel that may be named.
///
/// # Errors
/// [`Refusal::UNKNOWN_CHANNEL`].
pub fn channel(member: &Member) -> Result<Option<Channel>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(name) => name.parse().map(Some).map_err(|_| Refusal::UNKNOWN_CHANNEL),
        Given::Wrong => Err(Refusal::UNKNOWN_CHANNEL),
    }
}

/// Reads a language that may be named.
///
/// # Errors
/// [`Refusal::INVALID_LOCALE`].
pub fn locale(member: &Member) -> Result<Option<Locale>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(tag) => Locale::new(tag)
            .map(Some)
            .map_err(|_| Refusal::INVALID_LOCALE),
        Given::Wrong => Err(Refusal::INVALID_LOCALE),
    }
}

/// Gives what was typed as a code. A number, a list or `null` is no code: it goes the way of a
/// malformed one, counts for the client's address and gets the same answer.
#[must_use]
pub fn typed(otp: &Member) -> Option<&str> {
    match (otp, otp.given()) {
        (Member::Null(()), _) | (_, Given::Wrong) => Some(""),
        (_, Given::Text(code)) => Some(code),
        (_, Given::Nothing) => None,
    }
}

/// Reads the client's name for a try, where it has one.
///
/// # Errors
/// [`Refusal::INVALID_ATTEMPT_ID`].
pub fn attempt_id(member: &Member) -> Result<Option<AttemptId>, Refusal> {
    match member.given() {
        Given::Nothing => Ok(None),
        Given::Text(id) => AttemptId::new(id)
            .map(Some)
            .map_err(|_| Refusal::INVALID_ATTEMPT_ID),
        Given::Wrong => Err(Refusal::INVALID_ATTEMPT_ID),
    }
}

/// Describes the members that [`with_captcha`] reads.
#[must_use]
pub fn captcha_members() -> [(&'static str, Schema); 4] {
    [
        "captcha_token?",
        "h-captcha-response?",
        "cf-turnstile-response?",
        "g-recaptcha-response?",
    ]
    .map(|name| (name, Schema::text().or_null()))
}

/// Adds what a captcha's widget gave the client, of which there is at most one: under our name, or
/// under the one that its vendor's script gives the field.
///
/// # Errors
/// [`Refusal::CAPTCHA_FAILED`].
pub fn with_captcha(
    context: RequestContext,
    members: [&Member; 4],
) -> Result<RequestContext, Refusal> {
    let mut token = None;
    for member in members {
        match (member.given(), token) {
            (Given::Nothing, _) => {}
            (Given::Text(text), None) => token = Some(text),
            (Given::Text(_) | Given::Wrong, _) => return Err(Refusal::CAPTCHA_FAILED),
        }
    }
    Ok(match token {
        Some(token) => context.captcha_token(token),
        None => context,
    })
}
