//! Counters, and the windows that they are summed over.

use otp_core::store::{StatGrain, StatKey, StatWindow, StoreError};
use serde_json::{Value, json};

use super::corrupt;
use super::reply::Reply;
use super::request::{Request, millis};

impl Request {
    /// Says how counts are kept: of each grain its name, its length and how long it lasts.
    pub(crate) fn grains(self) -> Self {
        let grains = StatGrain::ALL
            .map(|grain| json!([grain.name(), millis(grain.length()), millis(grain.life())]));
        self.with("grains", grains.as_slice().into())
    }

    /// Says over which time is summed, and how counts of it are kept.
    pub(crate) fn window(self, window: StatWindow) -> Self {
        let grain = window.grain();
        self.text("grain", grain.name())
            .with("length", millis(grain.length()).into())
            .with("back", millis(window.length()).into())
    }
}

pub(crate) fn count((key, count): (&StatKey, u64)) -> Value {
    json!([
        key.name().as_str(),
        key.tenant().as_str(),
        key.value(),
        count
    ])
}

/// Reads so many sums.
pub(crate) fn sums(reply: &Reply, count: usize) -> Result<Vec<u64>, StoreError> {
    let sums = reply.texts(0)?;
    if sums.len() != count {
        return Err(corrupt("an answer"));
    }
    sums.iter().map(|text| number(text)).collect()
}

/// Reads values with their sums.
pub(crate) fn top(reply: &Reply) -> Result<Vec<(String, u64)>, StoreError> {
    let read = |row: Vec<String>| match <[String; 2]>::try_from(row) {
        Ok([value, total]) => Ok((value, number(&total)?)),
        Err(_) => Err(corrupt("an answer")),
    };
    reply.lists(0)?.into_iter().map(read).collect()
}

fn number(text: &str) -> Result<u64, StoreError> {
    text.parse().map_err(|_| corrupt("a sum"))
}
