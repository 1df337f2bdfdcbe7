use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::WebhookError;

/// Deeper than any vendor nests.
const DEEPEST: usize = 16;

/// Reads JSON (RFC 8259) strictly: UTF-8, nothing after it, at most 16 levels, no name twice in an
/// object, so that no other reader of the same bytes can see another value.
pub(super) fn parse(bytes: &[u8], what: &'static str) -> Result<Value, WebhookError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { left: DEEPEST }.deserialize(&mut reader);
    let value = value.map_err(|_| WebhookError::Malformed(what))?;
    reader.end().map_err(|_| WebhookError::Malformed(what))?;
    Ok(value)
}

/// Gives a text that may be absent or null; anything else is malformed.
pub(super) fn text<'a>(
    value: &'a Value,
    key: &'static str,
) -> Result<Option<&'a str>, WebhookError> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(WebhookError::Malformed(key)),
    }
}

/// Gives a text that must be there and is not empty.
pub(super) fn required<'a>(value: &'a Value, key: &'static str) -> Result<&'a str, WebhookError> {
    text(value, key)?
        .filter(|text| !text.is_empty())
        .ok_or(WebhookError::Malformed(key))
}

/// Gives a text or a whole number as text: vendors write ids and codes either way.
pub(super) fn scalar(value: &Value, key: &'static str) -> Result<Option<String>, WebhookError> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
        Some(_) => Err(WebhookError::Malformed(key)),
    }
}

/// Gives the entries of a list that may be absent.
pub(super) fn list<'a>(value: &'a Value, key: &'static str) -> Result<&'a [Value], WebhookError> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(WebhookError::Malformed(key)),
    }
}

struct Strict {
    left: usize,
}

impl Strict {
    fn deeper<E: Error>(&self) -> Result<usize, E> {
        self.left
            .checked_sub(1)
            .ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strict json")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let left = self.deeper()?;
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element_seed(Self { left })? {
            list.push(entry);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let left = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Self { left })?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_read_as_it_is() {
        let read = parse(br#" {"a":[1,-2,0.5,null,true,"\u00e9"],"b":{}} "#, "body");
        assert_eq!(
            read,
            Ok(json!({"a": [1, -2, 0.5, null, true, "é"], "b": {}}))
        );
    }

    #[test]
    fn duplicate_names_trailing_bytes_bad_utf8_and_depth_are_refused() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for bad in [
            &b"{\"a\":1,\"a\":1}"[..],
            b"{\"a\":1,\"\\u0061\":2}",
            b"[{\"x\":{\"b\":1,\"b\":2}}]",
            b"{} {}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":NaN}",
            b"",
            deep(17).as_bytes(),
            deep(10_000).as_bytes(),
        ] {
            assert_eq!(parse(bad, "body"), Err(WebhookError::Malformed("body")));
        }
        assert!(parse(deep(16).as_bytes(), "body").is_ok());
    }
}
