//! What was typed.

use std::collections::{BTreeMap, VecDeque};

use crate::failure::Failure;

/// The flags that take no value.
const SWITCHES: [&str; 6] = ["all", "dry-run", "help", "json", "rules", "yes"];

/// The words of a command, and its flags, each of which is taken once.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    words: VecDeque<String>,
    flags: BTreeMap<String, String>,
}

impl Arguments {
    /// Reads `words --flag value --switch`, with `--flag=value` too; `--` ends the flags.
    ///
    /// What stands behind a flag is its value, unless it is a flag itself: `--reason $WHY --dry-run`
    /// with nothing in `WHY` would act in earnest, for the reason `--dry-run`.
    pub(crate) fn parse(mut typed: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut read = Self::default();
        while let Some(word) = typed.next() {
            if word == "--" {
                read.words.extend(typed);
                break;
            }
            let Some(flag) = word.strip_prefix("--") else {
                read.words.push_back(word);
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, _)) if SWITCHES.contains(&name) => {
                    return Err(Failure::usage(format!("--{name} takes no value")));
                }
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None if SWITCHES.contains(&flag) => (flag.to_owned(), String::new()),
                None => {
                    let value = typed.next().filter(|value| !value.starts_with("--"));
                    let value = value.ok_or_else(|| {
                        Failure::usage(format!(
                            "--{flag} needs a value; one that begins with -- is --{flag}=VALUE"
                        ))
                    })?;
                    (flag.to_owned(), value)
                }
            };
            if read.flags.insert(name.clone(), value).is_some() {
                return Err(Failure::usage(format!("--{name} is there twice")));
            }
        }
        Ok(read)
    }

    /// Takes the next word.
    pub(crate) fn word(&mut self) -> Option<String> {
        self.words.pop_front()
    }

    /// Takes the next word, which must be there.
    pub(crate) fn needed(&mut self, what: &str) -> Result<String, Failure> {
        self.word()
            .ok_or_else(|| Failure::usage(format!("{what} is missing")))
    }

    /// Takes a flag's value.
    pub(crate) fn flag(&mut self, name: &str) -> Option<String> {
        self.flags.remove(name)
    }

    /// Takes a switch.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        self.flags.remove(name).is_some()
    }

    /// Takes a number.
    pub(crate) fn number<T: std::str::FromStr>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, Failure> {
        let number = |text: String| {
            let wrong = |_| Failure::usage(format!("--{name} must be a number"));
            text.parse().map_err(wrong)
        };
        self.flag(name).map(number).transpose()
    }

    /// Takes a span in seconds: `90s`, `15m`, `2h`, `7d`, or a bare number of seconds.
    pub(crate) fn span(&mut self, name: &str) -> Result<Option<u64>, Failure> {
        let span = |text: String| {
            let wrong = || Failure::usage(format!("--{name} must be as in 90s, 15m, 2h or 7d"));
            seconds(&text).ok_or_else(wrong)
        };
        self.flag(name).map(span).transpose()
    }

    /// Refuses what nobody took: a misspelt flag must not be passed over.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        if let Some(word) = self.words.front() {
            return Err(Failure::usage(format!("{word:?} is not expected here")));
        }
        match self.flags.keys().next() {
            Some(flag) => Err(Failure::usage(format!(
                "--{flag} is not a flag of this command"
            ))),
            None => Ok(()),
        }
    }
}

fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let unit = match text.strip_prefix(digits)? {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, seconds};

    fn typed(line: &str) -> Result<Arguments, crate::failure::Failure> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn words_flags_and_switches_are_told_apart_in_any_order() {
        let mut read = typed("block --dry-run phone --for 2h +1415 --note=spam").unwrap();
        assert_eq!(read.word().as_deref(), Some("block"));
        assert_eq!(read.word().as_deref(), Some("phone"));
        assert_eq!(read.needed("a value").unwrap(), "+1415");
        assert_eq!(read.span("for").unwrap(), Some(7_200));
        assert_eq!(read.flag("note").as_deref(), Some("spam"));
        assert!(read.switch("dry-run"));
        assert!(read.end().is_ok());
    }

    #[test]
    fn what_nobody_takes_is_refused_and_never_passed_over() {
        assert!(typed("revoke --dryrun true").unwrap().end().is_err());
        assert!(typed("status extra").unwrap().end().is_err());
        assert!(typed("revoke --phone").is_err());
        assert!(typed("revoke --json --json").is_err());
    }

    #[test]
    fn a_flag_whose_value_was_forgotten_takes_no_other_flag_for_it() {
        for forgotten in [
            "revoke --all --reason --dry-run",
            "revoke --reason --all",
            "revoke --phone -- --dry-run",
        ] {
            assert!(typed(forgotten).is_err(), "{forgotten}");
        }
        let mut meant = typed("revoke --reason=--dry-run").unwrap();
        assert_eq!(meant.flag("reason").as_deref(), Some("--dry-run"));
        assert!(!meant.switch("dry-run"));
    }

    #[test]
    fn a_switch_that_is_told_no_is_refused_and_not_taken_for_yes() {
        for told in ["--all=false", "--dry-run=0", "--json=no", "--dry-run="] {
            assert!(typed(&format!("revoke {told}")).is_err(), "{told}");
        }
    }

    #[test]
    fn a_span_has_a_unit_that_is_known_and_does_not_overflow() {
        assert_eq!(seconds("90"), Some(90));
        assert_eq!(seconds("15m"), Some(900));
        assert_eq!(seconds("7d"), Some(604_800));
        for wrong in ["", "h", "1w", "-1s", "1.5h", "99999999999999999999d"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
