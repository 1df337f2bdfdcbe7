//! Why a text is no phone number.

/// A text that is no phone number to deliver to.
///
/// It carries nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid phone number: {kind}")]
pub struct InvalidPhoneNumber {
    kind: InvalidPhoneNumberKind,
}

impl InvalidPhoneNumber {
    /// Returns why it was refused.
    #[must_use]
    pub const fn kind(self) -> InvalidPhoneNumberKind {
        self.kind
    }
}

impl From<InvalidPhoneNumberKind> for InvalidPhoneNumber {
    fn from(kind: InvalidPhoneNumberKind) -> Self {
        Self { kind }
    }
}

/// Why a phone number was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPhoneNumberKind {
    /// There is nothing but spaces.
    #[error("it is empty")]
    Empty,
    /// It has more bytes or digits than a number can have.
    #[error("it is too long")]
    TooLong,
    /// It has too few digits: emergency and other short numbers, and beginnings of numbers.
    #[error("it is too short")]
    TooShort,
    /// It has a character that is not allowed, or one out of place.
    #[error("it has a character that does not belong there")]
    Malformed,
    /// It has no leading `+` and no region was given to read it in.
    #[error("it is not international and no region was given")]
    NeedsRegion,
    /// Its calling code is nobody's.
    #[error("its calling code is unknown")]
    UnknownCallingCode,
    /// It reads as a number, but its plan has no such number.
    #[error("its numbering plan has no such number")]
    NotAssigned,
    /// The plan writes it differently, so it is not E.164; the lenient parse may take it.
    #[error("it is not in its canonical form")]
    NotCanonical,
}
