use redis::Value;
use serde_json::{Value as Json, json};

use crate::fixture::Place;

/// The script of the desk as the store sends it, to be asked for what comes late or in another
/// order than any caller can bring about.
const DESK: &str = concat!(
    include_str!("../../src/redis/prelude.lua"),
    include_str!("../../src/redis/machine.lua"),
    include_str!("../../src/redis/budget.lua"),
    include_str!("../../src/redis/quota.lua"),
    include_str!("../../src/redis/claim.lua"),
    include_str!("../../src/redis/message.lua"),
    include_str!("../../src/redis/session.lua"),
    include_str!("../../src/redis/uses.lua"),
    include_str!("../../src/redis/desk.lua"),
);

pub(crate) struct Script<'p> {
    place: &'p Place,
}

impl<'p> Script<'p> {
    pub(crate) fn of(place: &'p Place) -> Self {
        Self { place }
    }

    /// Asks for a step at the time of the place's clock, and answers all that is said.
    pub(crate) fn ask(&self, step: &str, mut request: Json) -> Vec<Value> {
        use otp_core::clock::Clock as _;

        let own = json!({
            "step": step,
            "call": "1",
            "prefix": format!("{}:", self.place.prefix),
            "guard": format!("{}guard:", self.place.prefix),
            "room": 1_000,
            "now": self.place.clock.now().as_millis().to_string(),
        });
        let parts = request.as_object_mut().expect("an object");
        parts.extend(own.as_object().cloned().expect("an object"));
        let mut eval = redis::cmd("EVAL");
        eval.arg(DESK).arg(0).arg(request.to_string());
        eval.query(&mut Place::raw()).expect("an answer")
    }
}

/// Reads what was said at a place.
pub(crate) fn text(said: &[Value], place: usize) -> String {
    let value = said.get(place).cloned().expect("it was said");
    redis::from_redis_value(value).expect("a text")
}

/// Reads the list that was said at a place.
pub(crate) fn list(said: &[Value], place: usize) -> Vec<String> {
    let value = said.get(place).cloned().expect("it was said");
    redis::from_redis_value(value).expect("texts")
}
