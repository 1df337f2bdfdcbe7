use std::cmp::Ordering;

/// The longest value that is kept in place: every phone number, and so every prefix of one.
const SHORT: usize = 22;

/// The text of a block. A request asks for a dozen of them, most of them prefixes of its number,
/// so short ones take no memory of their own.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<str>),
}

impl Value {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short { length, bytes } => {
                let text = bytes.get(..usize::from(*length)).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
            Self::Long(text) => text,
        }
    }
}

// One text has one form, so equality and hash may be those of the form.
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { length, bytes }
            }
            _ => Self::Long(text.into()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_length_come_back_and_order_as_their_text() {
        let texts: Vec<String> = (0..=254).map(|length| "x".repeat(length)).collect();
        for text in &texts {
            assert_eq!(Value::from(text.as_str()).as_str(), text);
        }
        let mut values: Vec<Value> = ["b", "a-longer-than-twenty-two-bytes", "ab", "é"]
            .map(Value::from)
            .to_vec();
        values.sort();
        let sorted: Vec<&str> = values.iter().map(Value::as_str).collect();
        assert_eq!(sorted, ["a-longer-than-twenty-two-bytes", "ab", "b", "é"]);
    }
}
