use std::fmt;

use otp_core::event::OperatorName;
use sha2::{Digest as _, Sha256};

/// Who may act by hand, by their tokens. Only hashes are kept, so there is nothing to show.
///
/// # Examples
/// ```
/// use otp_axum::operators::OperatorTokens;
///
/// let tokens = OperatorTokens::new().with("mike", "a-token-that-nobody-guesses")?;
/// assert_eq!(tokens.whose("a-token-that-nobody-guesses").unwrap().as_str(), "mike");
/// assert!(tokens.whose("another-token-altogether").is_none());
/// # Ok::<(), otp_axum::operators::InvalidToken>(())
/// ```
#[derive(Clone, Default)]
pub struct OperatorTokens(Vec<(OperatorName, [u8; 32])>);

/// An operator cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The name is none; see [`OperatorName`].
    #[error("no name of an operator")]
    Name,
    /// The token is shorter than 16 characters, or has others than visible ASCII in it.
    #[error("a token must be at least 16 visible characters")]
    Weak,
    /// The name or the token is another operator's.
    #[error("each name and each token must be there once")]
    Taken,
}

impl OperatorTokens {
    /// The fewest characters of a token: it opens everything, and nobody types it.
    pub const SHORTEST: usize = 16;

    /// Lets nobody in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operator.
    ///
    /// # Errors
    /// [`InvalidToken`].
    pub fn with(mut self, name: &str, token: &str) -> Result<Self, InvalidToken> {
        let name = OperatorName::new(name).map_err(|_| InvalidToken::Name)?;
        let visible = token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.len() < Self::SHORTEST || !visible {
            return Err(InvalidToken::Weak);
        }
        let hash = hash(token);
        if self
            .0
            .iter()
            .any(|other| other.0 == name || other.1 == hash)
        {
            return Err(InvalidToken::Taken);
        }
        self.0.push((name, hash));
        Ok(self)
    }

    /// Says whether nobody is let in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts the operators.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Finds whose token this is. How long it takes tells nothing: hashes are compared, each in
    /// full, and all of them.
    #[must_use]
    pub fn whose(&self, token: &str) -> Option<&OperatorName> {
        let presented = hash(token);
        let mut found = None;
        for (name, known) in &self.0 {
            let pairs = known.iter().zip(&presented);
            let difference = pairs.fold(0, |difference, (a, b)| difference | (a ^ b));
            if difference == 0 {
                found = Some(name);
            }
        }
        found
    }
}

/// Shows the names.
impl fmt::Debug for OperatorTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "token-of-an-operator";

    #[test]
    fn a_weak_token_or_one_that_is_taken_adds_nobody() {
        let tokens = OperatorTokens::new().with("mike", TOKEN).unwrap();
        for (name, token, why) in [
            ("", "another-token-of-his", InvalidToken::Name),
            ("anna", "short", InvalidToken::Weak),
            ("anna", "a token with spaces", InvalidToken::Weak),
            ("anna", TOKEN, InvalidToken::Taken),
            ("mike", "another-token-of-his", InvalidToken::Taken),
        ] {
            assert_eq!(tokens.clone().with(name, token).unwrap_err(), why);
        }
        assert!(!format!("{tokens:?}").contains(TOKEN));
    }
}
