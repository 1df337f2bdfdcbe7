use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use super::format::{CodeFormat, Separators};
use crate::random::{RandomError, SecureRandom};

/// A code as it is sent to the person and typed back: the short-term secret of a challenge.
///
/// It is zeroed on drop, has no `Display`, and `Debug` shows its length only. Leading zeros are
/// kept: `012345` is not `12345`.
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

/// Bytes that are asked for at once: one call to the operating system for nearly every code.
const DRAW: usize = 32;
/// How often they are asked for before the source is taken to be stuck.
const MAX_DRAWS: usize = 8;

/// Maps a byte to a character, or to none where taking it would favour some characters.
fn unbiased(characters: &[u8], byte: u8) -> Option<u8> {
    let byte = usize::from(byte);
    let whole = 256 - 256 % characters.len().max(1);
    if byte < whole {
        characters.get(byte % characters.len()).copied()
    } else {
        None
    }
}

/// Typed text longer than this is refused before it is looked at.
const MAX_TYPED: usize = 64;

impl Code {
    /// Draws a code, each as likely as any other (rejection sampling, no modulo bias).
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails; then there is no code.
    pub fn generate(format: CodeFormat, random: &dyn SecureRandom) -> Result<Self, RandomError> {
        let characters = format.alphabet().characters();
        let wanted = usize::from(format.length());
        let mut text = Zeroizing::new(String::with_capacity(wanted));
        let mut drawn = Zeroizing::new([0_u8; DRAW]);
        for _ in 0..MAX_DRAWS {
            random.fill(drawn.as_mut_slice())?;
            for byte in drawn.iter() {
                if let Some(character) = unbiased(characters, *byte) {
                    text.push(char::from(character));
                }
                if text.len() == wanted {
                    return Ok(Self(text));
                }
            }
        }
        // A working source never comes here: it would have to miss a hundred times in a row.
        Err(RandomError::new())
    }

    /// Reads a typed code once, into the only form that is ever compared.
    ///
    /// Separators are stripped where the format says so, the unambiguous alphabet is folded
    /// (case, `o`, `i`, `l`); anything else that is not of the alphabet, or another length, is
    /// malformed. Other scripts' digits are malformed: they are never what was sent.
    ///
    /// # Errors
    /// [`MalformedCode`], which does not say where.
    pub fn normalise(format: CodeFormat, typed: &str) -> Result<Self, MalformedCode> {
        if typed.len() > MAX_TYPED {
            return Err(MalformedCode);
        }
        let mut text = Zeroizing::new(String::with_capacity(usize::from(format.length())));
        for byte in typed.bytes() {
            if format.separators() == Separators::Strip && matches!(byte, b' ' | b'-') {
                continue;
            }
            let character = format.alphabet().canonical(byte).ok_or(MalformedCode)?;
            text.push(char::from(character));
        }
        if text.len() == usize::from(format.length()) {
            Ok(Self(text))
        } else {
            Err(MalformedCode)
        }
    }

    /// Makes a stand-in of the length of every code of a format, to measure messages by.
    pub(crate) fn specimen(format: CodeFormat) -> Self {
        let text = "8".repeat(usize::from(format.length()));
        Self(Zeroizing::new(text))
    }

    /// Gives the code in the clear: for the message to the person, and for the digest.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} characters)", self.0.len())
    }
}

/// The typed text is not a code of the expected format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a code of the expected format")]
pub struct MalformedCode;

#[cfg(test)]
mod tests;
