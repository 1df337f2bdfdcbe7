/// Whether a call changes things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does.
    Apply,
    /// It says what it would do.
    Preview,
}

/// How many things a call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// So many were counted, and there are more.
    AtLeast(u64),
}

impl Count {
    /// Gives the number.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Exactly(number) | Self::AtLeast(number) => number,
        }
    }

    /// Says that what was listed up to a limit is all, or not.
    pub(super) fn listed(found: usize, limit: usize) -> Self {
        let number = u64::try_from(found.min(limit)).unwrap_or(u64::MAX);
        if found > limit {
            Self::AtLeast(number)
        } else {
            Self::Exactly(number)
        }
    }
}

/// What a call did, or in a preview what it would do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effect {
    /// Whether it was done.
    pub mode: Mode,
    /// How many things it is about.
    pub count: Count,
    /// A few of them, masked.
    pub sample: Vec<String>,
}

/// How many of a sample are shown.
pub(super) const SAMPLE: usize = 5;

impl Effect {
    /// Begins a sum of several calls, with so many things that somebody else has done.
    #[must_use]
    pub const fn counted(mode: Mode, number: u64) -> Self {
        Self {
            mode,
            count: Count::Exactly(number),
            sample: Vec::new(),
        }
    }

    /// Adds what another call did, or would do.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let number = self.count.number().saturating_add(other.count.number());
        self.count = match (self.count, other.count) {
            (Count::Exactly(_), Count::Exactly(_)) => Count::Exactly(number),
            _ => Count::AtLeast(number),
        };
        let room = SAMPLE.saturating_sub(self.sample.len());
        self.sample.extend(other.sample.into_iter().take(room));
        self
    }

    pub(super) fn new<T>(
        mode: Mode,
        count: Count,
        things: &[T],
        shown: impl Fn(&T) -> String,
    ) -> Self {
        Self {
            mode,
            count,
            sample: things.iter().take(SAMPLE).map(shown).collect(),
        }
    }
}
