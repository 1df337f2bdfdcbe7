//! The values of a label: words, so many and no more.

use std::collections::HashMap;

/// Stands for every value that has no name of its own.
pub(super) const OTHER: &str = "other";
/// The most values of a label, unless it is said otherwise.
pub(super) const MOST: usize = 64;
const LONGEST: usize = 64;
/// More digits than that are a number of somebody's, or a code.
const DIGITS: usize = 4;

/// Gives values numbers; whatever comes when all numbers are given is [`OTHER`].
#[derive(Debug)]
pub(super) struct Words {
    known: HashMap<Box<str>, u16>,
    words: Vec<Box<str>>,
    most: usize,
}

impl Words {
    /// Takes so many values beside [`OTHER`].
    pub(super) fn new(most: usize) -> Self {
        Self {
            known: HashMap::new(),
            words: vec![OTHER.into()],
            most: most.min(usize::from(u16::MAX)),
        }
    }

    /// Gives the number of a value. What is no word, or has no place any more, is [`OTHER`].
    pub(super) fn number(&mut self, value: &str) -> u16 {
        if let Some(number) = self.known.get(value) {
            return *number;
        }
        if value == OTHER || !is_word(value) || self.known.len() >= self.most {
            return 0;
        }
        let Ok(number) = u16::try_from(self.words.len()) else {
            return 0;
        };
        self.words.push(value.into());
        self.known.insert(value.into(), number);
        number
    }

    pub(super) fn word(&self, number: u16) -> &str {
        let word = self.words.get(usize::from(number));
        word.map_or(OTHER, |word| word)
    }
}

/// Says whether a value may be shown: it is short, of one line, and no number.
fn is_word(value: &str) -> bool {
    let shown = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    (1..=LONGEST).contains(&value.len()) && digits <= DIGITS && value.bytes().all(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_has_so_many_values_and_what_comes_later_is_one() {
        let mut words = Words::new(2);
        let numbers = ["sms", "email", "voice", "sms"].map(|word| words.number(word));
        assert_eq!(numbers, [1, 2, 0, 1]);
        assert_eq!(
            [0, 1, 2, 3].map(|one| words.word(one)),
            ["other", "sms", "email", "other"]
        );
    }

    #[test]
    fn numbers_codes_addresses_and_what_would_forge_a_line_are_no_words() {
        let mut words = Words::new(100);
        for value in [
            "",
            "other",
            "+14155550123",
            "482913",
            "203.0.113.7",
            "two words",
            "a\nb",
            "a\"} 1",
            "a\\",
            "\u{fc}",
            &"a".repeat(65),
        ] {
            assert_eq!(words.number(value), 0, "{value:?}");
        }
        assert_eq!(words.number("/api/v1/2fa/{id}"), 1);
    }
}
