use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::LinkHash;
use super::hash::{read_hex, write_hex};
use crate::key::{KeyId, KeyMaterial, KeySet, labelled};

/// Says that whoever held a key of the ring has seen a hash: HMAC-SHA-256 over it, under a key that
/// is derived for this alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    key: KeyId,
    mac: [u8; 32],
}

/// Says that a text is no seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a seal is a key id, a colon and 64 hexadecimal digits")]
pub struct InvalidSeal;

/// What is sealed; a seal over the one is none over the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Record,
    Checkpoint,
}

/// What came of looking at a seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Right,
    Wrong,
    /// It names a key that is not there.
    Unknown,
}

impl Subject {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Record => b"otp-kit audit record v1",
            Self::Checkpoint => b"otp-kit audit checkpoint v1",
        }
    }
}

impl Seal {
    pub(super) fn over(subject: Subject, hash: &LinkHash, key: &KeyMaterial) -> Self {
        let mac = labelled(key.audit_key(), subject.label(), &[hash.as_bytes()]);
        Self {
            key: *key.id(),
            mac: *mac.as_bytes(),
        }
    }

    pub(super) fn look(&self, subject: Subject, hash: &LinkHash, keys: &KeySet) -> Look {
        let Some(key) = keys.get(&self.key) else {
            return Look::Unknown;
        };
        let right = labelled(key.audit_key(), subject.label(), &[hash.as_bytes()]);
        match right.matches(&self.mac) {
            Ok(()) => Look::Right,
            Err(_) => Look::Wrong,
        }
    }

    /// Names the key that it was made with.
    #[must_use]
    pub const fn key(&self) -> &KeyId {
        &self.key
    }
}

/// Writes `key:digits`, as exports and stores have it.
impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.key)?;
        write_hex(f, &self.mac)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({})", self.key)
    }
}

impl FromStr for Seal {
    type Err = InvalidSeal;

    fn from_str(text: &str) -> Result<Self, InvalidSeal> {
        let (key, mac) = text.split_once(':').ok_or(InvalidSeal)?;
        Ok(Self {
            key: KeyId::new(key).map_err(|_| InvalidSeal)?,
            mac: read_hex(mac).ok_or(InvalidSeal)?,
        })
    }
}
