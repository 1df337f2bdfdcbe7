use crate::event::Event;
use crate::factor::{FactorId, FactorName};

use super::{FactorOwner, UNKNOWN_FACTOR};

/// Calls an authenticator by another name.
#[derive(Clone, Debug)]
pub struct RenameFactor {
    /// Whose.
    pub owner: FactorOwner,
    /// Which.
    pub factor: FactorId,
    /// What it is called from now on.
    pub name: FactorName,
    /// The record of it; where it is not done, the store turns it into a refusal.
    pub event: Event,
}

/// What came of a new name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Renamed {
    /// It is called so now. Another one of that name that waited for its first code is gone.
    Now,
    /// Another one that is active has that name.
    NameTaken,
    /// The owner has no such authenticator.
    Unknown,
}

impl Renamed {
    /// Names the refusal, for events; `None` where it is none.
    #[must_use]
    pub const fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Now => None,
            Self::NameTaken => Some("factor_name_taken"),
            Self::Unknown => Some(UNKNOWN_FACTOR),
        }
    }
}
