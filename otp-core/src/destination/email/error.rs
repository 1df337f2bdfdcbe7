//! Why a text is no e-mail address.

/// A text that is no e-mail address to deliver to.
///
/// It carries nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid e-mail address: {kind}")]
pub struct InvalidEmailAddress {
    kind: InvalidEmailAddressKind,
}

impl InvalidEmailAddress {
    /// Returns why it was refused.
    #[must_use]
    pub const fn kind(self) -> InvalidEmailAddressKind {
        self.kind
    }
}

impl From<InvalidEmailAddressKind> for InvalidEmailAddress {
    fn from(kind: InvalidEmailAddressKind) -> Self {
        Self { kind }
    }
}

/// Why an e-mail address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEmailAddressKind {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It has more than 254 bytes, or more than 64 before the `@`.
    #[error("it is too long")]
    TooLong,
    /// It has no `@`.
    #[error("it has no at sign")]
    MissingAt,
    /// What stands before the `@` is no plain ASCII dot-atom.
    #[error("its local part is not a plain dot-atom")]
    LocalPart,
    /// What stands after the `@` is no public host name.
    #[error("its domain is not a public host name")]
    Domain,
}
