//! Where a code can be sent: phone numbers, e-mail addresses and the channels that reach them.
//!
//! Everything here is parsed once, at the edge, and canonical from then on. `Display` and `Debug` mask;
//! the full value leaves only through an accessor that says so ([`PhoneNumber::e164`],
//! [`EmailAddress::address`], [`Destination::expose`]). Budgets and quotas count by [`LimitKey`], under
//! which the several spellings of one destination are one.

mod channel;
mod email;
mod limit_key;
mod line_type;
mod phone;
mod region;
mod stored;

use std::fmt;

pub use self::{
    channel::{Channel, ChannelMismatch, UnknownChannel},
    email::{EmailAddress, InvalidEmailAddress, InvalidEmailAddressKind},
    limit_key::LimitKey,
    line_type::LineType,
    phone::{InvalidPhoneNumber, InvalidPhoneNumberKind, NumberRange, PhoneNumber},
    region::{Region, UnknownRegion},
};

/// The most bytes that any destination may have: the longest e-mail address (RFC 5321 section 4.5.3.1.3).
const MAX_BYTES: usize = 254;

/// A place that a code or a link can be delivered to.
///
/// Two destinations are equal when their canonical forms are. `Display` and `Debug` are masked.
///
/// # Examples
///
/// ```
/// use otp_core::destination::{Channel, Destination, Region};
///
/// let phone = Destination::parse("(415) 555-0123", Some(Region::parse("US")?))?;
/// assert_eq!(phone.expose(), "+14155550123");
/// assert_eq!(phone.to_string(), "+1415•••0123");
/// assert_eq!(phone.default_channel(), Channel::Sms);
///
/// let email = Destination::parse("Mike@Example.org", None)?;
/// assert_eq!(email.to_string(), "M•••@example.org");
/// assert_eq!(email.canonical(), "mike@example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Destination {
    /// A telephone number.
    Phone(PhoneNumber),
    /// An e-mail address.
    Email(EmailAddress),
}

/// Which kind of [`Destination`] it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DestinationKind {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
}

/// A text that is neither a phone number nor an e-mail address that codes are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDestination {
    /// It has no `@` and was read as a phone number.
    #[error(transparent)]
    Phone(#[from] InvalidPhoneNumber),
    /// It has an `@` and was read as an e-mail address.
    #[error(transparent)]
    Email(#[from] InvalidEmailAddress),
}

impl Destination {
    /// Parses what a person typed: an e-mail address when it has an `@`, a phone number otherwise.
    ///
    /// Phone numbers are read as [`PhoneNumber::parse_lenient`] does; `region` is where national numbers
    /// are taken to belong. Only the first 254 bytes are ever looked at.
    ///
    /// # Errors
    ///
    /// [`InvalidDestination`] says which of the two it was read as and why that failed.
    pub fn parse(input: &str, region: Option<Region>) -> Result<Self, InvalidDestination> {
        if input.bytes().take(MAX_BYTES).any(|byte| byte == b'@') {
            Ok(EmailAddress::parse(input)?.into())
        } else {
            Ok(PhoneNumber::parse_lenient(input, region)?.into())
        }
    }

    /// Returns the full value to deliver to, unmasked: E.164, or the address as it was typed.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.e164(),
            Self::Email(email) => email.address(),
        }
    }

    /// Returns the full value to compare and look up by, unmasked: E.164, or the address in lower case.
    #[must_use]
    pub fn canonical(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.e164(),
            Self::Email(email) => email.canonical(),
        }
    }

    /// Returns the form that budgets and quotas count by; never one to deliver to.
    #[must_use]
    pub fn limit_key(&self) -> LimitKey {
        match self {
            Self::Phone(phone) => phone.limit_key(),
            Self::Email(email) => email.limit_key(),
        }
    }

    /// Returns the key of [`limit_key`](Self::limit_key) with e-mail tags and dots folded as well.
    ///
    /// See [`EmailAddress::alias_key`]; for a phone number both keys are the same.
    #[must_use]
    pub fn alias_key(&self) -> LimitKey {
        match self {
            Self::Phone(phone) => phone.limit_key(),
            Self::Email(email) => email.alias_key(),
        }
    }

    /// Returns the masked form that `Display` writes.
    pub(crate) fn masked(&self) -> String {
        match self {
            Self::Phone(phone) => phone.masked(),
            Self::Email(email) => email.masked(),
        }
    }

    /// Returns which kind of destination it is.
    #[must_use]
    pub const fn kind(&self) -> DestinationKind {
        match self {
            Self::Phone(_) => DestinationKind::Phone,
            Self::Email(_) => DestinationKind::Email,
        }
    }

    /// Returns the channel that reaches it when nobody chose another.
    #[must_use]
    pub const fn default_channel(&self) -> Channel {
        match self {
            Self::Phone(_) => Channel::Sms,
            Self::Email(_) => Channel::Email,
        }
    }

    /// Returns the phone number, if it is one.
    #[must_use]
    pub const fn as_phone(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Phone(phone) => Some(phone),
            Self::Email(_) => None,
        }
    }

    /// Returns the e-mail address, if it is one.
    #[must_use]
    pub const fn as_email(&self) -> Option<&EmailAddress> {
        match self {
            Self::Phone(_) => None,
            Self::Email(email) => Some(email),
        }
    }
}

impl DestinationKind {
    /// Returns the kind's name: `phone` or `email`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }
}

impl fmt::Display for DestinationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<PhoneNumber> for Destination {
    fn from(phone: PhoneNumber) -> Self {
        Self::Phone(phone)
    }
}

impl From<EmailAddress> for Destination {
    fn from(email: EmailAddress) -> Self {
        Self::Email(email)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(phone) => fmt::Display::fmt(phone, f),
            Self::Email(email) => fmt::Display::fmt(email, f),
        }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(phone) => fmt::Debug::fmt(phone, f),
            Self::Email(email) => fmt::Debug::fmt(email, f),
        }
    }
}

#[cfg(test)]
mod tests;
