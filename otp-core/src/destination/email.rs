//! [`EmailAddress`]: an e-mail address in the plain form that codes are sent to.

mod domain;
mod error;
mod local;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::Arc,
};

pub use self::error::{InvalidEmailAddress, InvalidEmailAddressKind};
use super::{LimitKey, MAX_BYTES};

/// Domains under which one mailbox has any number of dots in its name.
const DOTLESS: [&str; 2] = ["gmail.com", "googlemail.com"];
/// Stands for what a masked address does not show.
const MASK: &str = "•••@";

/// An e-mail address: an ASCII dot-atom, `@`, and a host name of two labels or more.
///
/// The local part is kept as typed, because the receiving host alone says whether case matters (RFC 5321
/// section 2.4); the domain is kept as lower-case ASCII (UTS #46, strict). Two addresses are equal when
/// they differ in case alone. `Display` and `Debug` are masked: `m•••@example.org`.
///
/// Quoted local parts, address literals, single-label and `localhost` domains, local parts outside ASCII
/// and those that start with `-` are refused.
///
/// # Examples
///
/// ```
/// use otp_core::destination::EmailAddress;
///
/// let address = EmailAddress::parse("Mike.Doe@Example.ORG")?;
/// assert_eq!(address.address(), "Mike.Doe@example.org");
/// assert_eq!(address, EmailAddress::parse("mike.doe@example.org")?);
/// assert_eq!(address.to_string(), "M•••@example.org");
/// # Ok::<(), otp_core::destination::InvalidEmailAddress>(())
/// ```
#[derive(Clone)]
pub struct EmailAddress {
    address: Arc<str>,
    /// The same text as `address` where that is in lower case already.
    canonical: Arc<str>,
}

impl EmailAddress {
    /// Parses an address of at most 254 bytes, its local part of at most 64.
    ///
    /// Nothing is trimmed and no display name or comment is taken.
    ///
    /// # Errors
    ///
    /// [`InvalidEmailAddress`], whose kind says why.
    pub fn parse(input: &str) -> Result<Self, InvalidEmailAddress> {
        use InvalidEmailAddressKind::{Empty, MissingAt, TooLong};
        if input.is_empty() {
            return Err(Empty.into());
        }
        if input.len() > MAX_BYTES {
            return Err(TooLong.into());
        }
        let (local, typed) = input.rsplit_once('@').ok_or(MissingAt)?;
        local::check(local)?;
        let domain = domain::to_ascii(typed)?;
        let address: Arc<str> = if domain == typed {
            input.into()
        } else {
            format!("{local}@{domain}").into()
        };
        if address.len() > MAX_BYTES {
            return Err(TooLong.into());
        }
        let canonical = if address.bytes().any(|byte| byte.is_ascii_uppercase()) {
            address.to_ascii_lowercase().into()
        } else {
            Arc::clone(&address)
        };
        Ok(Self { address, canonical })
    }

    /// Returns the whole address to deliver to, unmasked: the local part as typed, the domain in ASCII.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the whole address in lower case, unmasked, to compare and look up by.
    ///
    /// Deliver to the address that was stored when it was proven, not to this one.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Returns the domain as lower-case ASCII, `xn--` labels included.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.canonical_parts().1
    }

    /// Returns the form that budgets and quotas count by: the canonical one.
    #[must_use]
    pub fn limit_key(&self) -> LimitKey {
        LimitKey::new(Arc::clone(&self.canonical))
    }

    /// Returns a coarser form for limits: the canonical one without its `+tag`, and at Gmail without dots
    /// and with one domain.
    ///
    /// It is a guess at which addresses share a mailbox, so it is for limits alone, and by choice: other
    /// hosts may give `a` and `a+b` to two people, who would then share a budget. Never deliver to it and
    /// never take it for an identity.
    #[must_use]
    pub fn alias_key(&self) -> LimitKey {
        let (local, domain) = self.canonical_parts();
        let untagged = match local.split_once('+') {
            Some((mailbox, _)) if !mailbox.is_empty() => mailbox,
            _ => local,
        };
        if DOTLESS.contains(&domain) {
            let mailbox = untagged.replace('.', "");
            LimitKey::new(format!("{mailbox}@gmail.com"))
        } else {
            LimitKey::new(format!("{untagged}@{domain}"))
        }
    }

    /// Returns the masked form that `Display` writes.
    #[must_use]
    pub fn masked(&self) -> String {
        let (shown, domain) = self.shown();
        [shown, MASK, domain].concat()
    }

    /// Returns what the masked form shows: the first character of the local part, unless it is
    /// the only one, and the domain.
    fn shown(&self) -> (&str, &str) {
        let (local, domain) = self.address.rsplit_once('@').unwrap_or_default();
        let first = local.get(..1).filter(|_| local.len() > 1);
        (first.unwrap_or_default(), domain)
    }

    fn canonical_parts(&self) -> (&str, &str) {
        self.canonical.rsplit_once('@').unwrap_or_default()
    }
}

impl PartialEq for EmailAddress {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for EmailAddress {}

impl Hash for EmailAddress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl PartialOrd for EmailAddress {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EmailAddress {
    /// Orders by the text of the canonical form.
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

impl FromStr for EmailAddress {
    type Err = InvalidEmailAddress;

    /// Parses as [`EmailAddress::parse`] does.
    fn from_str(input: &str) -> Result<Self, Self::Err> {
        Self::parse(input)
    }
}

impl fmt::Display for EmailAddress {
    /// Writes the first character of the local part, unless it is the only one, and the domain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, domain) = self.shown();
        [shown, MASK, domain]
            .into_iter()
            .try_for_each(|part| f.write_str(part))
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({self})")
    }
}

#[cfg(test)]
mod tests;
