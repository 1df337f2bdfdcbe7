use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::random::{RandomError, SecureRandom};
use crate::request::SubjectKey;

/// Names a challenge: two bytes that find the shard of its subject, nine that name it in logs, and
/// 128 random bits that only its client knows.
///
/// The two bytes are a hash of the subject's key. They let a sharded store go straight to the
/// place where budget and challenge live together; they tell 1 of 65,536 subjects from another,
/// never who it is. Written as 36 characters of URL-safe base64.
///
/// Whoever holds the id may try codes against it, so it is handed to the claimant's client only.
/// Logs and vendors get [`fingerprint`](Self::fingerprint), which is a part of it and not enough.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChallengeId([u8; Self::LENGTH]);

impl ChallengeId {
    /// How many bytes an id has.
    pub const LENGTH: usize = 27;
    const TEXT_LENGTH: usize = 36;
    const SHARD: usize = 2;
    const NAME: usize = 9;

    /// Draws an id for a subject.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails.
    pub fn generate(random: &dyn SecureRandom, subject: &SubjectKey) -> Result<Self, RandomError> {
        let mut bytes = [0_u8; Self::LENGTH];
        random.fill(&mut bytes)?;
        let [high, low] = subject.shard().to_be_bytes();
        let [first, second, ..] = &mut bytes;
        *first = high;
        *second = low;
        Ok(Self(bytes))
    }

    /// Gives the shard number of the subject, for stores that keep a subject's records together.
    #[must_use]
    pub const fn shard(&self) -> u16 {
        let [high, low, ..] = self.0;
        u16::from_be_bytes([high, low])
    }

    /// Gives the bytes: two of shard, nine of name, sixteen of secret.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Reads the bytes back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Gives the part of the id that names it: it correlates log lines and messages, and the 128
    /// bits that one would need to try codes are not in it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let name = self.0.get(Self::SHARD..Self::SHARD + Self::NAME);
        URL_SAFE_NO_PAD.encode(name.unwrap_or_default())
    }

    pub(crate) fn text(&self) -> IdText {
        let mut text = [0_u8; Self::TEXT_LENGTH];
        // 27 bytes are 36 characters: they fit.
        let _ = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text);
        IdText(text)
    }
}

/// An id as text, without memory of its own.
pub(crate) struct IdText([u8; ChallengeId::TEXT_LENGTH]);

impl IdText {
    pub(crate) fn as_str(&self) -> &str {
        // Base64 is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for ChallengeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

impl fmt::Debug for ChallengeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChallengeId(#{})", self.fingerprint())
    }
}

impl FromStr for ChallengeId {
    type Err = InvalidChallengeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != Self::TEXT_LENGTH {
            return Err(InvalidChallengeId);
        }
        let mut bytes = [0_u8; Self::LENGTH];
        let read = URL_SAFE_NO_PAD
            .decode_slice(text, &mut bytes)
            .map_err(|_| InvalidChallengeId)?;
        if read == Self::LENGTH {
            Ok(Self(bytes))
        } else {
            Err(InvalidChallengeId)
        }
    }
}

/// The text is not a challenge id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a challenge id")]
pub struct InvalidChallengeId;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;
    use crate::request::SubjectId;

    fn subject(name: &str) -> SubjectKey {
        SubjectKey::of_subject(&SubjectId::new(name).expect("a fine id"))
    }

    #[test]
    fn an_id_survives_its_text_and_nothing_else_parses() {
        let id = ChallengeId::generate(&OsRandom, &subject("user-1")).expect("randomness");
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.len(), 36);
        for bad in [
            "",
            "a",
            &text[1..],
            &format!("{text}="),
            &format!("{text}A"),
        ] {
            assert_eq!(bad.parse::<ChallengeId>(), Err(InvalidChallengeId), "{bad}");
        }
        assert!("../../etc/passwd/../../e".parse::<ChallengeId>().is_err());
        assert!("A".repeat(10 << 20).parse::<ChallengeId>().is_err());
    }

    #[test]
    fn ids_of_one_subject_share_a_shard_and_debug_hides_the_id() {
        let one = ChallengeId::generate(&OsRandom, &subject("user-1")).expect("randomness");
        let two = ChallengeId::generate(&OsRandom, &subject("user-1")).expect("randomness");
        assert_ne!(one, two);
        assert_eq!(one.shard(), two.shard());
        assert!(!format!("{one:?}").contains(&one.to_string()));
        assert_eq!(one.fingerprint().len(), 12);
        assert_ne!(one.fingerprint(), two.fingerprint());
    }
}
