/// Which door a request came through.
///
/// A device that was remembered for the subject has guesses and sends of its own, so that a
/// stranger who spends the public ones can neither lock the owner out, nor cancel the owner's
/// code, nor drain the owner's sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Anybody.
    #[default]
    Public,
    /// A device that the subject has signed in from before, and proved it.
    KnownDevice,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 2] = [Self::Public, Self::KnownDevice];

    /// Names the lane for keys, events and columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::KnownDevice => "known_device",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }
}
