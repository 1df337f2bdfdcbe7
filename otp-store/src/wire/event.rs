//! Audit records as JSON.

use otp_core::challenge::Lane;
use otp_core::clock::Timestamp;
#[cfg(feature = "postgres")]
use otp_core::event::chain::Record;
use otp_core::event::{Act, Event, EventId, EventKind, Outcome};
use otp_core::request::{Purpose, RequestId, SubjectKey, Tenant};
use otp_core::store::{OutboxEntry, StoreError};
use serde_json::{Map, Value};

use super::corrupt;
use super::reply::time;

/// Writes a record; the engine adds its time, where it bears none, and may change its outcome.
pub(crate) fn write(event: &Event) -> Value {
    Value::Object(parts(event))
}

fn parts(event: &Event) -> Map<String, Value> {
    let mut parts = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            parts.insert(name.to_owned(), Value::from(value));
        }
    };
    put("id", Some(&event.id.to_string()));
    let at = event.at.as_millis().to_string();
    put("at", (event.at != Timestamp::UNIX_EPOCH).then_some(&at));
    put("kind", Some(event.kind.name()));
    put("outcome", Some(event.outcome.name()));
    put("reason", event.reason.as_deref());
    put("tenant", Some(event.tenant.as_str()));
    put("subject", event.subject.as_ref().map(SubjectKey::as_str));
    put("challenge", event.challenge.as_deref());
    put("purpose", event.purpose.as_ref().map(Purpose::as_str));
    put("channel", event.channel.map(|channel| channel.name()));
    put("lane", event.lane.map(Lane::name));
    put("destination", event.destination.as_deref());
    let address = event.address.map(|address| address.to_string());
    put("address", address.as_deref());
    put("provider", event.provider.as_deref());
    put(
        "request_id",
        event.request_id.as_ref().map(RequestId::as_str),
    );
    let act = event.act.as_ref();
    put("operator", act.map(|act| act.operator.as_str()));
    put("why", act.map(|act| act.reason.as_str()));
    parts
}

/// Writes a record with what it is called, however it comes out: for an engine that keeps the names
/// in columns of their own.
#[cfg(feature = "postgres")]
pub(crate) fn named(event: &Event) -> Value {
    let mut parts = parts(event);
    let actions = Outcome::ALL.map(|outcome| {
        let event = Event {
            outcome,
            ..event.clone()
        };
        (outcome.name(), event.action())
    });
    let action = event.action();
    let action = if actions.iter().all(|(_, other)| *other == action) {
        action.into()
    } else {
        actions.into_iter().collect()
    };
    parts.insert("action".to_owned(), action);
    let named = |outcome: Outcome| Some((outcome.name(), event.kind.sign_in_type(outcome)?));
    let types = Outcome::ALL.into_iter().filter_map(named);
    let mut types: Map<String, Value> = types
        .map(|(outcome, name)| (outcome.to_owned(), name.into()))
        .collect();
    if !types.is_empty() {
        types.insert("for".to_owned(), EventKind::sign_in_purposes().into());
        parts.insert("signs_in".to_owned(), types.into());
    }
    Value::Object(parts)
}

/// Reads a member of the outbox: its place and the record.
pub(crate) fn read(member: &str) -> Result<OutboxEntry, StoreError> {
    let (sequence, value) = opened(member)?;
    let event = event(&Parts(&value))?;
    Ok(OutboxEntry { sequence, event })
}

/// Reads a record with what it was called; `None` where it is of a kind that only a later version
/// knows.
#[cfg(feature = "postgres")]
pub(crate) fn record(member: &str) -> Result<Option<Record>, StoreError> {
    let (sequence, value) = opened(member)?;
    let parts = Parts(&value);
    let event_type: String = parts.needed("kind", |text| Some(text.to_owned()))?;
    if EventKind::from_event_type(&event_type).is_none() {
        return Ok(None);
    }
    Ok(Some(Record {
        sequence,
        event: event(&parts)?,
        event_type,
        action: parts.needed("action", |text| Some(text.to_owned()))?,
    }))
}

fn opened(member: &str) -> Result<(u64, Value), StoreError> {
    let (place, json) = member.split_once(':').ok_or_else(|| corrupt("a record"))?;
    let value = serde_json::from_str(json).map_err(|_| corrupt("a record"))?;
    Ok((place.parse().map_err(|_| corrupt("a place"))?, value))
}

fn event(parts: &Parts<'_>) -> Result<Event, StoreError> {
    Ok(Event {
        id: parts.needed("id", EventId::from_hex)?,
        at: time(parts.text("at").unwrap_or_default())?,
        kind: parts.needed("kind", EventKind::from_event_type)?,
        outcome: parts.needed("outcome", Outcome::from_name)?,
        reason: parts.owned("reason").map(Into::into),
        tenant: parts.needed("tenant", |text| Tenant::new(text).ok())?,
        subject: parts.owned("subject").map(SubjectKey::from_stored),
        challenge: parts.owned("challenge"),
        purpose: parts.parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: parts.parsed("channel", |text| text.parse().ok())?,
        lane: parts.parsed("lane", Lane::from_name)?,
        destination: parts.owned("destination"),
        address: parts.parsed("address", |text| text.parse().ok())?,
        provider: parts.owned("provider"),
        request_id: parts.text("request_id").map(RequestId::new),
        act: Act::from_stored(parts.text("operator"), parts.text("why")),
    })
}

struct Parts<'v>(&'v Value);

impl Parts<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let text = self.text(name);
        text.map(|text| parse(text).ok_or_else(|| corrupt(name)))
            .transpose()
    }

    fn needed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.parsed(name, parse)?.ok_or_else(|| corrupt(name))
    }
}
