//! The audit log, read to its end or as far as is sensible.

use serde_json::Value;

use crate::desk::Desk;
use crate::failure::Failure;

/// Pages that are read; an incident is within them, and nobody waits for a year of records.
const PAGES: usize = 50;

/// Records as they were exported.
#[derive(Debug)]
pub(super) struct Records(Vec<Value>);

impl Records {
    pub(super) async fn of(desk: &Desk) -> Result<Self, Failure> {
        let mut all: Vec<Value> = Vec::new();
        let mut after = 0;
        for _ in 0..PAGES {
            let path = format!("/admin/otp/audit?after={after}");
            let page = desk.text(&path, "application/x-ndjson").await?;
            let read: Result<Vec<Value>, _> = page.lines().map(serde_json::from_str).collect();
            let read = read.map_err(|_| {
                Failure::Unavailable("a record of the audit log is no JSON".to_owned())
            })?;
            let last = read.iter().filter_map(place).max();
            let Some(last) = last.filter(|last| *last > after) else {
                break;
            };
            after = last;
            let done = read.len() < 1_000;
            // The last line of an export is its checkpoint, and no record.
            let is_record = |line: &Value| line.get("event").is_some();
            all.extend(read.into_iter().filter(is_record));
            if done {
                break;
            }
        }
        Ok(Self(all))
    }

    pub(super) fn number(&self) -> usize {
        self.0.len()
    }

    /// Counts the records of a kind.
    pub(super) fn of_event(&self, event: &str) -> usize {
        let is = |record: &&Value| record.get("event").and_then(Value::as_str) == Some(event);
        self.0.iter().filter(is).count()
    }

    /// Finds the last deed of an operator whose name begins so, and when it was done.
    pub(super) fn last_deed(&self, deed: &str) -> Option<&str> {
        let is = |record: &&Value| {
            let text = |name: &str| record.get(name).and_then(Value::as_str);
            text("action") == Some("OPERATOR_ACTION")
                && text("reason").is_some_and(|reason| reason.starts_with(deed))
        };
        let last = self.0.iter().rev().find(is)?;
        last.get("at")?.as_str()
    }

    /// Names the first place where a record is out of order or not bound to the one before it.
    pub(super) fn broken(&self) -> Option<u64> {
        self.0.windows(2).find_map(|pair| {
            let [one, next] = pair else { return None };
            let in_order = place(one) < place(next);
            let bound = match (one.get("hash"), next.get("prev")) {
                (Some(hash), Some(prev)) => hash == prev,
                _ => true,
            };
            (!in_order || !bound).then(|| place(next).unwrap_or_default())
        })
    }
}

fn place(record: &Value) -> Option<u64> {
    record.get("sequence")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::Records;
    use serde_json::json;

    #[test]
    fn a_record_that_is_missing_from_a_chain_or_out_of_order_is_named() {
        let line = |place: u64, prev: &str, hash: &str| json!({ "sequence": place, "prev": prev, "hash": hash });
        let whole = [line(1, "", "a"), line(2, "a", "b"), line(5, "b", "c")];
        assert_eq!(Records(whole.to_vec()).broken(), None);
        let without = Records(vec![whole[0].clone(), whole[2].clone()]);
        assert_eq!(without.broken(), Some(5));
        let turned = Records(vec![json!({ "sequence": 2 }), json!({ "sequence": 1 })]);
        assert_eq!(turned.broken(), Some(1));
    }
}
