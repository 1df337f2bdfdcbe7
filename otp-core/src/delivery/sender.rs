use std::fmt;

use thiserror::Error;

/// The longest name that is taken: a vendor's ids have 34 to 64 characters.
const MAX: usize = 64;

/// The text is not 1 to 64 visible characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a sender or template is 1 to 64 visible characters")]
pub struct InvalidSender;

/// Who a message comes from, as a vendor names it: a number, a short code, an alphanumeric sender,
/// the id of a pool of senders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderId(String);

/// The text of a message as a vendor has it on file: a template's name or id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(String);

impl SenderId {
    /// Takes a sender as the vendor knows it.
    ///
    /// # Errors
    /// [`InvalidSender`] where it is empty, too long, or holds control characters.
    pub fn new(name: &str) -> Result<Self, InvalidSender> {
        visible(name).map(Self)
    }

    /// Gives the sender as the vendor knows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TemplateId {
    /// Takes a template's name or id as the vendor knows it.
    ///
    /// # Errors
    /// [`InvalidSender`] where it is empty, too long, or holds control characters.
    pub fn new(name: &str) -> Result<Self, InvalidSender> {
        visible(name).map(Self)
    }

    /// Gives the name or id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SenderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TemplateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn visible(name: &str) -> Result<String, InvalidSender> {
    let fits = !name.trim().is_empty() && name.len() <= MAX && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned()).ok_or(InvalidSender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_short_and_visible() {
        assert_eq!(
            SenderId::new("Acme").map(|s| s.to_string()),
            Ok("Acme".to_owned())
        );
        for bad in ["", " ", "Ac\r\nme", &"x".repeat(65)] {
            assert_eq!(SenderId::new(bad), Err(InvalidSender));
            assert_eq!(TemplateId::new(bad), Err(InvalidSender));
        }
    }
}
