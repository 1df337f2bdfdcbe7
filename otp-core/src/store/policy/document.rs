use std::fmt;

use thiserror::Error;

use crate::clock::Timestamp;

const LONGEST_TEXT: usize = 65_536;
const LONGEST_AUTHOR: usize = 128;
const LONGEST_REASON: usize = 256;

/// Why a document is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidDocument {
    /// The text is empty, or longer than 65,536 bytes.
    #[error("a policy must have 1 to 65536 bytes")]
    Size,
    /// The text has control characters other than tabs and ends of lines.
    #[error("a policy must have no control characters")]
    Text,
    /// The author is missing, longer than 128 characters, or has control characters.
    #[error("a policy needs an author of up to 128 characters")]
    Author,
    /// The reason is missing, longer than 256 characters, or has control characters.
    #[error("a policy needs a reason of up to 256 characters")]
    Reason,
}

/// A policy as text, with who put it in force and why. What the text means is not the store's.
///
/// `Debug` shows the author and the text's length.
///
/// # Examples
/// ```
/// use otp_core::store::{InvalidDocument, PolicyDocument};
///
/// let document = PolicyDocument::new("rate_limiting: {}", "ann", "back to normal")?;
/// assert_eq!(document.author(), "ann");
/// assert_eq!(
///     PolicyDocument::new("rate_limiting: {}", "ann", "").unwrap_err(),
///     InvalidDocument::Reason
/// );
/// # Ok::<(), InvalidDocument>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    text: String,
    author: String,
    reason: String,
}

impl PolicyDocument {
    /// Takes a text of 1 to 65,536 bytes, an author of up to 128 and a reason of up to 256
    /// characters.
    ///
    /// # Errors
    /// [`InvalidDocument`], which says which of them is none.
    pub fn new(text: &str, author: &str, reason: &str) -> Result<Self, InvalidDocument> {
        if text.is_empty() || text.len() > LONGEST_TEXT {
            return Err(InvalidDocument::Size);
        }
        if text
            .chars()
            .any(|c| c.is_control() && !"\t\r\n".contains(c))
        {
            return Err(InvalidDocument::Text);
        }
        if !is_line(author, LONGEST_AUTHOR) {
            return Err(InvalidDocument::Author);
        }
        if !is_line(reason, LONGEST_REASON) {
            return Err(InvalidDocument::Reason);
        }
        Ok(Self {
            text: text.to_owned(),
            author: author.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// Gives the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names who put it in force.
    #[must_use]
    pub fn author(&self) -> &str {
        &self.author
    }

    /// Says why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

fn is_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

impl fmt::Debug for PolicyDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyDocument")
            .field("author", &self.author)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A document that was put in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRecord {
    /// Its number: 1 for the first.
    pub version: u64,
    /// What it says, by whom and why.
    pub document: PolicyDocument,
    /// Since when, by the store's clock.
    pub at: Timestamp,
}

impl PolicyRecord {
    /// How many versions a store keeps.
    pub const KEPT: u64 = 100;

    /// Gives the last version that goes when one is published.
    #[must_use]
    pub const fn forgotten(version: u64) -> u64 {
        version.saturating_sub(Self::KEPT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, author: &str, reason: &str) -> InvalidDocument {
        PolicyDocument::new(text, author, reason).expect_err("no document")
    }

    #[test]
    fn a_document_that_is_too_large_is_refused_before_any_store_sees_it() {
        let most = "ü".repeat(32_768);
        assert!(PolicyDocument::new(&most, "ann", "because").is_ok());
        let more = format!("{most}.");
        assert_eq!(refused(&more, "ann", "because"), InvalidDocument::Size);
        assert_eq!(refused("", "ann", "because"), InvalidDocument::Size);
    }

    #[test]
    fn a_document_says_who_and_why_in_one_line_each() {
        assert_eq!(refused("a", "", "because"), InvalidDocument::Author);
        assert_eq!(refused("a", "ann\n", "because"), InvalidDocument::Author);
        assert_eq!(refused("a", "ann", "a\0b"), InvalidDocument::Reason);
        let long = "r".repeat(257);
        assert_eq!(refused("a", "ann", &long), InvalidDocument::Reason);
        assert_eq!(refused("a\0", "ann", "because"), InvalidDocument::Text);
        assert!(PolicyDocument::new("a:\r\n\tb", "ann", "because").is_ok());
    }

    #[test]
    fn a_text_is_not_shown() {
        let document = PolicyDocument::new("limits", "ann", "because").expect("a document");
        assert!(!format!("{document:?}").contains("limits"));
    }
}
