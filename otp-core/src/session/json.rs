//! Flat JSON objects of texts, whole numbers and lists of texts, as tokens have them.
//!
//! What is read is what is written here and no more: no space, no nesting, no escapes but those of
//! the quote and the backslash, no member twice. A token that any other hand wrote is refused.

/// The most members of an object, and of a list.
const MOST: usize = 16;

/// A value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Texts(Vec<String>),
}

/// An object, its members taken out one by one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Object(Vec<(String, Value)>);

impl Object {
    /// Reads a whole text; `None` where it is no such object.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let mut object = Self::default();
        reader.take('{')?;
        loop {
            let name = reader.text()?;
            reader.take(':')?;
            let value = reader.value()?;
            let again = object.0.iter().any(|(known, _)| *known == name);
            if again || object.0.len() >= MOST {
                return None;
            }
            object.0.push((name, value));
            if !reader.goes_on('}')? {
                return reader.0.is_empty().then_some(object);
            }
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        match self.value(name)? {
            Value::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// Says whether there is such a member still.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Says that every member was asked for.
    pub(super) fn is_read(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    fn value(&mut self, name: &str) -> Option<Value> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(place).1)
    }
}

struct Reader<'t>(&'t str);

impl Reader<'_> {
    fn take(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    /// Takes a comma, or the end of what is open.
    fn goes_on(&mut self, end: char) -> Option<bool> {
        match self.take(',') {
            Some(()) => Some(true),
            None => self.take(end).map(|()| false),
        }
    }

    fn value(&mut self) -> Option<Value> {
        match self.0.chars().next()? {
            '"' => self.text().map(Value::Text),
            '[' => self.texts().map(Value::Texts),
            _ => self.number().map(Value::Number),
        }
    }

    fn text(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    escaped @ ('"' | '\\') => text.push(escaped),
                    _ => return None,
                },
                control if control.is_control() => return None,
                plain => text.push(plain),
            }
        }
        self.0 = chars.as_str();
        Some(text)
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        self.take('[')?;
        let mut texts = Vec::new();
        if self.take(']').is_some() {
            return Some(texts);
        }
        loop {
            texts.push(self.text()?);
            if texts.len() > MOST {
                return None;
            }
            if !self.goes_on(']')? {
                return Some(texts);
            }
        }
    }

    fn number(&mut self) -> Option<u64> {
        let end = self.0.find(|c: char| !c.is_ascii_digit());
        let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        // One spelling a number.
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        self.0 = rest;
        digits.parse().ok()
    }
}

/// Writes an object.
pub(super) struct Writer(String);

impl Writer {
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.quoted(value);
        self
    }

    pub(super) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        self.0.push_str(&value.to_string());
        self
    }

    pub(super) fn texts<'v>(mut self, name: &str, values: impl Iterator<Item = &'v str>) -> Self {
        self.name(name);
        self.0.push('[');
        for (place, value) in values.enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            self.quoted(value);
        }
        self.0.push(']');
        self
    }

    pub(super) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.quoted(name);
        self.0.push(':');
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                self.0.push('\\');
            }
            self.0.push(c);
        }
        self.0.push('"');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_another_hand_would_write_is_refused() {
        let fine = r#"{"a":"x","b":0,"c":["y"],"d":[]}"#;
        assert!(Object::read(fine).is_some());
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"a":"x"} "#,
            r#" {"a":"x"}"#,
            "\u{feff}{\"a\":1}",
            r#"{"a":"x","a":"x"}"#,
            r#"{"a":01}"#,
            r#"{"a":-1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":null}"#,
            r#"{"a":true}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":[1]}"#,
            r#"{"a":["x",]}"#,
            r#"{"a":"x",}"#,
            r#"{"a":"\u0041"}"#,
            r#"{"a":"\n"}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":"x"#,
            r#"{"a"}"#,
        ] {
            assert_eq!(Object::read(bad), None, "{bad}");
        }
        let many: Vec<String> = (0..17).map(|n| format!("\"m{n}\":1")).collect();
        assert_eq!(Object::read(&format!("{{{}}}", many.join(","))), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fall_over(text in "\\PC*|[\\{\\}\\[\\]\",:0-9a-z\\\\]*") {
            // Only what is written as here is read at all.
            if let Some(object) = Object::read(&text) {
                let framed = text.starts_with('{') && text.ends_with('}');
                prop_assert!(framed && object.0.len() <= MOST);
            }
        }

        #[test]
        fn what_was_written_is_read_back(
            text in "[^\\p{Cc}]{0,64}",
            number: u64,
            list in proptest::collection::vec("[^\\p{Cc}]{0,8}", 0..4),
        ) {
            let written = Writer::new()
                .text("text", &text)
                .number("number", number)
                .texts("list", list.iter().map(String::as_str))
                .finish();
            let mut read = Object::read(&written).unwrap();
            prop_assert_eq!(read.text("text"), Some(text));
            prop_assert_eq!(read.number("number"), Some(number));
            prop_assert_eq!(read.texts("list"), Some(list));
            prop_assert_eq!(read.is_read(), Some(()));
        }
    }
}
