use std::fmt;
use std::sync::Arc;

use super::InvalidDocument;
use crate::clock::Timestamp;

/// What a fleet shares beside its policy, one short text each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Board {
    /// What is laid on the policy for a while.
    Overrides,
    /// What vendors say of templates.
    Templates,
}

impl Board {
    /// Names the board, as stores keep it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overrides => "overrides",
            Self::Templates => "templates",
        }
    }
}

/// The text of a board: up to 262,144 bytes, and no control characters but tabs and ends of lines.
/// What it means is not the store's. `Debug` shows its length.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct BoardText(Arc<str>);

impl BoardText {
    /// The most bytes.
    pub const LONGEST: usize = 262_144;

    /// Takes a text.
    ///
    /// # Errors
    /// [`InvalidDocument::Size`], [`InvalidDocument::Text`].
    pub fn new(text: &str) -> Result<Self, InvalidDocument> {
        if text.len() > Self::LONGEST {
            return Err(InvalidDocument::Size);
        }
        if text
            .chars()
            .any(|c| c.is_control() && !"\t\r\n".contains(c))
        {
            return Err(InvalidDocument::Text);
        }
        Ok(Self(text.into()))
    }

    /// Gives the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BoardText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoardText({} bytes)", self.0.len())
    }
}

/// What a board says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The number of what it says; 0 where nothing was ever posted.
    pub revision: u64,
    /// What it says, where that is not the revision that the reader knows.
    pub text: Option<BoardText>,
    /// When it was read, by the store's clock.
    pub now: Timestamp,
}

impl Posted {
    /// Numbers what follows a revision: with the time, so that one that an engine has lost (a
    /// failover, a copy that was put back) never comes twice.
    #[must_use]
    pub fn following(revision: u64, now: Timestamp) -> u64 {
        let time = u64::try_from(now.as_millis()).unwrap_or(0);
        revision.saturating_add(1).max(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_bounded_and_is_not_shown() {
        let most = "a".repeat(BoardText::LONGEST);
        let text = BoardText::new(&most).expect("a text");
        assert_eq!(format!("{text:?}"), "BoardText(262144 bytes)");
        let more = format!("{most}b");
        assert_eq!(BoardText::new(&more), Err(InvalidDocument::Size));
        assert_eq!(BoardText::new("a\0b"), Err(InvalidDocument::Text));
    }

    #[test]
    fn a_number_grows_whatever_the_clock_says() {
        let at = Timestamp::from_millis;
        assert_eq!(Posted::following(0, at(1_000)), 1_000);
        assert_eq!(Posted::following(1_000, at(1_000)), 1_001);
        assert_eq!(Posted::following(2_000, at(-5)), 2_001);
    }
}
