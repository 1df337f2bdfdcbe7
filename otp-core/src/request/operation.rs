/// What is being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A code, for a new challenge.
    Issue,
    /// A further message for a challenge.
    Resend,
    /// That a code is checked.
    Verify,
    /// That an account's factors are changed. It is measured by this name, and limited as a check is.
    Change,
}

impl Operation {
    /// Names the operation, as quota keys have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Resend => "resend",
            Self::Verify => "verify",
            Self::Change => "change",
        }
    }

    /// Reads a name back.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Issue, Self::Resend, Self::Verify];
        all.into_iter().find(|known| known.name() == name)
    }

    /// Says whether a message is what is asked for.
    pub(crate) const fn sends(self) -> bool {
        matches!(self, Self::Issue | Self::Resend)
    }
}
