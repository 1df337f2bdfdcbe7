//! What an engine is asked, as JSON.

use std::time::Duration;

use otp_core::event::Event;
use otp_core::quota::{BudgetRules, Party, QuotaClaim, Shape};
use otp_core::store::NewDelivery;
use serde_json::{Map, Value, json};

use super::{delivery, event};

/// One question to an engine.
pub(crate) struct Request {
    parts: Map<String, Value>,
    /// How a record is written.
    record: fn(&Event) -> Value,
}

/// The largest whole number of a double, with room for sums of two.
const LARGEST: u64 = 1 << 51;
/// The most doublings of a pause that make a difference.
const DOUBLINGS: u32 = 31;

impl Request {
    pub(crate) fn new(step: &str) -> Self {
        let request = Self {
            parts: Map::new(),
            record: event::write,
        };
        request.text("step", step)
    }

    /// Starts a request to an engine that keeps what records are called.
    #[cfg(feature = "postgres")]
    pub(crate) fn naming(step: &str) -> Self {
        Self {
            record: event::named,
            ..Self::new(step)
        }
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.parts.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn text(self, name: &str, text: &str) -> Self {
        self.with(name, Value::from(text))
    }

    pub(crate) fn event(self, event: &Event) -> Self {
        let record = (self.record)(event);
        self.with("event", record)
    }

    /// Adds records.
    pub(crate) fn events(self, events: &[Event]) -> Self {
        let records = events.iter().map(self.record).collect();
        self.with("events", records)
    }

    /// Adds the intent to send a message, where there is one.
    pub(crate) fn delivery(self, new: Option<&NewDelivery>) -> Self {
        match new {
            Some(new) => self.with("delivery", delivery::write(new)),
            None => self,
        }
    }

    pub(crate) fn rules(self, rules: &BudgetRules) -> Self {
        self.with("rules", self::rules(rules))
    }

    pub(crate) fn into_json(self) -> String {
        Value::Object(self.parts).to_string()
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(LARGEST)
        .min(LARGEST)
}

fn rules(rules: &BudgetRules) -> Value {
    use otp_core::challenge::Lane;

    let windows = rules
        .windows
        .iter()
        .map(|window| json!([window.public, window.known_device, millis(window.window)]));
    json!({
        "run": Lane::ALL.map(|lane| rules.run_of(lane)),
        "windows": windows.collect::<Vec<_>>(),
        "memory": millis(rules.memory()),
        "pauses": pauses(rules),
    })
}

/// Lists the pause after each strike; the last one repeats.
fn pauses(rules: &BudgetRules) -> Vec<u64> {
    let backoff = &rules.backoff;
    let mut pauses = Vec::new();
    for doublings in 0..=DOUBLINGS {
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let pause = backoff.first.saturating_mul(factor).min(backoff.cap);
        pauses.push(millis(pause));
        if pause == backoff.cap {
            break;
        }
    }
    pauses
}

/// Writes claims, each with the key that it is counted under.
pub(crate) fn quotas(claims: &[QuotaClaim], key: impl Fn(&QuotaClaim) -> String) -> Value {
    let write = |(place, claim): (usize, &QuotaClaim)| {
        let mut value = json!({
            "place": place,
            "key": key(claim),
            "scope": claim.key.scope().name(),
            "own": claim.key.scope().party() == Party::Requester,
        });
        let shape = match claim.quota.shape() {
            Shape::Window(window) => {
                json!({"kind": "window", "max": window.max(), "length": window.length_ms()})
            }
            Shape::Rate(rate) => {
                json!({"kind": "rate", "burst": rate.burst(), "step": rate.step_us()})
            }
        };
        if let (Value::Object(value), Value::Object(shape)) = (&mut value, shape) {
            value.extend(shape);
        }
        value
    };
    claims.iter().enumerate().map(write).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}
