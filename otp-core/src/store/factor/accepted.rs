use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::factor::{FactorId, RecoverySelector};

/// The try of an owner that was accepted last, where its client named it: who lost the answer asks
/// again by that name.
///
/// It is written in the step that takes the success, in the place of the one before it, and holds
/// nothing to guess by.
#[derive(Clone, PartialEq, Eq)]
pub struct AcceptedTry {
    /// A keyed hash of the client's name and what was typed.
    pub fingerprint: [u8; 16],
    /// When it was accepted, as its answer says it.
    pub at: Timestamp,
    /// What was accepted.
    pub by: AcceptedBy,
}

/// What a try was accepted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcceptedBy {
    /// The code of an authenticator, of this time step.
    Totp(FactorId, u64),
    /// The code of an authenticator, of this counter.
    Hotp(FactorId, u64),
    /// A recovery code.
    Recovery(RecoverySelector),
}

/// What a try at an authenticator or a recovery code is known by, where its client named it: its guess
/// is counted once within [`AcceptedTry::LIFE`], however often it comes.
///
/// A keyed hash of whose it is, its name and what was typed, under each live key, the current one
/// first. It holds nothing to guess by.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedTry {
    current: [u8; 16],
    older: Vec<[u8; 16]>,
}

impl NamedTry {
    /// Takes the hash under the current key, and those under older ones.
    #[must_use]
    pub fn new(current: [u8; 16], older: Vec<[u8; 16]>) -> Self {
        Self { current, older }
    }

    /// Gives the hash under the current key.
    #[must_use]
    pub fn current(&self) -> [u8; 16] {
        self.current
    }

    /// Says whether one of the hashes is this.
    #[must_use]
    pub fn holds(&self, fingerprint: &[u8; 16]) -> bool {
        self.current == *fingerprint || self.older.contains(fingerprint)
    }

    /// Writes each hash as an engine keeps it, at most 64 characters of ASCII: the first is what a
    /// guess is remembered under, and any of them is a repeat.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        let hashes = std::iter::once(&self.current).chain(&self.older);
        hashes.map(|hash| format!("try:{:032x}", u128::from_be_bytes(*hash)))
    }

    /// Says when a guess was counted that is remembered until a time.
    #[must_use]
    pub fn counted_at(until: Timestamp) -> Timestamp {
        until.saturating_sub(AcceptedTry::LIFE)
    }
}

impl fmt::Debug for NamedTry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedTry").finish_non_exhaustive()
    }
}

impl AcceptedTry {
    /// How long it answers: as long as a consumed challenge does.
    pub const LIFE: Duration = Duration::from_secs(60);

    /// Writes it for a column: at most 128 characters of ASCII.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let fingerprint = u128::from_be_bytes(self.fingerprint);
        let at = self.at.as_millis();
        match self.by {
            AcceptedBy::Totp(id, step) => format!("{fingerprint:032x} {at} totp {id} {step}"),
            AcceptedBy::Hotp(id, counter) => format!("{fingerprint:032x} {at} hotp {id} {counter}"),
            AcceptedBy::Recovery(selector) => {
                format!("{fingerprint:032x} {at} recovery {}", selector.as_str())
            }
        }
    }

    /// Reads what a store has kept.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let fingerprint = words.next().filter(|word| word.len() == 32)?;
        let fingerprint = u128::from_str_radix(fingerprint, 16).ok()?.to_be_bytes();
        let at = Timestamp::from_millis(words.next()?.parse().ok()?);
        let (kind, name, number) = (words.next()?, words.next()?, words.next());
        let by = match (kind, number) {
            ("totp", Some(step)) => AcceptedBy::Totp(name.parse().ok()?, step.parse().ok()?),
            ("hotp", Some(counter)) => AcceptedBy::Hotp(name.parse().ok()?, counter.parse().ok()?),
            ("recovery", None) => AcceptedBy::Recovery(RecoverySelector::from_stored(name)?),
            _ => return None,
        };
        let fits = words.next().is_none();
        fits.then_some(Self {
            fingerprint,
            at,
            by,
        })
    }
}

impl fmt::Debug for AcceptedTry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptedTry")
            .field("at", &self.at)
            .field("by", &self.by)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn a_try_is_read_as_it_was_kept_and_nothing_else_is() {
        let id = FactorId::generate(&OsRandom).unwrap();
        let selector = RecoverySelector::from_stored("K7").unwrap();
        for by in [
            AcceptedBy::Totp(id, u64::MAX),
            AcceptedBy::Hotp(id, 0),
            AcceptedBy::Recovery(selector),
        ] {
            let tried = AcceptedTry {
                fingerprint: *b"\x000123456789abcde",
                at: Timestamp::from_millis(1_700_000_000_123),
                by,
            };
            let text = tried.to_stored();
            assert!(text.len() <= 128, "{text}");
            assert_eq!(AcceptedTry::from_stored(&text), Some(tried));
            for wrong in [
                format!("{text} 1"),
                text.replacen('0', "g", 1),
                text[1..].to_owned(),
                text.replace(' ', "  "),
            ] {
                assert_eq!(AcceptedTry::from_stored(&wrong), None, "{wrong}");
            }
        }
        assert_eq!(AcceptedTry::from_stored(""), None);
    }
}
