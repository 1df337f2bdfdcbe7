use std::io::{self, BufRead, Read as _};

use thiserror::Error;

use super::{BrokenAt, Fault, Inspection, Verified};
use crate::key::KeyRing;

/// The longest line that is read, in bytes.
const LONGEST: usize = 256 * 1_024;

/// Says why an export is not verified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A record is not as it was, or is not there.
    #[error(transparent)]
    Broken(#[from] BrokenAt),
    /// The export cannot be read.
    #[error("the export cannot be read")]
    Read(#[from] io::Error),
}

/// Checks a whole export, with no database: whether any record was changed, dropped, put in, moved
/// or cut off at the end. With the ring it also sees what was made anew by somebody without a key.
///
/// It reads once from the beginning to the end, in a little memory, and stops at the first record
/// that is not as it was.
///
/// # Errors
/// [`VerifyError::Broken`] names the first such record; [`VerifyError::Read`] is the reader's.
pub fn verify(mut export: impl BufRead, ring: Option<&KeyRing>) -> Result<Verified, VerifyError> {
    let mut inspection = Inspection::new(ring.map(KeyRing::snapshot));
    let mut line = Vec::new();
    let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    loop {
        line.clear();
        if export.by_ref().take(most).read_until(b'\n', &mut line)? == 0 {
            return Ok(inspection.finish()?);
        }
        // What is no text, or has no end, is no line of an export either.
        let text = match line.strip_suffix(b"\n") {
            Some(text) => std::str::from_utf8(text).unwrap_or_default(),
            None if line.len() < LONGEST => std::str::from_utf8(&line).unwrap_or_default(),
            None => "",
        };
        inspection.line(text)?;
    }
}

impl VerifyError {
    /// Says what is wrong, where something is.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        match self {
            Self::Broken(broken) => Some(broken.fault),
            Self::Read(_) => None,
        }
    }
}
