//! What was bound, read from a statement in which SQLite has written it out.

/// A value that was bound.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Reads the values that stand in one text where the other has `?`. `None` where the two are not
/// one statement, or a value is of no kind that is known here.
pub(crate) fn between(sql: &str, expanded: &str) -> Option<Vec<Value>> {
    let (mut values, mut rest, mut quoted) = (Vec::new(), expanded, false);
    for sign in sql.chars() {
        if sign == '?' && !quoted {
            let (value, after) = literal(rest)?;
            values.push(value);
            rest = after;
        } else {
            quoted ^= sign == '\'';
            rest = rest.strip_prefix(sign)?;
        }
    }
    rest.is_empty().then_some(values)
}

/// Reads one value as SQLite writes it: `NULL`, `-1`, `'it''s'`, `x'00ff'`.
fn literal(text: &str) -> Option<(Value, &str)> {
    if let Some(after) = text.strip_prefix("NULL") {
        return Some((Value::Null, after));
    }
    if let Some(digits) = text.strip_prefix("x'") {
        let (digits, after) = digits.split_once('\'')?;
        return Some((Value::Bytes(bytes(digits)?), after));
    }
    if let Some(mut rest) = text.strip_prefix('\'') {
        let mut value = String::new();
        loop {
            let (part, after) = rest.split_once('\'')?;
            value.push_str(part);
            match after.strip_prefix('\'') {
                Some(after) => rest = after,
                None => return Some((Value::Text(value), after)),
            }
            value.push('\'');
        }
    }
    let end = text.find(|sign: char| sign != '-' && !sign.is_ascii_digit());
    let (number, after) = text.split_at(end.unwrap_or(text.len()));
    Some((Value::Int(number.parse().ok()?), after))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = (0..digits.len()).step_by(2);
    let bytes = pairs.map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_found_where_they_were_bound() {
        let sql = "SELECT '?', a FROM t WHERE b = ? AND c IN (?, ?) AND d = ? AND e = ?";
        let expanded = "SELECT '?', a FROM t WHERE b = 'it''s ?' AND c IN (-5, NULL) AND d = x'00ff' AND e = ''";
        let values = [
            Value::Text("it's ?".to_owned()),
            Value::Int(-5),
            Value::Null,
            Value::Bytes(vec![0, 255]),
            Value::Text(String::new()),
        ];
        assert_eq!(between(sql, expanded), Some(values.to_vec()));
        assert_eq!(between("SELECT ?", "SELECT 1, 2"), None);
        assert_eq!(between("SELECT ?", "SELECT 1.5"), None);
    }
}
