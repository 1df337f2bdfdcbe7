use std::fmt;

use super::json::{Object, Value, Writer};
use super::{Link, LinkHash};
use crate::challenge::Lane;
use crate::clock::Utc;
use crate::event::{Event, EventKind, Outcome};
use crate::request::{Purpose, RequestId, SubjectKey};

/// A record as a store keeps it: the event, its place there, and what it was called when it was
/// written. A later version may call it otherwise; the chain is over what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the store's log.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
    /// What the `event_type` column says.
    pub event_type: String,
    /// What the `action` column says.
    pub action: String,
}

/// A record in its place: one line of an export, as [`Display`](fmt::Display) writes it.
///
/// A line is a flat JSON object. What a record has nothing to say about is not there. `userId` is
/// `user_id` once more, for searches that ask for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedRecord {
    /// The record.
    pub record: Record,
    /// What binds it to its place.
    pub link: Link,
}

/// Members of a line that its hash is not over.
pub(super) const BESIDE: [&str; 2] = ["hash", "seal"];

impl Record {
    /// Takes a record that is called as this version calls it.
    #[must_use]
    pub fn new(sequence: u64, event: Event) -> Self {
        Self {
            sequence,
            event_type: event.event_type().to_owned(),
            action: event.action().to_owned(),
            event,
        }
    }

    pub(super) fn hash(&self, place: u64, prev: &LinkHash) -> LinkHash {
        let members = self.members(place, prev);
        let object = members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        hash_of(&object)
    }

    fn members(&self, place: u64, prev: &LinkHash) -> Vec<(&'static str, Value)> {
        let event = &self.event;
        let user = event.subject.as_ref().map(SubjectKey::user_id);
        let address = event.address.map(|address| address.to_string());
        let act = event.act.as_ref();
        let texts = [
            ("at", Some(Utc::from(event.at).to_string().as_str())),
            ("event", Some(event.kind.name())),
            ("event_type", Some(self.event_type.as_str())),
            ("action", Some(self.action.as_str())),
            ("outcome", Some(event.outcome.name())),
            ("reason", event.reason.as_deref()),
            ("message", message(event)),
            ("tenant", Some(event.tenant.as_str())),
            ("user_id", user),
            ("userId", user),
            ("challenge", event.challenge.as_deref()),
            ("purpose", event.purpose.as_ref().map(Purpose::as_str)),
            ("channel", event.channel.map(|channel| channel.name())),
            ("lane", event.lane.map(Lane::name)),
            ("to", event.destination.as_deref()),
            ("ip", address.as_deref()),
            ("provider", event.provider.as_deref()),
            (
                "request_id",
                event.request_id.as_ref().map(RequestId::as_str),
            ),
            ("operator", act.map(|act| act.operator.as_str())),
            ("why", act.map(|act| act.reason.as_str())),
            ("id", Some(event.id.to_string().as_str())),
            ("prev", Some(prev.to_string().as_str())),
        ]
        .map(|(name, text)| Some((name, Value::Text(text?.to_owned()))));
        let numbers = [
            ("sequence", Value::Number(self.sequence)),
            ("place", Value::Number(place)),
        ];
        texts.into_iter().flatten().chain(numbers).collect()
    }
}

/// Reads the place in the log from a record's line.
pub(crate) fn sequence_of(line: &str) -> Option<u64> {
    Object::read(line)?.number("sequence")
}

/// Hashes the members of a record's line.
pub(super) fn hash_of(line: &Object) -> LinkHash {
    LinkHash::of(b"otp-kit audit record v1", line, &BESIDE)
}

/// What operators search for, where the names do not say it. It is part of the chain: a sentence
/// stays as it is for good.
fn message(event: &Event) -> Option<&'static str> {
    let reason = event.reason.as_deref().unwrap_or_default();
    let limited = event.outcome == Outcome::Refused && reason.starts_with("quota_");
    (limited || event.kind == EventKind::RateLimitExceeded).then_some("Rate limit exceeded")
}

impl fmt::Display for ChainedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { record, link } = self;
        let mut line = Writer::new();
        for (name, value) in record.members(link.place, &link.prev) {
            line.put(name, &value);
        }
        line.put("hash", &Value::Text(link.hash.to_string()));
        line.put("seal", &Value::Text(link.seal.to_string()));
        f.write_str(&line.finish())
    }
}
