use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Who acts by hand, and why: what every call of an operator carries into the audit log.
///
/// # Examples
/// ```
/// use otp_core::event::Act;
///
/// let act = Act::new("mike", "incident #123: guesses from one network")?;
/// assert_eq!(act.operator.as_str(), "mike");
/// assert!(Act::new("mike", "  ").is_err());
/// # Ok::<(), otp_core::event::InvalidAct>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub operator: OperatorName,
    /// Why, in their words.
    pub reason: Reason,
}

/// Says what is wrong with the name or the reason of an [`Act`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidAct {
    /// The name is not one.
    #[error("an operator's name must be 1 to 64 letters, digits or characters of - _ . @ +")]
    Name,
    /// The reason says nothing, says too much, or would not stay on its line.
    #[error("a reason must be 1 to 256 characters, none of them a control character")]
    Reason,
}

impl Act {
    /// Puts a name and a reason together.
    ///
    /// # Errors
    /// [`InvalidAct`].
    pub fn new(operator: &str, reason: &str) -> Result<Self, InvalidAct> {
        Ok(Self {
            operator: OperatorName::new(operator)?,
            reason: Reason::new(reason)?,
        })
    }

    /// Reads back what a store kept; `None` where it kept none, or none that is one.
    #[must_use]
    pub fn from_stored(operator: Option<&str>, reason: Option<&str>) -> Option<Arc<Self>> {
        Self::new(operator?, reason?).ok().map(Arc::new)
    }
}

/// The name of a person or a program that acts by hand: up to 64 letters and digits of ASCII and
/// `- _ . @ +`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperatorName(Box<str>);

impl OperatorName {
    /// Wraps a name.
    ///
    /// # Errors
    /// [`InvalidAct::Name`].
    pub fn new(name: &str) -> Result<Self, InvalidAct> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
        if (1..=64).contains(&name.len()) && name.chars().all(fits) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidAct::Name)
        }
    }

    /// Gives the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperatorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an operator acts, in their words: 1 to 256 characters, space around them cut away, no
/// control characters and none that turns the line round (U+2028, U+2029, the bidirectional
/// controls). It is kept in the audit log, so it should name no one's address or code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Box<str>);

impl Reason {
    /// The most characters.
    pub const LONGEST: usize = 256;

    /// Wraps a reason.
    ///
    /// # Errors
    /// [`InvalidAct::Reason`].
    pub fn new(text: &str) -> Result<Self, InvalidAct> {
        let text = text.trim();
        let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let said = !text.is_empty() && text.chars().nth(Self::LONGEST).is_none();
        if said && !text.chars().any(|c| c.is_control() || turns(c)) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidAct::Reason)
        }
    }

    /// Gives the words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_without_a_name_or_a_reason_is_none() {
        assert!(Act::new("ops@example.org", "#12").is_ok());
        for name in ["", "a b", "a:b", "a\n", "x\u{e9}", &"a".repeat(65)] {
            assert_eq!(Act::new(name, "why"), Err(InvalidAct::Name), "{name:?}");
        }
        let long = "\u{e9}".repeat(257);
        for reason in ["", " \t ", "a\nb", "a\u{202e}b", "\u{7f}", &long] {
            assert_eq!(Act::new("a", reason), Err(InvalidAct::Reason), "{reason:?}");
        }
        let longest = "\u{e9}".repeat(256);
        assert_eq!(
            Reason::new(&format!(" {longest} ")).map(|reason| reason.as_str().to_owned()),
            Ok(longest)
        );
    }
}
