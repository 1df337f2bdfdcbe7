use thiserror::Error;

/// Why a Telegram login is not believed. Tell the client no more than that it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TelegramRefusal {
    /// It is over 16 KiB, or has more than a thousand fields.
    #[error("a telegram login is too large")]
    TooLarge,
    /// What carries the signature is missing, given twice, or not in its form.
    #[error("a telegram login has no single readable signature")]
    Unsigned,
    /// The signature belongs to something else, or is under another bot's token.
    #[error("the signature of a telegram login is wrong")]
    BadSignature,
    /// The signature is right, and no time is signed.
    #[error("a telegram login has no time of signing")]
    Undated,
    /// The signed time is too far from now.
    #[error("a telegram login is too old")]
    Stale,
    /// The signature is right, and nobody is named.
    #[error("a telegram login names nobody")]
    Nobody,
}

impl TelegramRefusal {
    /// Names it in a stable word, for records: `bad_signature`, `stale`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad_signature",
            Self::Undated => "undated",
            Self::Stale => "stale",
            Self::Nobody => "nobody",
        }
    }
}
