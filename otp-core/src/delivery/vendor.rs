//! What a vendor's own status page says of it.

use std::fmt;

use crate::clock::Timestamp;

/// How much trouble a vendor says that it has, in the words of Statuspage's `indicator`.
///
/// It is a hint to a reader, and never a condition for sending: vendors are late to admit an
/// outage, and own up to those of other countries. Breakers go by what was seen here.
///
/// Source: the Statuspage API, `status.indicator` of `/api/v2/status.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum VendorState {
    /// Everything works.
    None,
    /// Work on it was announced.
    Maintenance,
    /// A part is slow or out.
    Minor,
    /// Much of it is out.
    Major,
    /// All of it is.
    Critical,
}

impl VendorState {
    /// All of them, from the least trouble to the most.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Maintenance,
        Self::Minor,
        Self::Major,
        Self::Critical,
    ];

    /// Names the state as the page does.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Maintenance => "maintenance",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// Reads a page's indicator.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for VendorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was read last, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VendorNotice {
    /// How much trouble there is.
    pub state: VendorState,
    /// When the page was read; an old notice says little.
    pub read_at: Timestamp,
}

impl VendorNotice {
    pub(crate) const fn new(state: VendorState, read_at: Timestamp) -> Self {
        Self { state, read_at }
    }
}
