use std::fmt;

use sha2::{Digest as _, Sha256};

use super::json::{Object, Value, Writer};
use super::seal::Subject;
use super::{Link, LinkHash, Seal};
use crate::clock::{Timestamp, Utc};
use crate::key::KeySet;

pub(super) const VERSION: &str = "otp-kit audit v1";
/// Where the next part begins, where there is one.
pub(super) const NEXT: &str = "next";

/// Which records an export has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every record between its first and its last.
    Whole,
    /// Those that somebody asked for; there may be others between them.
    Filtered,
}

impl Scope {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Filtered => "filtered",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Whole, Self::Filtered]
            .into_iter()
            .find(|scope| scope.name() == name)
    }
}

/// The first line of an export that has not every record; one that has begins without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening(pub Scope);

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Writer::new();
        line.put("export", &Value::Text(VERSION.to_owned()));
        line.put("scope", &Value::Text(self.0.name().to_owned()));
        f.write_str(&line.finish())
    }
}

/// What an export has so far; it becomes its last line.
#[derive(Clone, Debug)]
pub struct Tally {
    pub(super) scope: Scope,
    pub(super) from: u64,
    pub(super) prev: LinkHash,
    pub(super) to: u64,
    pub(super) last: LinkHash,
    pub(super) count: u64,
    listed: Sha256,
}

impl Tally {
    /// Starts with no record.
    #[must_use]
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            from: 0,
            prev: LinkHash::ORIGIN,
            to: 0,
            last: LinkHash::ORIGIN,
            count: 0,
            listed: Sha256::new(),
        }
    }

    /// Counts a record that was written.
    pub fn add(&mut self, link: &Link) {
        self.note(link.place, link.prev, link.hash);
    }

    pub(super) fn note(&mut self, place: u64, prev: LinkHash, hash: LinkHash) {
        if self.count == 0 {
            (self.from, self.prev) = (place, prev);
        }
        (self.to, self.last) = (place, hash);
        self.count = self.count.saturating_add(1);
        self.listed.update(hash.as_bytes());
    }

    /// Says whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Ends the export at a time, sealed with the current key.
    #[must_use]
    pub fn close(&self, at: Timestamp, keys: &KeySet) -> Checkpoint {
        Self::sealed(self.members(at), keys)
    }

    /// Ends a part of an export at a time, as [`close`](Self::close) does. It says after which place
    /// in the log the next part begins: without that one the export is cut off.
    #[must_use]
    pub fn close_part(&self, at: Timestamp, next: u64, keys: &KeySet) -> Checkpoint {
        let mut members = self.members(at);
        members.push((NEXT, Value::Number(next)));
        Self::sealed(members, keys)
    }

    fn sealed(members: Vec<(&'static str, Value)>, keys: &KeySet) -> Checkpoint {
        let object = members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let seal = Seal::over(Subject::Checkpoint, &hash_of(&object), keys.current());
        Checkpoint { members, seal }
    }

    fn members(&self, at: Timestamp) -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut members = vec![("checkpoint", text(VERSION))];
        members.push(("at", text(&Utc::from(at).to_string())));
        members.extend(self.said());
        members
    }

    /// What must be the same in the line and in the file before it.
    pub(super) fn said(&self) -> [(&'static str, Value); 7] {
        let text = |text: &str| Value::Text(text.to_owned());
        let listed: [u8; 32] = self.listed.clone().finalize().into();
        [
            ("scope", text(self.scope.name())),
            ("from", Value::Number(self.from)),
            ("to", Value::Number(self.to)),
            ("count", Value::Number(self.count)),
            ("prev", text(&self.prev.to_string())),
            ("last", text(&self.last.to_string())),
            ("listed", text(&LinkHash::from(listed).to_string())),
        ]
    }
}

/// The last line of an export: what it has, and when that was said, sealed.
///
/// Keep it, or the place and hash in it, away from the database: it is what shows that records were
/// cut off there.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    members: Vec<(&'static str, Value)>,
    seal: Seal,
}

/// Hashes the members of a checkpoint's line.
pub(super) fn hash_of(line: &Object) -> LinkHash {
    LinkHash::of(b"otp-kit audit checkpoint v1", line, &["seal"])
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Writer::new();
        for (name, value) in &self.members {
            line.put(name, value);
        }
        line.put("seal", &Value::Text(self.seal.to_string()));
        f.write_str(&line.finish())
    }
}
