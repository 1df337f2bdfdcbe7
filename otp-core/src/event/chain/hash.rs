use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::json::{Object, Value};

/// Names a record and all records before it: SHA-256 over the record, its place and the hash of
/// the record before it.
///
/// It is no secret: whoever has the records can make it. What they cannot make is the
/// [`Seal`](super::Seal) over it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkHash([u8; 32]);

/// Says that a text is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a hash of the chain is 64 hexadecimal digits")]
pub struct InvalidLinkHash;

impl LinkHash {
    /// What comes before the first record of a chain.
    pub const ORIGIN: Self = Self([0; 32]);

    /// Hashes an object's members but for some: each with its length, in the order of their names,
    /// under a label. Two objects that differ in any member, its name or its type have different
    /// hashes.
    pub(super) fn of(label: &[u8], object: &Object, without: &[&str]) -> Self {
        let mut state = Sha256::new();
        let mut put = |part: &[u8]| {
            // A length in memory always fits into 64 bits.
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            state.update(length.to_be_bytes());
            state.update(part);
        };
        put(label);
        for (name, value) in object.members() {
            if without.contains(&name) {
                continue;
            }
            put(name.as_bytes());
            match value {
                Value::Text(text) => {
                    put(b"text");
                    put(text.as_bytes());
                }
                Value::Number(number) => {
                    put(b"number");
                    put(&number.to_be_bytes());
                }
            }
        }
        Self(state.finalize().into())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for LinkHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for LinkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for LinkHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkHash({self})")
    }
}

impl FromStr for LinkHash {
    type Err = InvalidLinkHash;

    fn from_str(text: &str) -> Result<Self, InvalidLinkHash> {
        read_hex(text).map(Self).ok_or(InvalidLinkHash)
    }
}

pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads 64 digits, in one spelling alone.
pub(super) fn read_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(place * 2..place * 2 + 2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}
