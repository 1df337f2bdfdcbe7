//! The audit log, read to its end; of a long one the newest part.

use serde_json::Value;

use crate::desk::Desk;
use crate::failure::Failure;

const AUDIT: &str = "/admin/otp/audit";
/// What asks for lines.
const LINES: &str = "application/x-ndjson";
/// The most records that are read: an incident is within the newest, and nobody waits for a year of
/// them.
const MOST: u64 = 200_000;
/// How many fewer may do, where the end of a long log was looked for.
const NEARLY: u64 = 10_000;

/// Records as they were exported.
#[derive(Debug)]
pub(super) struct Records(Vec<Value>);

impl Records {
    pub(super) async fn of(desk: &Desk) -> Result<Self, Failure> {
        let has_more = async |after| {
            let path = format!("{AUDIT}?after={after}&limit=1");
            let (records, _) = page(desk, &path).await?;
            Ok(!records.is_empty())
        };
        let mut all: Vec<Value> = Vec::new();
        let mut next = Some(format!("{AUDIT}?after={}", newest(has_more).await?));
        while let Some(path) = next {
            let (records, further) = page(desk, &path).await?;
            all.extend(records);
            next = further;
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

/// Reads a part, and where the next one is.
async fn page(desk: &Desk, path: &str) -> Result<(Vec<Value>, Option<String>), Failure> {
    let (page, next) = desk.page(path, LINES).await?;
    let read: Result<Vec<Value>, _> = page.lines().map(serde_json::from_str).collect();
    let mut read =
        read.map_err(|_| Failure::Unavailable("a record of the audit log is no JSON".to_owned()))?;
    // The last line of an export is its checkpoint, and no record.
    read.retain(|line| line.get("event").is_some());
    Ok((read, next))
}

/// Finds where the newest records begin, at most [`MOST`] before the end, by asking whether there is
/// one after a place. A log that is no longer than that is read from its beginning.
async fn newest(has_more: impl AsyncFn(u64) -> Result<bool, Failure>) -> Result<u64, Failure> {
    let (mut has, mut end) = (0, MOST);
    while has_more(end).await? {
        has = end;
        let Some(further) = end.checked_mul(2) else {
            break;
        };
        end = further;
    }
    while has > 0 && end.saturating_sub(has) > NEARLY {
        let middle = has.midpoint(end);
        match has_more(middle).await? {
            true => has = middle,
            false => end = middle,
        }
    }
    Ok(end.saturating_sub(MOST))
}

fn place(record: &Value) -> Option<u64> {
    record.get("sequence")?.as_u64()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{MOST, NEARLY, Records, newest};
    use serde_json::json;

    #[tokio::test]
    async fn of_a_long_log_the_newest_records_are_read_and_of_a_short_one_all() {
        for last in [0, 1, MOST - 1, MOST, MOST + 1, 1_234_567, 987_654_321] {
            let asked = Cell::new(0);
            let has_more = async |after: u64| {
                asked.set(asked.get() + 1);
                Ok(after < last)
            };
            let begin = newest(has_more).await.unwrap();
            let read = last - begin;
            match last <= MOST {
                true => assert_eq!((begin, asked.get()), (0, 1), "{last}"),
                false => assert!((MOST - NEARLY..=MOST).contains(&read), "{last}: {read}"),
            }
            assert!(asked.get() < 40, "{last}: {}", asked.get());
        }
    }

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
