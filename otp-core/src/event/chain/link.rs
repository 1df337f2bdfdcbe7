use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::seal::Subject;
use super::{LinkHash, Record, Seal};
use crate::key::KeyMaterial;

/// What binds a record to its place: it is stored beside the record.
///
/// Its text, `place:prev:hash:key:seal`, is what stores keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place in the chain; the first record has 1, and there are no gaps.
    pub place: u64,
    /// The hash of the record before it.
    pub prev: LinkHash,
    /// The hash of the record, its place and the one before it.
    pub hash: LinkHash,
    /// The seal over the hash.
    pub seal: Seal,
}

/// The end of a chain, as a store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The place of the last record; 0 where there is none yet.
    pub place: u64,
    /// Its hash.
    pub hash: LinkHash,
    /// Its place in the store's log.
    pub sequence: u64,
}

/// Says that a text is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a link of the chain is a place, two hashes and a seal")]
pub struct InvalidLink;

impl Head {
    /// The end of a chain that has not begun.
    pub const START: Self = Self {
        place: 0,
        hash: LinkHash::ORIGIN,
        sequence: 0,
    };
}

impl Link {
    pub(super) fn make(record: &Record, head: &Head, key: &KeyMaterial) -> Self {
        let place = head.place.saturating_add(1);
        let hash = record.hash(place, &head.hash);
        Self {
            place,
            prev: head.hash,
            hash,
            seal: Seal::over(Subject::Record, &hash, key),
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}:{}",
            self.place, self.prev, self.hash, self.seal
        )
    }
}

impl FromStr for Link {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let mut parts = text.splitn(4, ':');
        let mut part = || parts.next().ok_or(InvalidLink);
        Ok(Self {
            place: part()?.parse().map_err(|_| InvalidLink)?,
            prev: part()?.parse().map_err(|_| InvalidLink)?,
            hash: part()?.parse().map_err(|_| InvalidLink)?,
            seal: part()?.parse().map_err(|_| InvalidLink)?,
        })
    }
}
