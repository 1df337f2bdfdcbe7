//! One line of an export: a flat JSON object of texts and whole numbers.
//!
//! The order of members, space between them and the spelling of a text say nothing, so that a line
//! that went through another tool is still the same record. Nothing nests, and no member is there
//! twice: two readers can then not take one line for two records.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most members of a line.
const MOST: usize = 64;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
}

/// An object's members, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Object(BTreeMap<String, Value>);

impl Object {
    /// Reads a whole line; `None` where it is no such object.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut reader = Reader(line);
        let mut object = Self::default();
        reader.take('{')?;
        if reader.take('}').is_none() {
            loop {
                let name = reader.text()?;
                reader.take(':')?;
                let value = reader.value()?;
                let known = object.0.insert(name, value).is_some();
                if known || object.0.len() > MOST {
                    return None;
                }
                if reader.take(',').is_none() {
                    reader.take('}')?;
                    break;
                }
            }
        }
        reader
            .0
            .trim_start_matches(SPACE)
            .is_empty()
            .then_some(object)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name)? {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.0.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl FromIterator<(String, Value)> for Object {
    fn from_iter<T: IntoIterator<Item = (String, Value)>>(members: T) -> Self {
        Self(members.into_iter().collect())
    }
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

struct Reader<'t>(&'t str);

impl Reader<'_> {
    /// Takes a sign, after any space.
    fn take(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.trim_start_matches(SPACE).strip_prefix(wanted)?;
        Some(())
    }

    fn value(&mut self) -> Option<Value> {
        let rest = self.0.trim_start_matches(SPACE);
        if rest.starts_with('"') {
            return self.text().map(Value::Text);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = rest.split_at(end.unwrap_or(rest.len()));
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        self.0 = rest;
        digits.parse().ok().map(Value::Number)
    }

    fn text(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => text.push(escaped(&mut chars)?),
                control if control < ' ' => return None,
                plain => text.push(plain),
            }
        }
        self.0 = chars.as_str();
        Some(text)
    }
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match chars.next()? {
        plain @ ('"' | '\\' | '/') => plain,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => match unit(chars)? {
            high @ 0xd800..=0xdbff => {
                let follows = chars.next()? == '\\' && chars.next()? == 'u';
                let low = follows.then(|| unit(chars)).flatten()?;
                if !(0xdc00..=0xdfff).contains(&low) {
                    return None;
                }
                char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
            }
            unit => char::from_u32(unit)?,
        },
        _ => return None,
    })
}

/// Reads four hexadecimal digits.
fn unit(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + chars.next()?.to_digit(16)?))
}

/// Writes an object, member by member.
pub(super) struct Writer(String);

impl Writer {
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(super) fn put(&mut self, name: &str, value: &Value) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.quoted(name);
        self.0.push(':');
        match value {
            Value::Text(text) => self.quoted(text),
            // Writing to a string does not fail.
            Value::Number(number) => {
                let _ = write!(self.0, "{number}");
            }
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                // What ends or turns a line is spelt out, in C1 and the separators too.
                _ if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    let _ = write!(self.0, "\\u{:04x}", u32::from(c));
                }
                _ => self.0.push(c),
            }
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_that_another_tool_wrote_is_the_same_line() {
        let ours = Object::read(r#"{"a":"é\"\\/\u001b😀","b":7}"#).expect("an object");
        for same in [
            "{\"b\":7,\"a\":\"\\u00e9\\\"\\\\\\/\\u001B\\ud83d\\ude00\"}",
            " { \"a\" : \"é\\\"\\\\/\\u001b😀\" ,\t\"b\" : 7 } \r\n",
        ] {
            assert_eq!(Object::read(same), Some(ours.clone()), "{same}");
        }
    }

    #[test]
    fn what_is_no_flat_object_is_refused() {
        for bad in [
            "",
            "{",
            "[]",
            "null",
            "{}x",
            r#"{"a":1,"a":1}"#,
            r#"{"a":01}"#,
            r#"{"a":-1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":null}"#,
            r#"{"a":{}}"#,
            r#"{"a":[]}"#,
            r#"{"a":"x",}"#,
            r#"{"a":"\x"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud800\u0041"}"#,
            r#"{"a":"\udc00"}"#,
            r#"{"a":"x"#,
            r#"{"a"}"#,
            r#"{a:1}"#,
        ] {
            assert_eq!(Object::read(bad), None, "{bad}");
        }
        let many: Vec<String> = (0..65).map(|n| format!("\"m{n}\":1")).collect();
        assert_eq!(Object::read(&format!("{{{}}}", many.join(","))), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fall_over(text in "\\PC*|[\\{\\}\\[\\]\",:0-9a-z\\\\]*") {
            if let Some(object) = Object::read(&text) {
                prop_assert!(object.0.len() <= MOST);
            }
        }

        #[test]
        fn what_was_written_is_read_back(text in "(?s).{0,64}", number: u64) {
            let mut writer = Writer::new();
            writer.put("text", &Value::Text(text.clone()));
            writer.put("number", &Value::Number(number));
            let line = writer.finish();
            prop_assert!(!line.contains(char::is_control));
            let read = Object::read(&line).unwrap();
            prop_assert_eq!(read.text("text"), Some(text.as_str()));
            prop_assert_eq!(read.number("number"), Some(number));
        }
    }
}
