use super::StoreErrorKind;

/// How an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// It works.
    Connected,
    /// It does not, for this reason; what lies beneath works in its place, with tighter limits.
    Fallback(StoreErrorKind),
    /// It does not, for this reason; what lies beneath can be read, and nothing can be decided.
    ReadOnly(StoreErrorKind),
    /// It does not, for this reason.
    Down(StoreErrorKind),
}

impl Condition {
    /// Names the condition in the operator's words: `connected`, `memory fallback`, `read only` or
    /// `unavailable`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Fallback(_) => "memory fallback",
            Self::ReadOnly(_) => "read only",
            Self::Down(_) => "unavailable",
        }
    }
}

/// What an engine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duty {
    /// Codes are issued and verified by it.
    Decisions,
    /// It keeps what has happened. While it is down, records wait where they were written.
    Audit,
}

/// The connections of an engine's pool, as they are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// Those that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// The most that may be open.
    pub most: u32,
}

impl Connections {
    /// Puts the figures together.
    #[must_use]
    pub const fn new(open: u32, idle: u32, most: u32) -> Self {
        Self { open, idle, most }
    }
}

/// An engine of a store, and how it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineStatus {
    /// What it is: `redis`, `postgres`, `mysql`, `sqlite`, `memory`.
    pub engine: &'static str,
    /// What it is for.
    pub duty: Duty,
    /// How it is.
    pub condition: Condition,
}
