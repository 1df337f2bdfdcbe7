use std::error::Error;
use std::fmt;

/// What a caller can do about a store's failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The engine is not reached, is too slow, or refuses for now. Try again later.
    Unavailable,
    /// The engine's clock stands behind what it has seen; nothing is decided until it is mended.
    ClockAnomaly,
    /// The engine has no room for more.
    Full,
    /// What is stored cannot be read by this version.
    Corrupt,
    /// The request is one that the contract forbids.
    Invalid,
}

impl StoreErrorKind {
    /// Names the kind for events and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::ClockAnomaly => "clock_anomaly",
            Self::Full => "full",
            Self::Corrupt => "corrupt",
            Self::Invalid => "invalid",
        }
    }
}

/// A store's failure: never an acceptance, and no word about what was stored.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// Makes an error of a kind.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Adds the cause. It must hold no address of an engine and no stored value.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says what can be done about it.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreErrorKind> for StoreError {
    fn from(kind: StoreErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<crate::clock::ClockAnomaly> for StoreError {
    fn from(anomaly: crate::clock::ClockAnomaly) -> Self {
        Self::new(StoreErrorKind::ClockAnomaly).with_source(anomaly)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the store is unavailable",
            StoreErrorKind::ClockAnomaly => "the store's clock went backwards",
            StoreErrorKind::Full => "the store has no room",
            StoreErrorKind::Corrupt => "the store holds what this version cannot read",
            StoreErrorKind::Invalid => "the store was asked for something its contract forbids",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| {
            let source: &(dyn Error + 'static) = source;
            source
        })
    }
}
