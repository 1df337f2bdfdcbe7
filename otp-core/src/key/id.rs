//! The public name of a key.

use std::{fmt, str::FromStr};

/// Names a key: 1 to 32 characters out of `A-Z a-z 0-9 . _ -`.
///
/// It is written beside everything made with the key, so it must not tell anything secret. It is small and
/// `Copy`, so that a check of a stored value needs no allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    // Unused bytes are zero, so the derived comparisons hold.
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

/// Says that a text is no [`KeyId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 1 to 32 characters out of A-Z a-z 0-9 . _ -")]
pub struct InvalidKeyId;

impl KeyId {
    /// The most characters an id can have.
    pub const MAX_LEN: usize = 32;

    /// Checks and takes over an id.
    ///
    /// # Errors
    /// [`InvalidKeyId`] when it is empty, longer than 32 characters or has any other character.
    pub fn new(id: &str) -> Result<Self, InvalidKeyId> {
        let mut bytes = [0; Self::MAX_LEN];
        let len = u8::try_from(id.len()).map_err(|_| InvalidKeyId)?;
        let room = bytes.get_mut(..id.len()).ok_or(InvalidKeyId)?;
        room.copy_from_slice(id.as_bytes());
        let allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if id.is_empty() || !room.iter().all(allowed) {
            return Err(InvalidKeyId);
        }
        Ok(Self { bytes, len })
    }

    /// Shows the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the fallback is never taken.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::new(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_ids_are_refused() {
        let long = "k".repeat(33);
        let huge = "k".repeat(10_240);
        for id in [
            "",
            "../../k",
            "a b",
            "a$b",
            "a,b",
            "a:b",
            "é",
            "k\0",
            "' OR 1=1 --",
            &long,
            &huge,
        ] {
            assert_eq!(KeyId::new(id), Err(InvalidKeyId), "{id:?}");
        }
    }

    #[test]
    fn a_valid_id_comes_back_as_it_was() {
        for id in ["a", "2026-11.key_1", &"k".repeat(32)] {
            assert_eq!(KeyId::new(id).unwrap().as_str(), id);
        }
    }

    #[test]
    fn an_id_is_not_equal_to_its_prefix() {
        assert_ne!(KeyId::new("ab"), KeyId::new("a"));
    }
}
