use std::collections::BTreeSet;

use crate::destination::LineType;

/// The kinds of phone line that messages are sent to.
///
/// Starts with those on which people read messages: mobile, fixed-line-or-mobile, VoIP, and
/// unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTypes {
    allowed: BTreeSet<&'static str>,
    satellite: bool,
}

impl LineTypes {
    /// Allows these kinds and no other.
    #[must_use]
    pub fn only(kinds: impl IntoIterator<Item = LineType>) -> Self {
        Self {
            allowed: kinds.into_iter().map(LineType::name).collect(),
            satellite: false,
        }
    }

    /// Says whether satellite phones are sent to. Default: no.
    #[must_use]
    pub fn with_satellite(mut self, satellite: bool) -> Self {
        self.satellite = satellite;
        self
    }

    /// Also allows a kind.
    #[must_use]
    pub fn allow(mut self, kind: LineType) -> Self {
        self.allowed.insert(kind.name());
        self
    }

    /// Also allows satellite phones; a text to one can cost several euros.
    #[must_use]
    pub fn allow_satellite(mut self) -> Self {
        self.satellite = true;
        self
    }

    /// Says whether a kind is sent to.
    #[must_use]
    pub fn takes(&self, kind: LineType) -> bool {
        self.allowed.contains(kind.name())
    }

    /// Says whether satellite phones are sent to.
    #[must_use]
    pub fn satellite(&self) -> bool {
        self.satellite
    }
}

impl Default for LineTypes {
    fn default() -> Self {
        let allowed = [
            LineType::Mobile,
            LineType::FixedLineOrMobile,
            LineType::Voip,
            LineType::Unknown,
        ];
        Self {
            allowed: allowed.map(LineType::name).into_iter().collect(),
            satellite: false,
        }
    }
}
