use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::checkpoint::{self, NEXT, Tally, VERSION};
use super::json::{Object, Value};
use super::record;
use super::seal::{Look, Subject};
use super::{LinkHash, Scope, Seal};
use crate::key::KeySet;

/// Looks at an export line by line; see [`verify`](super::verify) for a whole file.
///
/// It keeps a few hundred bytes, however long the export is.
#[derive(Debug)]
pub struct Inspection {
    keys: Option<Arc<KeySet>>,
    line: u64,
    scope: Scope,
    /// The place and hash of the last record, and how many there were.
    last: Option<(u64, LinkHash)>,
    verified: Verified,
    /// What was read since the last checkpoint.
    open: Tally,
    /// Whether the last checkpoint is the end, and not that of a part.
    closed: bool,
}

/// What was found in an export that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// How many records it has.
    pub records: u64,
    /// The place of the first one; 0 where there is none.
    pub first: u64,
    /// The place and hash of the last one.
    pub last: (u64, LinkHash),
    /// Whether it has every record between the two.
    pub scope: Scope,
    /// When it was made, as the last checkpoint says.
    pub at: Option<String>,
    /// How many records have seals by keys that are not in the ring. The checkpoint covers them;
    /// it does not cover what happened to them before it was made. `None` where no ring was given
    /// and no seal was looked at.
    pub unknown_seals: Option<u64>,
}

/// Names the first record that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {}{fault}", Named(.place, .id))]
#[non_exhaustive]
pub struct BrokenAt {
    /// The line, counted from 1.
    pub line: u64,
    /// The place of the record in the chain, where it is known.
    pub place: Option<u64>,
    /// The record's own id, where the line has one.
    pub id: Option<String>,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a record, or with the end of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The line is no line of an export.
    #[error("the line cannot be read")]
    Unreadable,
    /// The record does not have its hash.
    #[error("it was changed")]
    Changed,
    /// The record is not there, or not in its place.
    #[error("it is missing or was moved")]
    Missing,
    /// The record stands where none can be: it was put in, repeated or moved.
    #[error("it was put in, repeated or moved")]
    OutOfOrder,
    /// The record after it follows upon another one.
    #[error("it was put in the place of another")]
    Replaced,
    /// The hash was made anew by somebody who does not have the key.
    #[error("its seal is wrong")]
    WrongSeal,
    /// Records after the last one are missing, or the line that ends the export is.
    #[error("the end of the export is cut off")]
    CutOff,
    /// The line that ends the export says something else than what is before it.
    #[error("the checkpoint does not fit the records before it")]
    Checkpoint,
    /// The line that ends the export was not sealed by anybody who has the key.
    #[error("the checkpoint's seal is wrong")]
    CheckpointSeal,
    /// The line that ends the export is sealed with a key that is not in the ring.
    #[error("the checkpoint is sealed with a key that is not in the ring")]
    UnknownKey,
}

struct Named<'a>(&'a Option<u64>, &'a Option<String>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(Some(place), Some(id)) => write!(f, "record {place} ({id}): "),
            Self(Some(place), None) => write!(f, "record {place}: "),
            _ => Ok(()),
        }
    }
}

impl Inspection {
    /// Begins. Without keys hashes are looked at and seals are not.
    #[must_use]
    pub fn new(keys: Option<Arc<KeySet>>) -> Self {
        Self {
            line: 0,
            scope: Scope::Whole,
            last: None,
            verified: Verified {
                records: 0,
                first: 0,
                last: (0, LinkHash::ORIGIN),
                scope: Scope::Whole,
                at: None,
                unknown_seals: keys.is_some().then_some(0),
            },
            keys,
            open: Tally::new(Scope::Whole),
            closed: false,
        }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`BrokenAt`]; what comes after it is not worth reading.
    pub fn line(&mut self, text: &str) -> Result<(), BrokenAt> {
        self.line = self.line.saturating_add(1);
        let Some(line) = Object::read(text) else {
            return Err(self.broken(self.expected(), None, Fault::Unreadable));
        };
        if line.has("export") {
            return self.opening(&line);
        }
        if line.has("checkpoint") {
            return self.checkpoint(&line);
        }
        self.record(&line)
    }

    /// Ends.
    ///
    /// # Errors
    /// [`BrokenAt`] with [`Fault::CutOff`] where records, or the line that ends the export, are
    /// missing.
    pub fn finish(mut self) -> Result<Verified, BrokenAt> {
        if self.closed && self.open.is_empty() {
            return Ok(self.verified);
        }
        self.line = self.line.saturating_add(1);
        Err(self.broken(self.expected(), None, Fault::CutOff))
    }

    fn broken(&self, place: Option<u64>, line: Option<&Object>, fault: Fault) -> BrokenAt {
        let id = line.and_then(|line| line.text("id"));
        // Whatever an id is, it is short and of one line.
        let id = id.filter(|id| id.len() <= 64 && !id.contains(char::is_control));
        BrokenAt {
            line: self.line,
            place,
            id: id.map(str::to_owned),
            fault,
        }
    }

    /// The place of the next record.
    fn expected(&self) -> Option<u64> {
        self.last.map(|(place, _)| place.saturating_add(1))
    }

    fn opening(&mut self, line: &Object) -> Result<(), BrokenAt> {
        let scope = line.text("scope").and_then(Scope::from_name);
        match scope {
            Some(scope) if self.line == 1 && line.text("export") == Some(VERSION) => {
                self.scope = scope;
                self.open = Tally::new(scope);
                self.verified.scope = scope;
                Ok(())
            }
            _ => Err(self.broken(self.expected(), None, Fault::Unreadable)),
        }
    }

    fn record(&mut self, line: &Object) -> Result<(), BrokenAt> {
        let parts = || {
            let hash = |name| line.text(name)?.parse::<LinkHash>().ok();
            let seal = line.text("seal")?.parse::<Seal>().ok()?;
            Some((line.number("place")?, hash("prev")?, hash("hash")?, seal))
        };
        let Some((place, prev, hash, seal)) = parts() else {
            let place = line.number("place").or_else(|| self.expected());
            return Err(self.broken(place, Some(line), Fault::Unreadable));
        };
        let at = |fault| self.broken(Some(place), Some(line), fault);
        if record::hash_of(line) != hash {
            return Err(at(Fault::Changed));
        }
        match self.last {
            Some((last, _)) if place <= last => return Err(at(Fault::OutOfOrder)),
            Some((last, before)) if place == last.saturating_add(1) && before != prev => {
                return Err(self.broken(Some(last), None, Fault::Replaced));
            }
            Some((last, _)) if place > last.saturating_add(1) && self.scope == Scope::Whole => {
                return Err(self.broken(self.expected(), None, Fault::Missing));
            }
            None if place == 0 || (place == 1 && prev != LinkHash::ORIGIN) => {
                return Err(at(Fault::Changed));
            }
            _ => {}
        }
        let look = self
            .keys
            .as_ref()
            .map(|keys| seal.look(Subject::Record, &hash, keys));
        if look == Some(Look::Wrong) {
            return Err(at(Fault::WrongSeal));
        }
        if let (Some(Look::Unknown), Some(unknown)) = (look, &mut self.verified.unknown_seals) {
            *unknown = unknown.saturating_add(1);
        }
        self.open.note(place, prev, hash);
        self.last = Some((place, hash));
        if self.verified.records == 0 {
            self.verified.first = place;
        }
        self.verified.records = self.verified.records.saturating_add(1);
        self.verified.last = (place, hash);
        Ok(())
    }

    fn checkpoint(&mut self, line: &Object) -> Result<(), BrokenAt> {
        let after = self.expected();
        let at = |fault| self.broken(after, None, fault);
        let seal = line.text("seal").and_then(|seal| seal.parse::<Seal>().ok());
        let known = line.text("checkpoint") == Some(VERSION);
        let (Some(seal), true) = (seal, known) else {
            return Err(at(Fault::Unreadable));
        };
        // What is missing at the end has a name; anything else that does not fit has none.
        if line.number("to").is_some_and(|to| to > self.open.to) {
            return Err(at(Fault::CutOff));
        }
        let fits = |(name, value): &(&str, Value)| match value {
            Value::Text(text) => line.text(name) == Some(text.as_str()),
            Value::Number(number) => line.number(name) == Some(*number),
        };
        if !self.open.said().iter().all(fits) {
            return Err(at(Fault::Checkpoint));
        }
        if let Some(keys) = &self.keys {
            match seal.look(Subject::Checkpoint, &checkpoint::hash_of(line), keys) {
                Look::Right => {}
                Look::Wrong => return Err(at(Fault::CheckpointSeal)),
                Look::Unknown => return Err(at(Fault::UnknownKey)),
            }
        }
        self.verified.at = line.text("at").map(str::to_owned);
        self.open = Tally::new(self.scope);
        self.closed = !line.has(NEXT);
        Ok(())
    }
}
