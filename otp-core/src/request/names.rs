use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

/// Says why a name was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what} must be 1 to {max} {allowed}")]
pub struct InvalidName {
    what: &'static str,
    max: usize,
    allowed: &'static str,
}

pub(super) fn checked(
    text: &str,
    what: &'static str,
    max: usize,
    allowed: &'static str,
    fits: fn(char) -> bool,
) -> Result<(), InvalidName> {
    if !text.is_empty() && text.len() <= max && text.chars().all(fits) {
        Ok(())
    } else {
        Err(InvalidName { what, max, allowed })
    }
}

fn is_slug(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
}

fn is_visible(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// One of a host's customers or products; everything is kept apart by it.
///
/// Up to 64 of `a-z 0-9 - _ .`. A host with one product uses the default, `default`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tenant(Cow<'static, str>);

impl Tenant {
    /// Names a tenant.
    ///
    /// # Errors
    /// [`InvalidName`] where it is empty, longer than 64, or holds another character.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        if name == DEFAULT_TENANT {
            return Ok(Self::default());
        }
        checked(name, "a tenant", 64, "characters of a-z 0-9 - _ .", is_slug)?;
        Ok(Self(Cow::Owned(name.to_owned())))
    }

    /// Gives the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const DEFAULT_TENANT: &str = "default";

impl Default for Tenant {
    fn default() -> Self {
        Self(Cow::Borrowed(DEFAULT_TENANT))
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a code is for: `login`, `mfa`, `sign-up`, ... the host's own.
///
/// A code that was issued for one purpose is worth nothing for another. Purposes are registered
/// in the policy; a client cannot invent one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Purpose(Cow<'static, str>);

impl Purpose {
    /// Signing in.
    pub const LOGIN: Self = Self(Cow::Borrowed("login"));
    /// Proving a second factor in a session that exists.
    pub const MFA: Self = Self(Cow::Borrowed("mfa"));
    /// Opening an account.
    pub const SIGN_UP: Self = Self(Cow::Borrowed("sign-up"));
    /// Confirming an address that is added or changed.
    pub const CONFIRM_ADDRESS: Self = Self(Cow::Borrowed("confirm-address"));
    /// Getting back into an account.
    pub const RECOVERY: Self = Self(Cow::Borrowed("recovery"));

    /// Names a purpose: up to 32 of `a-z 0-9 - _ .`.
    ///
    /// # Errors
    /// [`InvalidName`] otherwise.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let own = [
            Self::LOGIN,
            Self::MFA,
            Self::SIGN_UP,
            Self::CONFIRM_ADDRESS,
            Self::RECOVERY,
        ];
        if let Some(known) = own.into_iter().find(|known| known.as_str() == name) {
            return Ok(known);
        }
        checked(
            name,
            "a purpose",
            32,
            "characters of a-z 0-9 - _ .",
            is_slug,
        )?;
        Ok(Self(Cow::Owned(name.to_owned())))
    }

    /// Gives the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host's own id of a user.
///
/// Use one canonical id a person, whichever alias or spelling signs in: budgets are kept by it.
/// Up to 128 bytes, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectId(String);

impl SubjectId {
    /// Wraps an id.
    ///
    /// # Errors
    /// [`InvalidName`] where it is empty, longer than 128 bytes, or holds control characters.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidName> {
        let id = id.into();
        checked(
            &id,
            "a subject id",
            128,
            "bytes without control characters",
            is_visible,
        )?;
        Ok(Self(id))
    }

    /// Gives the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The host's id of a device. Up to 128 visible characters of ASCII; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// Wraps an id.
    ///
    /// # Errors
    /// [`InvalidName`] where it is empty, longer than 128, or holds another character.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidName> {
        let id = id.into();
        let fits = |c: char| c.is_ascii_graphic();
        checked(&id, "a device id", 128, "visible ASCII characters", fits)?;
        Ok(Self(id))
    }

    /// Gives the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceId(..)")
    }
}

/// The host's id of a request, to find it in the audit log. Up to 64 visible ASCII characters;
/// others are dropped and the rest is cut.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// Wraps what fits of the id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.chars().filter(char::is_ascii_graphic).take(64).collect())
    }

    /// Gives the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_inert() {
        assert!(Tenant::new("acme-eu.1").is_ok());
        for bad in [
            "",
            "Acme",
            "a b",
            "a:b",
            "{tag}",
            "a'; --",
            "\0",
            &"a".repeat(65),
        ] {
            assert!(Tenant::new(bad).is_err(), "{bad:?}");
            assert!(Purpose::new(bad).is_err(), "{bad:?}");
        }
        assert!(SubjectId::new("auth0|5f7c8ec7c33c6c004bbafe82").is_ok());
        assert!(SubjectId::new("'; DROP TABLE users; --").is_ok());
        for bad in ["", "a\nb", "a\u{2028}b", &"a".repeat(129)] {
            assert!(SubjectId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_says_what_is_wrong_without_the_value() {
        let error = Tenant::new("Hello World").expect_err("a capital");
        assert_eq!(
            error.to_string(),
            "a tenant must be 1 to 64 characters of a-z 0-9 - _ ."
        );
    }
}
